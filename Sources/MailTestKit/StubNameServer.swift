import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A name server on a free loopback port, over UDP and TCP, that answers what a test tells it to: truly, late,
/// cut off, or with lies.
public final class StubNameServer: Sendable {
    public struct Question: Sendable, Hashable {
        public var name: String
        /// 15 is MX, 33 is SRV.
        public var kind: UInt16
        public var isTCP: Bool
    }

    public enum Record: Sendable {
        case mx(Int, String)
        case srv(priority: Int, weight: Int, port: Int, String)
        /// The name is another's alias; records stand under that one.
        case alias(String)
    }

    public enum Answer: Sendable {
        case records([Record])
        /// With the bit that says that there is more.
        case truncated
        case code(Int)
        case silence
        /// The id, the header and question as they should be, and these bytes for the rest, said to be so many
        /// records.
        case garbage(count: Int, [UInt8])
        /// These bytes and nothing else.
        case raw([UInt8])
        /// First with a wrong id, then with another question, and then as it is.
        case afterForgeries([Record])
    }

    public let port: UInt16
    private let datagrams: Int32
    private let streams: LoopbackServer
    private let answer: @Sendable (Question) -> Answer
    private let asked = Mutex<[Question]>([])

    /// - Throws: when no port can be had for both.
    public init(_ answer: @escaping @Sendable (Question) -> Answer) throws {
        self.answer = answer
        for _ in 0..<50 {
            let server = try LoopbackServer(backlog: 16)
            if let descriptor = Self.bound(to: server.port) {
                streams = server
                port = server.port
                datagrams = descriptor
                server.start(.init(serve: { descriptor, _ in self.serveStream(descriptor) }))
                Thread.detachNewThread { self.serveDatagrams() }
                return
            }
            server.start(.init(serve: { _, _ in }))
            server.stop()
        }
        throw POSIXError(.EADDRINUSE)
    }

    public func stop() {
        shutdown(datagrams, Int32(SHUT_RDWR))
        streams.stop()
    }

    public var questions: [Question] { asked.withLock { $0 } }

    /// As `[network] dns` has it.
    public var address: String { "127.0.0.1:\(port)" }

    private static func bound(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let code = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func serveDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        while true {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(datagrams, &buffer, buffer.count, 0, $0, &length)
                }
            }
            // A socket that was shut down answers with nothing, at once.
            guard count > 0 else { break }
            for message in replies(to: Array(buffer[..<count]), isTCP: false) {
                _ = withUnsafePointer(to: peer) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(datagrams, message, message.count, 0, $0, length)
                    }
                }
            }
        }
        close(datagrams)
    }

    private func serveStream(_ descriptor: Int32) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 2_048)
        while bytes.count < 2 || bytes.count < 2 + (Int(bytes[0]) << 8 | Int(bytes[1])) {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            bytes += chunk[..<count]
        }
        for message in replies(to: Array(bytes.dropFirst(2)), isTCP: true) {
            let framed = Self.number(message.count) + message
            _ = send(descriptor, framed, framed.count, Int32(MSG_NOSIGNAL))
        }
    }

    // MARK: Messages

    private func replies(to query: [UInt8], isTCP: Bool) -> [[UInt8]] {
        guard query.count > 16, let question = Self.question(query, isTCP: isTCP) else { return [] }
        asked.withLock { $0.append(question) }
        func reply(flags: UInt8 = 0, code: Int = 0, count: Int = 0, _ rest: [UInt8] = []) -> [UInt8] {
            Array(query[..<2]) + [0x81 | flags, 0x80 | UInt8(code)] + [0, 1] + Self.number(count) + [
                0, 0, 0, 0,
            ]
                + query[12...] + rest
        }
        switch answer(question) {
        case .records(let records):
            return [reply(count: records.count, Self.bytes(records, question))]
        case .truncated: return [reply(flags: 0x02)]
        case .code(let code): return [reply(code: code)]
        case .silence: return []
        case .garbage(let count, let bytes): return [reply(count: count, bytes)]
        case .raw(let bytes): return [bytes]
        case .afterForgeries(let records):
            let honest = reply(count: records.count, Self.bytes(records, question))
            let lie = reply(count: 1, Self.bytes([.mx(1, "liar.example")], question))
            var wrongID = lie
            wrongID[1] ^= 0xFF
            var wrongQuestion = lie
            wrongQuestion[13] = wrongQuestion[13] == 0x78 ? 0x79 : 0x78
            return [wrongID, wrongQuestion, Array(lie.prefix(11)), honest]
        }
    }

    private static func question(_ query: [UInt8], isTCP: Bool) -> Question? {
        var labels: [String] = []
        var at = 12
        while at < query.count, query[at] != 0 {
            let end = at + 1 + Int(query[at])
            guard end < query.count else { return nil }
            labels.append(String(decoding: query[at + 1..<end], as: UTF8.self))
            at = end
        }
        guard at + 4 < query.count else { return nil }
        return Question(
            name: labels.joined(separator: "."), kind: UInt16(query[at + 1]) << 8 | UInt16(query[at + 2]),
            isTCP: isTCP)
    }

    private static func bytes(_ records: [Record], _ question: Question) -> [UInt8] {
        // The question's own name, by a pointer to it.
        var owner: [UInt8] = [0xC0, 12]
        var bytes: [UInt8] = []
        for record in records {
            let (kind, data): (UInt16, [UInt8]) =
                switch record {
                case .mx(let preference, let host): (15, number(preference) + name(host))
                case .srv(let priority, let weight, let port, let host):
                    (33, number(priority) + number(weight) + number(port) + name(host))
                case .alias(let target): (5, name(target))
                }
            bytes += owner + number(Int(kind)) + [0, 1, 0, 0, 0, 60] + number(data.count) + data
            if case .alias(let target) = record { owner = name(target) }
        }
        return bytes
    }

    private static func name(_ host: String) -> [UInt8] {
        host.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func number(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }
}
