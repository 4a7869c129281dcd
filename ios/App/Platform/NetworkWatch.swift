// Says when the network is back. Not here: whether the care host is reached, which the core finds out.

import Foundation
import Network

@MainActor
final class NetworkWatch {
    private var monitor: NWPathMonitor?

    /// Calls `back` whenever a network is there again. Once is enough.
    func start(back: @escaping @MainActor () async -> Void) {
        guard monitor == nil else { return }
        let monitor = NWPathMonitor()
        monitor.pathUpdateHandler = { path in
            guard path.status == .satisfied else { return }
            Task { @MainActor in await back() }
        }
        monitor.start(queue: DispatchQueue(label: "jp.renraku.app.network"))
        self.monitor = monitor
    }
}
