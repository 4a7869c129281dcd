// Photos in the scratch folder, to show them. Not here: those of posts, which come from the core.

import ImageIO
import UIKit

enum Pictures {
    /// A photo turned upright, as the core sees it, its longer side at most so many pixels; none when it cannot be
    /// read. Nothing is written.
    static func upright(_ file: URL, longest: Int) async -> UIImage? {
        await Task.detached(priority: .userInitiated) {
            let wanted: [CFString: Any] = [
                kCGImageSourceCreateThumbnailFromImageAlways: true,
                kCGImageSourceCreateThumbnailWithTransform: true,
                kCGImageSourceThumbnailMaxPixelSize: longest,
            ]
            guard let source = CGImageSourceCreateWithURL(file as CFURL, nil),
                  let picture = CGImageSourceCreateThumbnailAtIndex(source, 0, wanted as CFDictionary)
            else { return nil }
            return UIImage(cgImage: picture)
        }.value
    }
}
