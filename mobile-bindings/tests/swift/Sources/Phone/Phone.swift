// What a shell brings: a vault, a key, and the folder to open the core in.

import Foundation
import RenrakuCore

public let password = "asa-no-sanpo-7ji"

/// Stands where the Keychain is: one file a secret, whole or not there.
public final class FolderVault: Vault {
    private let folder: URL

    public init(_ folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.folder = folder
    }

    private func file(_ name: String) -> URL {
        folder.appendingPathComponent(name.utf8.map { String(format: "%02x", $0) }.joined())
    }

    public func load(name: String) throws -> Data? {
        guard FileManager.default.fileExists(atPath: file(name).path) else { return nil }
        guard let secret = try? Data(contentsOf: file(name)) else { throw VaultFailure.Failed }
        return secret
    }

    public func store(name: String, secret: Data) throws {
        do {
            try secret.write(to: file(name), options: .atomic)
        } catch {
            throw VaultFailure.Failed
        }
    }

    public func remove(name: String) throws {
        try? FileManager.default.removeItem(at: file(name))
    }
}

/// Stands where the Secure Enclave is. Linux has none, nor Security's cryptography: the stage holds the key and signs.
public final class Chip: DeviceKey {
    private let stage: Stage
    private let name: String

    public init(_ stage: Stage, name: String) {
        self.stage = stage
        self.name = name
    }

    private func ask(_ question: String) throws -> Data {
        guard let hex = try? stage.ask(question)["hex"] else { throw KeyFailure.Failed }
        let digits = Array(hex.utf8)
        return Data(
            stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)! })
    }

    public func publicKey() throws -> Data { try ask("chip \(name)") }

    public func sign(message: Data) throws -> Data {
        try ask("sign \(name) \(message.map { String(format: "%02x", $0) }.joined())")
    }

    public func isHardwareBacked() -> Bool { true }

    public func delete() throws {}
}

/// Opens the core in this folder, as a shell does when its process starts.
public func open(_ folder: URL, _ stage: Stage) async throws -> RenrakuDevice {
    let roots = try String(contentsOfFile: try stage.ask("town")["roots"]!, encoding: .utf8)
    let vault = try FolderVault(folder.appendingPathComponent("vault"))
    return try await RenrakuDevice.open(
        folder: folder.appendingPathComponent("app").path, vault: vault,
        key: Chip(stage, name: folder.lastPathComponent), extraRoots: roots)
}

public func form(_ town: [String: String], number: String, password: String) -> EnrolmentForm {
    EnrolmentForm(
        publicUrl: town["public_url"]!, slug: town["slug"]!, number: number, password: password,
        deviceName: "訪問用スマホ", platform: .ios)
}

extension RenrakuDevice {
    /// Enrols with a new No and password of the office.
    @discardableResult
    public func enrol(_ stage: Stage) async throws -> Municipality {
        let ticket = try stage.ask("ticket")
        return try await certificate().enrol(
            form: form(try stage.ask("town"), number: ticket["number"]!, password: ticket["password"]!))
    }

    /// A newcomer's first sign-in, with the change of the first password.
    public func firstSignIn(_ stage: Stage) async throws -> RenrakuSession {
        let newcomer = try stage.ask("newcomer")
        let first = newcomer["first_password"]!
        let session = try await signIn(loginId: newcomer["login_id"]!, password: first)
        try await session.changePassword(current: first, new: password)
        return session
    }
}

public func draft(_ stage: Stage, _ body: String, _ kind: MediaKind? = nil) throws -> PostDraft {
    let town = try stage.ask("town")
    let path = kind == .video ? town["film"]! : town["photo"]!
    let files = kind.map { [AttachmentFile(kind: $0, path: path, description: "左踵")] } ?? []
    return PostDraft(
        patientId: town["patient"]!, body: body, urgent: false, bodySite: nil, attachments: files,
        keepAsDraft: false)
}
