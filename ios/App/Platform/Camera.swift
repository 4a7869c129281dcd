// Whether the camera may be used. Not here: taking pictures and reading codes, which are screens.

import AVFoundation

enum Camera {
    /// Asks the person the first time. False when they, or who manages the device, do not allow it.
    static func isAllowed() async -> Bool {
        await AVCaptureDevice.requestAccess(for: .video)
    }
}
