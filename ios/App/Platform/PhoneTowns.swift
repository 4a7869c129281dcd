// The towns of this phone: each town's device with the Keychain and with keys of its own in the Secure Enclave.
// Not here: which town is in use.

import Foundation
import RenrakuCore

@MainActor
final class PhoneTowns: Towns {
    private static let lastTown = "last-town"
    /// By slug; none for the first town. A folder must not be opened twice.
    private var opened: [String?: Task<RenrakuDevice, Error>] = [:]

    /// A slug is no secret and names nobody.
    var last: String? {
        get { UserDefaults.standard.string(forKey: Self.lastTown) }
        set { UserDefaults.standard.set(newValue, forKey: Self.lastTown) }
    }

    func known() async throws -> [String] {
        try await knownTowns(folder: folder())
    }

    func open(town: String?) async throws -> RenrakuDevice {
        let opening = opened[town] ?? Task {
            try await RenrakuDevice.openTown(
                folder: self.folder(), vault: KeychainVault(), key: SecureEnclaveKey.ifAvailable(town: town),
                spareKey: SecureEnclaveKey.ifAvailable(spare: true, town: town), extraRoots: Places.extraRoots(),
                town: town)
        }
        opened[town] = opening
        do {
            return try await opening.value
        } catch {
            // What hindered it may pass, as when the phone is not unlocked yet.
            if opened[town] == opening { opened[town] = nil }
            throw error
        }
    }

    private func folder() throws -> String {
        guard let folder = try? Places.core() else { throw MobileError.Storage(trouble: .file) }
        return folder.path
    }
}
