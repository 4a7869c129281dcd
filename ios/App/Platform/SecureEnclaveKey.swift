// The P-256 key of this device, made in the Secure Enclave and never out of it.
// Not here: the software key for devices without an Enclave (simulator), which is the core's.

import CryptoKit
import Foundation
import LocalAuthentication
import RenrakuCore
import Security

/// Called by the core from worker threads; the chip takes some milliseconds for each call. Holds no state but
/// the lock, which keeps two first calls from making two keys.
final class SecureEnclaveKey: DeviceKey, @unchecked Sendable {
    private let tag: Data
    private let lock = NSLock()

    private init(_ name: String) {
        tag = Data("jp.renraku.app.\(name)".utf8)
    }

    /// The key's home, or none where there is no Enclave: the core then keeps a software key in the vault. There
    /// are two, which take turns when the certificate is renewed. `town`: a further town, which has two of its own.
    static func ifAvailable(spare: Bool = false, town: String? = nil) -> SecureEnclaveKey? {
        let name = [spare ? "device-key-2" : "device-key", town].compactMap { $0 }.joined(separator: ".")
        return SecureEnclave.isAvailable ? SecureEnclaveKey(name) : nil
    }

    func publicKey() throws -> Data {
        lock.lock()
        defer { lock.unlock() }
        let key = try find() ?? make()
        var fault: Unmanaged<CFError>?
        guard let open = SecKeyCopyPublicKey(key),
              let point = SecKeyCopyExternalRepresentation(open, &fault) as Data?
        else { throw failure(fault) }
        return point
    }

    func sign(message: Data) throws -> Data {
        guard let key = try find() else { throw KeyFailure.Gone }
        var fault: Unmanaged<CFError>?
        let algorithm = SecKeyAlgorithm.ecdsaSignatureMessageX962SHA256
        guard let signature = SecKeyCreateSignature(key, algorithm, message as CFData, &fault) as Data?
        else { throw failure(fault) }
        return signature
    }

    func isHardwareBacked() -> Bool {
        true
    }

    func delete() throws {
        lock.lock()
        defer { lock.unlock() }
        let status = SecItemDelete(name() as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw failure(status) }
    }

    private func name() -> [CFString: Any] {
        [
            kSecClass: kSecClassKey,
            kSecAttrApplicationTag: tag,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
        ]
    }

    private func find() throws -> SecKey? {
        var query = name()
        query[kSecReturnRef] = true
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        if status == errSecItemNotFound { return nil }
        guard status == errSecSuccess, let found, CFGetTypeID(found) == SecKeyGetTypeID() else {
            throw failure(status)
        }
        // A conditional cast to a CoreFoundation type always succeeds; the type was looked at above.
        return (found as! SecKey)
    }

    private func make() throws -> SecKey {
        var fault: Unmanaged<CFError>?
        // After the first unlock, so that a waiting post can leave while the screen is off.
        guard let access = SecAccessControlCreateWithFlags(
            nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage, &fault
        ) else { throw failure(fault) }
        let kept: [CFString: Any] = [
            kSecAttrIsPermanent: true,
            kSecAttrApplicationTag: tag,
            kSecAttrAccessControl: access,
        ]
        let wanted: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecAttrTokenID: kSecAttrTokenIDSecureEnclave,
            kSecPrivateKeyAttrs: kept,
        ]
        guard let key = SecKeyCreateRandomKey(wanted as CFDictionary, &fault) else { throw failure(fault) }
        return key
    }

    private func failure(_ status: OSStatus) -> KeyFailure {
        status == errSecInteractionNotAllowed ? .Locked : .Failed
    }

    private func failure(_ fault: Unmanaged<CFError>?) -> KeyFailure {
        guard let error = fault?.takeRetainedValue() as Error? else { return .Failed }
        let known = error as NSError
        let locked = known.domain == LAError.errorDomain || known.code == Int(errSecInteractionNotAllowed)
        return locked ? .Locked : .Failed
    }
}
