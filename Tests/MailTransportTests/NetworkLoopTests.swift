import Foundation
import MailModel
import MailTestKit
import Testing

@testable import MailTransport

/// The loop against scripted servers: what is opened, what ends a wait, and what never reaches the wire.
@Suite struct NetworkLoopTests {
    static func settings(
        port: UInt16, host: String = "127.0.0.1", security: TransportSecurity = .none, timeout: Int = 20,
        allow: [String] = ["127.0.0.0/8"], login: String = "user@example.test",
        secret: String = "marker-secret",
        proxy: String? = nil
    ) throws -> ConnectionSettings {
        ConnectionSettings(
            endpoint: ServerEndpoint(host: host, port: port, security: security), login: login,
            secret: Secret(secret), proxy: proxy, timeoutSeconds: timeout,
            allowedNetworks: try NetworkAllowList(allow))
    }

    func failure<Value>(_ body: () async throws -> Value) async -> MailFailure.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? MailFailure)?.code
        }
    }

    @Test func anAddressThatIsNotListedIsNotEvenConnectedTo() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.opening(capabilities: "IMAP4rev1")]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        for security in TransportSecurity.allCases {
            let settings = try Self.settings(port: server.port, security: security, allow: ["10.0.0.0/8"])
            let code = await failure { try await loop.connect(settings, .imap) }
            #expect(code == .addressNotAllowed)
            // A name that leads there is no way around.
            let named = try Self.settings(
                port: server.port, host: "localhost", security: security, allow: ["10.0.0.0/8"])
            #expect(await failure { try await loop.connect(named, .imap) } == .addressNotAllowed)
        }
        #expect(server.events.isEmpty)
    }

    @Test(arguments: [
        "", "a b", "h/path", "user@h", "h?x", "h#x", "h:1\r\nX", "h%00", String(repeating: "h", count: 300),
    ])
    func aHostThatWouldChangeTheURLIsRefused(_ host: String) async throws {
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: 143, host: host)
        #expect(await failure { try await loop.connect(settings, .imap) } == .unknownHost)
    }

    @Test func aLineBreakInLoginOrPasswordIsRefused() async throws {
        let loop = try NetworkLoop()
        for (login, secret) in [("u\r\nA1 DELETE x", "p"), ("u", "p\nx"), ("", "p"), ("u\0", "p")] {
            let settings = try Self.settings(port: 143, login: login, secret: secret)
            #expect(await failure { try await loop.connect(settings, .imap) } == .badSettings)
        }
    }

    @Test func anUnsupportedProxyIsRefused() async throws {
        let loop = try NetworkLoop()
        for proxy in ["ftp://h:1", "h:1", "socks5://h :1", "https://h:1", ""] {
            let settings = try Self.settings(port: 143, proxy: proxy)
            #expect(await failure { try await loop.connect(settings, .imap) } == .badSettings)
        }
    }

    @Test func behindAProxyNothingIsSpokenToWithoutTLS() async throws {
        let proxy = try ScriptedIMAPServer(IMAPScript([.expect("CONNECT"), .stall]))
        defer { proxy.stop() }
        let loop = try NetworkLoop()
        for host in ["mail.firma.example", "127.0.0.1"] {
            let settings = try Self.settings(
                port: 143, host: host, security: .none, proxy: "http://127.0.0.1:\(proxy.port)")
            #expect(await failure { try await loop.connect(settings, .imap) } == .addressNotAllowed)
        }
        #expect(proxy.events.isEmpty)
    }

    @Test(arguments: [
        "192.168.1.5", "127.0.0.1", "localhost", "LOCALHOST.", "mail.localhost", "127.1", "0x7f000001",
        "2130706433", "017700000001", "::1", "fd00::5", "::ffff:10.0.0.1",
    ])
    func aProxyIsNoWayToAddressesThatAreNotListed(host: String) async throws {
        let proxy = try ScriptedIMAPServer(IMAPScript([.expect("CONNECT"), .stall]))
        defer { proxy.stop() }
        // The proxy itself is listed, the server is not.
        var settings = try Self.settings(
            port: 993, host: host, security: .tls, allow: ["127.0.0.2"],
            proxy: "http://127.0.0.1:\(proxy.port)")
        settings.timeoutSeconds = 5
        let loop = try NetworkLoop()
        #expect(await failure { try await loop.connect(settings, .imap) } == .addressNotAllowed)
        #expect(proxy.events.isEmpty)
    }

    @Test func namesAndPublicAddressesBehindAProxyAreLeftToIt() async throws {
        for host in ["mail.firma.example", "8.8.8.8", "localhost.firma.example"] {
            let settings = try Self.settings(
                port: 993, host: host, security: .tls, proxy: "http://p.example:1")
            #expect(throws: Never.self) { try settings.validate() }
        }
    }

    @Test func aPortThatNobodyListensOnIsRefused() async throws {
        // Taken, so that nobody else comes to listen on it.
        let taken = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(taken) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try #require(bind(taken, $0, size) == 0 && getsockname(taken, $0, &size) == 0)
            }
        }
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: UInt16(bigEndian: address.sin_port))
        #expect(await failure { try await loop.connect(settings, .imap) } == .connectionRefused)
    }

    /// A server that greets and offers Kerberos; what follows its refusal is the rest.
    private static func offeringKerberos(_ rest: IMAPScript.Step...) -> IMAPScript {
        IMAPScript(
            [
                .send("* OK hi"), .expect("CAPABILITY"),
                .send("* CAPABILITY IMAP4rev1 AUTH=GSSAPI AUTH=PLAIN"), .send("$T OK done"),
            ] + rest)
    }

    @Test func kerberosThatIsOfferedInVainGivesWayToThePassword() async throws {
        let server = try ScriptedIMAPServer(
            Self.offeringKerberos(
                .expect("AUTHENTICATE GSSAPI"), .send("$T NO GSSAPI authentication failed")),
            Self.offeringKerberos(
                .expect("AUTHENTICATE PLAIN"), .send("+ "), .expect(""), .send("$2 OK welcome")))
        defer { server.stop() }
        let loop = try NetworkLoop()
        _ = try await loop.connect(try Self.settings(port: server.port), .imap)
        #expect(server.violations.isEmpty)
    }

    @Test func withoutATicketThePasswordDoesThoughKerberosIsOffered() async throws {
        // With SASL-IR the attempt fails in libcurl, before a word of it is sent.
        let offer = [
            IMAPScript.Step.send("* OK hi"), .expect("CAPABILITY"),
            .send("* CAPABILITY IMAP4rev1 SASL-IR AUTH=GSSAPI AUTH=PLAIN"), .send("$T OK done"),
        ]
        let server = try ScriptedIMAPServer(
            IMAPScript(offer), IMAPScript(offer + [.expect("AUTHENTICATE PLAIN "), .send("$T OK welcome")]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        _ = try await loop.connect(try Self.settings(port: server.port), .imap)
        #expect(server.violations.isEmpty)
    }

    @Test func aWrongPasswordIsTriedOnceThoughKerberosIsOffered() async throws {
        let server = try ScriptedIMAPServer(
            Self.offeringKerberos(
                .expect("AUTHENTICATE GSSAPI"), .send("+ "), .expect(""), .send("$2 NO no ticket"),
                .stall))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: server.port)
        #expect(await failure { try await loop.connect(settings, .imap) } == .loginRefused)
        #expect(server.events.count { $0 == .accepted } == 1)
        let second = try ScriptedIMAPServer(
            Self.offeringKerberos(.expect("AUTHENTICATE GSSAPI"), .send("$T NO no")),
            Self.offeringKerberos(
                .expect("AUTHENTICATE PLAIN"), .send("+ "), .expect(""), .send("$2 NO wrong")))
        defer { second.stop() }
        let again = try Self.settings(port: second.port)
        #expect(await failure { try await loop.connect(again, .imap) } == .loginRefused)
        #expect(second.received.count { $0.contains(" AUTHENTICATE PLAIN") } == 1)
    }

    @Test(arguments: [
        "BAD unknown command LOGIN user@example.test marker-secret", "NO 'marker-secret' is not right",
        "NO AGFubmFAZXhhbXBsZS50ZXN0AG1hcmtlci1zZWNyZXQ= is not right",
        "NO not right: bWFya2VyLXNlY3JldA==", "BAD line too long: bWFya2VyLXNl…", "NO marker-se…",
    ])
    func aServerThatRepeatsThePasswordIsNotQuoted(words: String) async throws {
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .send("* OK hi"), .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1"), .send("$T OK done"),
                .expect("LOGIN"), .send("$T \(words)"),
            ]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: server.port, login: "anna@example.test")
        do {
            _ = try await loop.connect(settings, .imap)
            Issue.record("was let in")
        } catch {
            #expect(error.code == .loginRefused)
            #expect(error.detail == "127.0.0.1:\(server.port)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func aDeadlineOfItsOwnIsKeptToThoughTheOneBeforeItWasLater() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let channel = try await loop.connect(Self.settings(port: server.port, timeout: 3_600), .imap)
        for _ in 0..<2 { #expect(await failure { try await channel.receive(within: 1) } == .timedOut) }
    }

    @Test func aReceiveEndsAtItsDeadline() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let channel = try await loop.connect(Self.settings(port: server.port, timeout: 2), .imap)
        #expect(await failure { try await channel.receive() } == .timedOut)
    }

    @Test func anOpeningEndsAtItsDeadlineAndSaysHowFarItCame() async throws {
        let server = try ScriptedIMAPServer(
            IMAPScript([.send("* OK ready"), .expect("CAPABILITY"), .stall]), IMAPScript([.stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        var details: [String] = []
        for _ in 0..<2 {
            do {
                _ = try await loop.connect(Self.settings(port: server.port, timeout: 1), .imap)
            } catch {
                details.append((error as? MailFailure)?.detail ?? "")
            }
        }
        #expect(details.count == 2)
        #expect(details.first?.hasSuffix("while signing in") == true, "\(details)")
        #expect(details.last?.hasSuffix("while waiting for the greeting") == true)
    }

    @Test(.timeLimit(.minutes(5))) func whatIsAskedIsSentWholeBeforeTheAnswerIsWaitedFor() async throws {
        let words = Array("A2 ".utf8) + [UInt8](repeating: 0x41, count: 1 << 20)
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .opening(capabilities: "IMAP4rev1"), .expect("AAAA"),
                .send("* BAD too long"), .stall,
            ]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let channel = try await loop.connect(Self.settings(port: server.port), .imap)
        let first = try await channel.ask(Array("A1 CAPABILITY\r\n".utf8)).bytes
        #expect(String(decoding: first, as: UTF8.self).hasPrefix("* CAPABILITY IMAP4rev1\r\n"))
        let second = try await channel.ask(words + [0x0D, 0x0A]).bytes
        #expect(String(decoding: second, as: UTF8.self) == "* BAD too long\r\n")
        #expect(server.received.last?.hasSuffix("AAAA") == true)
        #expect(await failure { try await channel.ask([0x41], within: 1) } == .timedOut)
        let asking = Task { try await channel.ask([0x41]) }
        asking.cancel()
        #expect(await failure { try await asking.value } == .cancelled)
        channel.close()
        #expect(await failure { try await channel.ask([0x41]) } == .channelClosed)
    }

    @Test(.timeLimit(.minutes(1))) func whoeverTakesNothingIsNotAskedForLong() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let channel = try await loop.connect(Self.settings(port: server.port, timeout: 1), .imap)
        // More than the sockets' buffers can hold.
        let words = [UInt8](repeating: 0x41, count: 64 << 20)
        #expect(await failure { try await channel.ask(words, within: 3_600) } == .timedOut)
        // It is not known how much of it went out.
        channel.close()
    }

    @Test func cancellingATaskEndsItsWaitAtOnce() async throws {
        let server = try ScriptedIMAPServer(
            IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall]), IMAPScript([.stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: server.port, timeout: 3_600)
        // In a receive, in an opening, and before either has begun.
        let channel = try await loop.connect(settings, .imap)
        let receiving = Task { try await channel.receive() }
        receiving.cancel()
        #expect(await failure { try await receiving.value } == .cancelled)
        let opening = Task { try await loop.connect(settings, .imap) }
        await server.wait { $0 == .stalled }
        opening.cancel()
        #expect(await failure { try await opening.value } == .cancelled)
    }

    @Test func closingOrShuttingDownEndsEveryWait() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.opening(capabilities: "IMAP4rev1"), .stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let settings = try Self.settings(port: server.port)
        let channel = try await loop.connect(settings, .imap)
        channel.close()
        #expect(await failure { try await channel.receive() } == .channelClosed)
        let other = try await loop.connect(settings, .imap)
        loop.shutDown()
        #expect(await failure { try await other.receive() } == .channelClosed)
        #expect(await failure { try await loop.connect(settings, .imap) } == .channelClosed)
    }

    @Test func nothingIsReadThatNobodyAskedFor() async throws {
        // More than the sockets' buffers can hold: the server can only finish when the client reads.
        let total = 64 << 20
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .opening(capabilities: "IMAP4rev1"),
                .repeatBytes([UInt8](repeating: 0x41, count: 65_536), total / 65_536),
                .close,
            ]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let channel = try await loop.connect(Self.settings(port: server.port), .imap)
        try await channel.send(Array("A1 CAPABILITY\r\n".utf8))
        var received = 0
        var largest = 0
        var isFirst = true
        while true {
            let chunk = try await channel.receive().bytes
            if chunk.isEmpty { break }
            if isFirst { #expect(!server.events.contains(.ended)) }
            isFirst = false
            received += chunk.count
            largest = max(largest, chunk.count)
        }
        #expect(received >= total)
        #expect(largest <= 256 << 10)
    }

    @Test func nothingPersonalIsInADescription() throws {
        let settings = try Self.settings(
            port: 143, host: "marker-host", login: "marker-login", proxy: "socks5://marker:marker@h:1")
        #expect(!"\(settings)".contains("marker"))
        #expect(!String(reflecting: settings).contains("marker"))
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("marker"))
    }
}
