import Foundation
import Glibc
import MailModel
import Testing

@testable import OAuth

struct LoopbackRedirectTests {
    /// A browser's connection; what it received when `text` was its last word.
    private func visit(_ port: UInt16, _ text: String) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        return descriptor
    }

    private func read(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        close(descriptor)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func silentAndStrangeVisitorsKeepNobodyWaiting() async throws {
        let redirect = try LoopbackRedirect(port: 0)
        let silent = visit(redirect.port, "")
        let garbage = visit(redirect.port, "HELO you\r\n\r\n")
        let icon = visit(redirect.port, "GET /favicon.ico HTTP/1.1\r\n\r\n")
        let browser = visit(redirect.port, "GET /?code=c HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        let found = try await redirect.wait(seconds: 60) { target throws(MailFailure) -> String? in
            target.hasPrefix("/?code") ? target : nil
        }
        #expect(found == "/?code=c")
        #expect(read(icon).hasPrefix("HTTP/1.1 404"))
        #expect(read(browser).contains("You can close this page"))
        #expect(read(garbage).isEmpty)
        close(silent)
    }

    @Test func aRefusalInTheBrowserEndsTheWait() async throws {
        let redirect = try LoopbackRedirect(port: 0)
        let browser = visit(redirect.port, "GET /?error=access_denied HTTP/1.1\r\n\r\n")
        let refused = MailFailure(.authorizationRefused, kind: .needsPerson, "No")
        let failure = await #expect(throws: MailFailure.self) {
            try await redirect.wait(seconds: 60) { _ throws(MailFailure) -> String? in throw refused }
        }
        #expect(failure == refused)
        #expect(read(browser).contains("not connected"))
    }

    @Test func aTakenPortIsNamed() throws {
        let first = try LoopbackRedirect(port: 0)
        let failure = #expect(throws: MailFailure.self) { try LoopbackRedirect(port: first.port) }
        #expect(failure?.code == .redirectPort)
    }
}
