import Foundation
import Glibc
public import MailModel

/// A listener on the loopback interface that the browser is sent back to (RFC 8252, 7.3).
///
/// Takes requests one after the other in any order of arrival, so that a connection which a browser
/// opens ahead and leaves silent keeps nobody waiting, and answers each with a page of its own.
public final class LoopbackRedirect: Sendable {
    public let port: UInt16
    private let listener: Int32

    /// - Parameter port: 0 takes a free one.
    /// - Throws: `redirect-port` when it is taken.
    public init(port wanted: UInt16) throws(MailFailure) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = wanted.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isOpen else {
            if listener >= 0 { close(listener) }
            throw MailFailure(
                .redirectPort, kind: .needsPerson, "The port for the browser's answer cannot be opened",
                detail: "127.0.0.1:\(wanted)",
                remedy: "End the program that uses it, or set another redirect_port.")
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }

    /// Waits for the request that `read` recognizes.
    ///
    /// - Parameter read: gets a request's path and query; nil means that it is somebody else's.
    /// - Throws: what `read` throws; `authorization-refused` after the time is up.
    public func wait<Value: Sendable>(
        seconds: Int, for read: @escaping @Sendable (String) throws(MailFailure) -> Value?
    ) async throws(MailFailure) -> Value {
        let result = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: self.serve(seconds: seconds, read))
            }
        }
        return try result.get()
    }

    private static let openAtOnce = 32
    private static let requestBytes = 32 << 10

    private func serve<Value>(
        seconds: Int, _ read: (String) throws(MailFailure) -> Value?
    ) -> Result<Value, MailFailure> {
        let end = ContinuousClock.now + .seconds(seconds)
        var visitors: [(descriptor: Int32, bytes: [UInt8])] = []
        defer { for visitor in visitors { close(visitor.descriptor) } }
        while true {
            let left = ContinuousClock.now.duration(to: end).components.seconds
            guard left > 0 else { return .failure(Self.nobodyCame) }
            var polled = ([listener] + visitors.map(\.descriptor)).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&polled, nfds_t(polled.count), Int32(left) * 1000) > 0 else { continue }
            // From the end, so that the places of the others stay.
            for index in visitors.indices.reversed() where polled[index + 1].revents != 0 {
                var chunk = [UInt8](repeating: 0, count: 4_096)
                let count = recv(visitors[index].descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
                if count > 0 { visitors[index].bytes += chunk[..<count] }
                let visitor = visitors[index]
                let isComplete = Self.isComplete(visitor.bytes)
                guard count <= 0 || isComplete || visitor.bytes.count > Self.requestBytes else { continue }
                visitors.remove(at: index)
                defer { close(visitor.descriptor) }
                guard isComplete, let target = Self.target(visitor.bytes) else { continue }
                do throws(MailFailure) {
                    guard let value = try read(target) else {
                        Self.answer(visitor.descriptor, "404 Not Found", "This is not the page you look for.")
                        continue
                    }
                    Self.answer(
                        visitor.descriptor, "200 OK",
                        "The mailbox is being connected. You can close this page.")
                    return .success(value)
                } catch {
                    Self.answer(visitor.descriptor, "200 OK", "The mailbox was not connected.")
                    return .failure(error)
                }
            }
            if polled[0].revents != 0 {
                let visitor = accept(listener, nil, nil)
                if visitor >= 0 {
                    visitors.append((visitor, []))
                    // The oldest silent ones give way.
                    if visitors.count > Self.openAtOnce { close(visitors.removeFirst().descriptor) }
                }
            }
        }
    }

    private static func isComplete(_ bytes: [UInt8]) -> Bool {
        bytes.contains(UInt8(ascii: "\n"))
            && (bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) || bytes.suffix(2).elementsEqual("\n\n".utf8))
    }

    /// The target of a GET (RFC 9112, 3.2.1).
    private static func target(_ bytes: [UInt8]) -> String? {
        let line = String(decoding: bytes.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "GET", words[1].hasPrefix("/") else { return nil }
        return String(words[1])
    }

    private static func answer(_ descriptor: Int32, _ status: String, _ text: String) {
        let page = "<!doctype html><meta charset=utf-8><title>mailworker</title><p>\(text)</p>\n"
        let response = Array(
            ("HTTP/1.1 \(status)\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: \(page.utf8.count)"
                + "\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n\(page)")
                .utf8)
        // A page that does not arrive changes nothing.
        _ = Glibc.send(descriptor, response, response.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    private static let nobodyCame = MailFailure(
        .authorizationRefused, kind: .needsPerson, "Nobody has allowed the access in time",
        remedy: "Run the command again; when the browser runs on another machine, add --paste or --device.")
}

extension MailFailure.Code {
    /// The loopback port for the browser's answer is taken.
    public static let redirectPort = Self("redirect-port")
}
