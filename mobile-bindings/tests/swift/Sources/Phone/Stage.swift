// The town around the phones (`tests/tests/shells`): asked one line, it answers one line.

import Foundation
#if canImport(Glibc)
import Glibc
private let stream = Int32(SOCK_STREAM.rawValue)
#else
import Darwin
private let stream = SOCK_STREAM
#endif

public struct Refusal: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }
}

public final class Stage: @unchecked Sendable {
    private let connection: FileHandle
    private let lock = NSLock()

    public init(port: UInt16) throws {
        let descriptor = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let answer = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard answer == 0 else { throw Refusal(description: "there is no stage at port \(port)") }
        connection = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    @discardableResult
    public func ask(_ question: String) throws -> [String: String] {
        lock.lock()
        defer { lock.unlock() }
        try connection.write(contentsOf: Data("\(question)\n".utf8))
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            guard let next = try connection.read(upToCount: 1), !next.isEmpty else {
                throw Refusal(description: "the stage is gone")
            }
            line += next
        }
        var fields: [String: String] = [:]
        for field in String(decoding: line.dropLast(), as: UTF8.self).split(separator: "\t") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
        }
        if let error = fields["error"] { throw Refusal(description: "\(question): \(error)") }
        return fields
    }
}
