// The composition root of the app: opens the core with the Keychain and the Secure Enclave, and puts the
// models and screens together.

import RenrakuCore
import SwiftUI

@main
struct RenrakuApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate
    @Environment(\.scenePhase) private var phase
    @StateObject private var model = AppModel(
        open: RenrakuApp.open, prove: Holder.prove, guarded: { KeychainVault(guarded: true) })
    @State private var network = NetworkWatch()

    var body: some Scene {
        WindowGroup {
            RootView(model: model)
                .task {
                    Places.sweep()
                    delegate.attach(model)
                    await model.start()
                    network.start { await model.work?.flush(now: true) }
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

    private static func open() async throws -> RenrakuDevice {
        guard let folder = try? Places.core() else { throw MobileError.Storage(trouble: .file) }
        return try await RenrakuDevice.openTown(
            folder: folder.path, vault: KeychainVault(), key: SecureEnclaveKey.ifAvailable(),
            spareKey: SecureEnclaveKey.ifAvailable(spare: true), extraRoots: Places.extraRoots(), town: nil)
    }
}
