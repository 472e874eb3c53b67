import Foundation
import MailModel
import MailTestKit
import Testing

@testable import MailTransport

/// Access tokens at the door of an SMTP server; those at IMAP's are polled with in WorkerTests.
struct BearerSignInTests {
    /// What comes before AUTH: libcurl's EHLO and then ours.
    private static func greeting(_ mechanisms: String) -> [IMAPScript.Step] {
        let capabilities: [IMAPScript.Step] = [
            .expect(""), .send("250-mail.example"), .send("250-AUTH \(mechanisms)"), .send("250 SIZE 1000"),
        ]
        return [.send("220 mail.example")] + capabilities + capabilities
    }

    private static func response(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private func signIn(
        _ steps: [IMAPScript.Step], timeoutSeconds: Int = 20
    ) async throws -> (MailFailure?, ScriptedIMAPServer) {
        let server = try ScriptedIMAPServer(IMAPScript(steps))
        let settings = ConnectionSettings(
            endpoint: ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none),
            login: "anna,=@firma.example", secret: Secret("marker-token"), authentication: .accessToken,
            timeoutSeconds: timeoutSeconds, allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        do throws(MailFailure) {
            _ = try await NetworkLoop().connect(settings, .smtp)
            return (nil, server)
        } catch {
            return (error, server)
        }
    }

    @Test(arguments: [
        ("535 5.7.8 Username and Password not accepted", "token-refused", FailureKind.credential),
        ("454 4.7.0 Temporary authentication failure", "server-busy", .transient),
        ("504 5.5.4 Unrecognized authentication type", "token-refused", .credential),
        ("421 4.7.0 Too many connections", "too-many-connections", .transient),
    ])
    func aRefusalIsReadFromTheServersWords(reply: String, code: String, kind: FailureKind) async throws {
        let (failure, server) = try await signIn(
            Self.greeting("XOAUTH2") + [.expect("XOAUTH2"), .send(reply)])
        defer { server.stop() }
        #expect(failure?.code.rawValue == code)
        #expect(failure?.kind == kind)
        #expect(failure?.revealed.contains("marker") == false)
    }

    @Test func aServerThatRepeatsTheTokenIsNotQuoted() async throws {
        let sent = Self.response("user=anna,=@firma.example\u{1}auth=Bearer marker-token\u{1}\u{1}")
        for words in ["marker-token", sent, "AUTH XOAUTH2 \(sent.prefix(20))"] {
            let (failure, server) = try await signIn(
                Self.greeting("XOAUTH2") + [.expect("XOAUTH2"), .send("501 5.5.4 what is \(words)")])
            defer { server.stop() }
            #expect(failure?.code == .tokenRefused)
            #expect(failure?.detail == "127.0.0.1:\(server.port)")
        }
    }

    @Test func theDescriptionOfAnErrorIsAnsweredBeforeTheRefusal() async throws {
        for (mechanism, answer) in [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")] {
            let (failure, server) = try await signIn(
                Self.greeting(mechanism) + [
                    .expect(mechanism), .send("334 eyJzdGF0dXMiOiI0MDAifQ=="), .expect(""),
                    .send("535 5.7.8 no"),
                ])
            defer { server.stop() }
            #expect(failure?.code == .tokenRefused)
            #expect(server.received.last == answer)
        }
    }

    @Test func anEndlessReplyEndsTheSignIn() async throws {
        let (failure, server) = try await signIn(
            [.send("220 hi"), .expect(""), .send("250 hi"), .expect("")]
                + [.repeatBytes(Array("250-more\r\n".utf8), 100_000)])
        defer { server.stop() }
        #expect(failure?.code == .notAMailServer)
    }

    /// The limit of time is for a wait without end.
    @Test(.timeLimit(.minutes(5)))
    func whoeverSendsAByteNowAndThenIsNotWaitedForBeyondTheTimeout() async throws {
        for steps in [
            Self.greeting("XOAUTH2").dropLast(3) + [.drip([0x32], everyMilliseconds: 300)],
            Self.greeting("XOAUTH2") + [.expect("XOAUTH2"), .drip([0x33], everyMilliseconds: 300)],
        ] {
            let (failure, server) = try await signIn(Array(steps), timeoutSeconds: 2)
            defer { server.stop() }
            #expect(failure?.code == .timedOut)
        }
    }

    @Test func theMechanismsSayWhoAndWithWhat() async throws {
        let bearer =
            "n,a=anna=2C=3D@firma.example,\u{1}host=127.0.0.1\u{1}port=PORT\u{1}auth=Bearer marker-token\u{1}\u{1}"
        let xoauth2 = "user=anna,=@firma.example\u{1}auth=Bearer marker-token\u{1}\u{1}"
        for (offered, mechanism, text) in [
            ("LOGIN XOAUTH2 OAUTHBEARER", "OAUTHBEARER", bearer), ("PLAIN XOAUTH2", "XOAUTH2", xoauth2),
            ("PLAIN", "XOAUTH2", xoauth2),
        ] {
            let (failure, server) = try await signIn(
                Self.greeting(offered) + [.expect(mechanism), .send("235 2.7.0 welcome")])
            defer { server.stop() }
            #expect(failure == nil)
            let expected = text.replacingOccurrences(of: "PORT", with: "\(server.port)")
            #expect(server.received.last == "AUTH \(mechanism) \(Self.response(expected))")
        }
    }

    @Test func aRequestEndsWithItsTaskOrItsLoop() async throws {
        let server = try ScriptedIMAPServer(IMAPScript([.stall]))
        defer { server.stop() }
        var request = HTTPRequest(url: "http://127.0.0.1:\(server.port)/")
        request.allowedNetworks = try NetworkAllowList(["127.0.0.0/8"])
        request.timeoutSeconds = 3_600
        let loop = try NetworkLoop()
        for isCancelled in [true, false] {
            let task = Task { [request] in try await loop.send(request) }
            await server.wait { $0 == .stalled }
            if isCancelled { task.cancel() } else { loop.shutDown() }
            let failure = await #expect(throws: MailFailure.self) { try await task.value }
            #expect(failure?.code == (isCancelled ? .cancelled : .channelClosed))
        }
    }

    @Test func aRequestShowsNothingWhenPrinted() {
        let request = HTTPRequest(url: "https://marker.example/", form: [("marker", Secret("marker"))])
        var dumped = ""
        dump(request, to: &dumped)
        #expect(!"\(request) \(String(reflecting: request)) \(dumped)".contains("marker"))
    }

    @Test(arguments: [
        "ftp://h/", "https://", "https://user@h/", "https://h:99999/", "https://h\r\nX: y/", "h",
        "https://h \u{2028}/",
    ])
    func anAddressThatIsNoWebServiceIsRefused(url: String) async throws {
        let loop = try NetworkLoop()
        let failure = await #expect(throws: MailFailure.self) { try await loop.send(HTTPRequest(url: url)) }
        #expect(failure?.code == .badSettings)
    }
}
