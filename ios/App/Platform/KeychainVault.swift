// The core's small secrets, each a generic password in the Keychain: on this device only, in no backup that
// another device could read. Not here: what the secrets are.

import Foundation
import RenrakuCore
import Security

/// Called by the core from worker threads; may block for some milliseconds. Holds no state.
final class KeychainVault: Vault, @unchecked Sendable {
    private let service: String
    private let guarded: Bool

    /// `guarded`: gives out what it keeps only to the person's own face or finger, and loses it when another one
    /// is enrolled. Its calls block until somebody was recognised or gave up.
    init(guarded: Bool = false) {
        self.guarded = guarded
        service = guarded ? "jp.renraku.app.guarded" : "jp.renraku.app.vault"
    }

    func load(name: String) throws -> Data? {
        var query = entry(name)
        query[kSecReturnData] = true
        query[kSecMatchLimit] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        // "None" makes the core start afresh: nothing but a certain "none" may be told as one.
        if status == errSecItemNotFound { return nil }
        if guarded, status == errSecUserCanceled || status == errSecAuthFailed { throw VaultFailure.Locked }
        guard status == errSecSuccess, let secret = found as? Data else { throw failure(status) }
        return secret
    }

    func store(name: String, secret: Data) throws {
        if guarded { return try storeGuarded(name, secret) }
        let kept: [CFString: Any] = [
            kSecValueData: secret,
            kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
        ]
        var status = SecItemUpdate(entry(name) as CFDictionary, kept as CFDictionary)
        if status == errSecItemNotFound {
            let new = entry(name).merging(kept) { _, new in new }
            status = SecItemAdd(new as CFDictionary, nil)
        }
        guard status == errSecSuccess else { throw failure(status) }
    }

    // Made anew each time: to change it, somebody would have to be recognised first.
    private func storeGuarded(_ name: String, _ secret: Data) throws {
        try remove(name: name)
        guard let access = SecAccessControlCreateWithFlags(
            nil, kSecAttrAccessibleWhenPasscodeSetThisDeviceOnly, .biometryCurrentSet, nil)
        else { throw VaultFailure.Failed }
        let kept: [CFString: Any] = [kSecValueData: secret, kSecAttrAccessControl: access]
        let status = SecItemAdd(entry(name).merging(kept) { _, new in new } as CFDictionary, nil)
        guard status == errSecSuccess else { throw failure(status) }
    }

    func remove(name: String) throws {
        let status = SecItemDelete(entry(name) as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw failure(status) }
    }

    private func entry(_ name: String) -> [CFString: Any] {
        [
            kSecClass: kSecClassGenericPassword,
            kSecAttrService: service,
            kSecAttrAccount: name,
            kSecAttrSynchronizable: false,
        ]
    }

    private func failure(_ status: OSStatus) -> VaultFailure {
        switch status {
        case errSecInteractionNotAllowed: return .Locked
        case errSecDiskFull, Self.posix + OSStatus(ENOSPC), Self.posix + OSStatus(EDQUOT): return .Full
        default: return .Failed
        }
    }

    /// Security tells the system's own errors as numbers from here on.
    private static let posix: OSStatus = 100_000
}
