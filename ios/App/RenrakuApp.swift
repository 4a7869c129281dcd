// The composition root of the app: puts the platform, the models and the screens together.

import SwiftUI

@main
struct RenrakuApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate
    @Environment(\.scenePhase) private var phase
    @StateObject private var model = AppModel(
        towns: PhoneTowns(), prove: Holder.prove,
        guarded: { Holder.isRecognisable ? KeychainVault(guarded: true) : nil }, sweep: { Places.sweep(but: $0) })
    @State private var network = NetworkWatch()

    var body: some Scene {
        WindowGroup {
            RootView(model: model)
                .task {
                    delegate.attach(model)
                    network.start { await model.work?.flush(now: true) }
                    await model.start()
                }
        }
        .onChange(of: phase) { phase in
            switch phase {
            case .active:
                Task { await model.returned() }
            case .background:
                model.left()
                delegate.finishSending()
            default:
                break
            }
        }
    }
}
