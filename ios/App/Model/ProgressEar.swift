// Carries the core's progress from its worker thread to whoever asked.

import RenrakuCore

final class ProgressEar: ProgressListener, @unchecked Sendable {
    private let heard: (Float) -> Void

    init(_ heard: @escaping (Float) -> Void) {
        self.heard = heard
    }

    func onProgress(done: Float) {
        heard(done)
    }
}
