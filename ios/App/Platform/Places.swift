// The folders of the app: the core's own, and a scratch folder for what lies in the clear for a moment.
// Not here: what the core writes.

import Foundation

enum Places {
    /// The core's folder, in no backup. Readable after the first unlock: sending goes on for some seconds after the
    /// app is left, and the device may lock meanwhile, under which the sealed store would break. Nothing in it is in the
    /// clear.
    static func core() throws -> URL {
        let files = FileManager.default
        let support = try files.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        var folder = support.appendingPathComponent("renraku", isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [
            .protectionKey: FileProtectionType.completeUntilFirstUserAuthentication,
        ])
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder
    }

    /// A new name for a file in the clear. Nothing is there yet.
    static func scratch(_ ending: String) throws -> URL {
        try FileManager.default.createDirectory(
            at: scratchFolder, withIntermediateDirectories: true,
            attributes: [.protectionKey: FileProtectionType.complete])
        return scratchFolder.appendingPathComponent(UUID().uuidString).appendingPathExtension(ending)
    }

    /// Removes what lies in the clear, but for these files of the scratch folder: what an earlier run left, or whoever
    /// has to go. The system's camera and viewers leave files beside the scratch folder, too.
    static func sweep(but kept: [URL] = []) {
        sweepCamera()
        remove(in: scratchFolder, but: Set(kept.map(\.lastPathComponent)))
    }

    /// Removes what the system's camera left, as films that were not taken over. Not while it is open.
    static func sweepCamera() {
        remove(in: FileManager.default.temporaryDirectory, but: [scratchFolder.lastPathComponent])
    }

    private static func remove(in folder: URL, but kept: Set<String>) {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: folder.path)) ?? [] where !kept.contains(name) {
            try? files.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    /// PEM of root certificates that were built in for a town whose server has one of its own.
    static func extraRoots() -> String? {
        guard let file = Bundle.main.url(forResource: "roots", withExtension: "pem") else { return nil }
        return try? String(contentsOf: file, encoding: .utf8)
    }

    private static var scratchFolder: URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("clear", isDirectory: true)
    }
}
