import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A web server on a free loopback port, over plain HTTP, that has the pages a test gives it.
public final class StubWebServer: Sendable {
    public struct Page: Sendable {
        public var status: Int
        public var body: String
        /// Further header lines, each with its CRLF.
        public var headers: String

        public init(_ body: String, status: Int = 200, headers: String = "") {
            self.status = status
            self.body = body
            self.headers = headers
        }
    }

    public let port: UInt16
    private let server: LoopbackServer
    private let asked = Mutex<[String]>([])

    /// - Parameter pages: by path; every other path is answered with 404.
    /// - Throws: when no port can be had.
    public init(_ pages: [String: Page]) throws {
        server = try LoopbackServer(backlog: 16)
        port = server.port
        server.start(
            .init(serve: { descriptor, _ in
                guard let path = Self.path(from: descriptor) else { return }
                self.asked.withLock { $0.append(path) }
                let page = pages[path] ?? Page("nothing here", status: 404)
                let answer = Array(
                    ("HTTP/1.1 \(page.status) Answer\r\n\(page.headers)Content-Length: \(page.body.utf8.count)\r\n"
                        + "Connection: close\r\n\r\n\(page.body)").utf8)
                _ = send(descriptor, answer, answer.count, Int32(MSG_NOSIGNAL))
            }))
    }

    public func stop() { server.stop() }

    /// The paths that were asked for.
    public var paths: [String] { asked.withLock { $0 } }

    private static func path(from descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
        }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 2)
        return words.count == 3 ? String(words[1]) : nil
    }
}
