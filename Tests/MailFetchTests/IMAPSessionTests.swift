import Foundation
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Synchronization
import Testing

/// What a transcript cannot show: pipelining, back-pressure, cancellation, several sessions.
@Suite struct IMAPSessionTests {
    func connect(
        _ server: ScriptedIMAPServer, _ loop: NetworkLoop, timeout: Int = 20, trace: WireTrace? = nil
    ) async throws -> IMAPSession {
        try await IMAPSession.connect(
            ConnectionSettings(
                endpoint: ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none),
                login: "marker-login", secret: Secret("marker-secret"), timeoutSeconds: timeout,
                allowedNetworks: NetworkAllowList(["127.0.0.0/8"])), loop: loop, trace: trace)
    }

    static func message(_ uid: Int) -> IMAPScript.Step {
        .sendBytes(Array("* \(uid) FETCH (UID \(uid) BODY[] {3}\r\nabc)\r\n".utf8))
    }

    static func batches(_ count: UInt32) -> [UIDSet] { (1...count).map { UIDSet([UID($0)]) } }

    @Test func whatIsAskedAtTheBeginningCostsNoRoundTripsOfItsOwn() async throws {
        // The server answers a question only after it has seen those that come along: else this hangs.
        let capability: [IMAPScript.Step] = [
            .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1 ID NAMESPACE ENABLE QRESYNC"),
            .send("$T OK done"),
        ]
        let server = try ScriptedIMAPServer(
            IMAPScript(
                [.send("* OK hi")] + capability + [.expect("LOGIN"), .send("$T OK welcome")] + capability + [
                    .expect("ID"), .expect("NAMESPACE"), .expect("ENABLE QRESYNC"), .expect("LIST"),
                    .send("$4 OK done"), .send("* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL"),
                    .send("$5 OK done"),
                    .send("* ENABLED QRESYNC"), .send("$6 OK done"),
                    .send("* LIST () \".\" INBOX"), .send("* LIST () \".\" INBOX.Sent"),
                    .send("$7 OK done"),
                    .expect("EXAMINE \"INBOX.Sent\""), .expect("UID SEARCH ALL"),
                    .send("* 2 EXISTS"), .send("* OK [UIDVALIDITY 7] valid"), .send("$8 OK done"),
                    .send("* SEARCH 3 9"), .send("$9 OK done"),
                ]))
        defer { server.stop() }
        let session = try await connect(server, NetworkLoop())
        let sent = try #require(try await session.folders().first { $0.role == .sent })
        let state = try await session.examine(sent, listing: true)
        #expect(state.listed == FolderListing(UIDSet([UID(3), UID(9)])))
        #expect(state.exists == 2)
        #expect(server.violations.isEmpty)
    }

    @Test(arguments: [(0, "NO no messages"), (0, "BAD empty"), (2, "NO no")])
    func aRefusedSearchIsNoTroubleInAnEmptyFolder(exists: Int, words: String) async throws {
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .opening(capabilities: "IMAP4rev1"), .expect("LIST"), .send("* LIST () \".\" INBOX"),
                .send("$T OK done"), .expect("EXAMINE"), .expect("UID SEARCH ALL"),
                .send("* \(exists) EXISTS"), .send("* OK [UIDVALIDITY 7] valid"), .send("$2 OK done"),
                .send("$3 \(words)"),
            ]))
        defer { server.stop() }
        let session = try await connect(server, NetworkLoop())
        let inbox = try #require(try await session.folders().first)
        if exists == 0 {
            let state = try await session.examine(inbox, listing: true)
            #expect(state.listed == FolderListing() && state.exists == 0)
        } else {
            await #expect(throws: MailFailure.self) { try await session.examine(inbox, listing: true) }
        }
        #expect(server.violations.isEmpty)
    }

    @Test func aRefusedBatchDoesNotStopTheOthersAndTheServerNeverWaits() async throws {
        // The server answers the first only after it has seen the second: without pipelining this hangs.
        let server = try ScriptedIMAPServer(
            .examined([
                .expect("UID FETCH 1 "), .expect("UID FETCH 2 "), Self.message(1), .send("$2 OK done"),
                .expect("UID FETCH 3 "), .send("$3 NO [SERVERBUG] no"), .expect("UID FETCH 4 "),
                Self.message(3),
                .send("$4 OK done"), .send("$5 OK done"),
            ]))
        defer { server.stop() }
        let session = try await connect(server, NetworkLoop())
        _ = try await session.examine(.inbox)
        let delivered = Mutex<[UInt32]>([])
        let report = try await session.fetch(Self.batches(4), pipelineDepth: 2) {
            (message) throws(MailFailure) in
            delivered.withLock { $0.append(message.uid.rawValue) }
        }
        #expect(delivered.withLock { $0 } == [1, 3])
        #expect(report.delivered == 2)
        #expect(report.refused.map(\.uids.sequenceSet) == ["2"])
        #expect(report.refused.first?.failure.code == .commandRefused)
        #expect(report.missing.sequenceSet == "4")
        #expect(server.violations.isEmpty)
    }

    @Test func aFailureToStoreEndsTheFetchAndTheSession() async throws {
        let server = try ScriptedIMAPServer(
            .examined([.expect("UID FETCH 1:3"), Self.message(1), Self.message(2), .send("$T OK done")]))
        defer { server.stop() }
        let session = try await connect(server, NetworkLoop())
        _ = try await session.examine(.inbox)
        let full = MailFailure(.init("disk-full"), kind: .transient, "full")
        var count = 0
        do {
            _ = try await session.fetch([UIDSet(ranges: [1...3])]) { (_) throws(MailFailure) in
                count += 1
                throw full
            }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error == full)
        }
        #expect(count == 1)
        await #expect(throws: MailFailure.self) { try await session.noop() }
    }

    @Test func cancellingTheTaskEndsAFetchAtOnce() async throws {
        let server = try ScriptedIMAPServer(.examined([.expect("UID FETCH"), .stall]))
        defer { server.stop() }
        let loop = try NetworkLoop()
        let task = Task {
            let session = try await connect(server, loop, timeout: 3_600)
            _ = try await session.examine(.inbox)
            _ = try await session.fetch([UIDSet(ranges: [1...3])]) { (_) throws(MailFailure) in }
        }
        await server.wait { $0 == .stalled }
        task.cancel()
        let result = await task.result
        #expect(throws: MailFailure.self) { try result.get() }
        // The connection is given up, not left to the deadline.
        server.release()
        await server.wait { $0 == .ended }
    }

    @Test func aDeadServerDoesNotDelayTheOthers() async throws {
        let loop = try NetworkLoop()
        let dead = try (0..<20).map { _ in try ScriptedIMAPServer(IMAPScript([.stall])) }
        let alive = try ScriptedIMAPServer(
            .examined([.expect("UID FETCH 1:3"), Self.message(1), .send("$T OK done")]))
        defer { (dead + [alive]).forEach { $0.stop() } }
        let waiting = dead.map { server in Task { _ = try await connect(server, loop, timeout: 3_600) } }
        for server in dead { await server.wait { $0 == .stalled } }
        for _ in 0..<20 {
            let session = try await connect(alive, loop, timeout: 5)
            _ = try await session.examine(.inbox)
            let report = try await session.fetch([UIDSet(ranges: [1...3])]) { (_) throws(MailFailure) in }
            #expect(report.delivered == 1)
            await session.logout()
        }
        waiting.forEach { $0.cancel() }
        for task in waiting { await #expect(throws: MailFailure.self) { try await task.value } }
    }

    /// The account's timeout is much longer than the test's limit.
    @Test(.timeLimit(.minutes(1))) func aServerThatAnswersNoFarewellIsLeft() async throws {
        let server = try ScriptedIMAPServer(.examined([.expect("LOGOUT"), .stall]))
        defer { server.stop() }
        let session = try await connect(server, NetworkLoop(), timeout: 3_600)
        _ = try await session.examine(.inbox)
        await session.logout()
        #expect(session.isOver)
    }

    @Test func aTraceHoldsTheDialogueAndNoSecretOrMessage() async throws {
        let server = try ScriptedIMAPServer(
            .examined([
                .expect("UID FETCH 1:3"),
                .sendBytes(Array("* 1 FETCH (UID 1 BODY[] {14}\r\nmarker-content)\r\n".utf8)),
                .send("$T OK done"),
            ]))
        defer { server.stop() }
        let lines = Mutex<[String]>([])
        let session = try await connect(
            server, NetworkLoop(),
            trace: WireTrace { direction, line in
                lines.withLock {
                    $0.append("\(direction.rawValue): \(String(decoding: line, as: UTF8.self))")
                }
            })
        _ = try await session.examine(.inbox)
        _ = try await session.fetch([UIDSet(ranges: [1...3])]) { (_) throws(MailFailure) in }
        await session.logout()
        let trace = lines.withLock { $0 }
        #expect(trace.contains { $0.hasPrefix("C: ") && $0.hasSuffix("EXAMINE \"INBOX\"") })
        #expect(trace.contains { $0 == "S: * 1 FETCH (UID 1 BODY[] {14})" })
        #expect(trace.contains { $0.hasSuffix(" LOGOUT") })
        #expect(!trace.contains { $0.contains("marker") })
    }

    @Test func noFailureShowsPersonalFactsInItsDescription() async throws {
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .send("* OK hi"), .expect("CAPABILITY"), .send("* CAPABILITY IMAP4rev1"), .send("$T OK"),
                .expect("LOGIN"), .send("$T NO [AUTHENTICATIONFAILED] marker-login is wrong"),
            ]))
        defer { server.stop() }
        do {
            _ = try await connect(server, NetworkLoop())
            Issue.record("nothing was thrown")
        } catch let failure as MailFailure {
            #expect(!failure.description.contains("marker"))
            #expect(failure.detail?.contains("marker-login is wrong") == true)
            #expect(!failure.revealed.contains("marker-secret"))
        }
    }

    @Test func aCheckNamesWhatWasFoundAndWhatIsWrong() async throws {
        let imap = try ScriptedIMAPServer(
            IMAPScript([
                .opening(capabilities: "IMAP4rev1 ID"), .expect("LIST"), .send("* LIST () \"/\" INBOX"),
                .send("* LIST (\\Sent) \"/\" Out"), .send("$T OK done"), .expect("EXAMINE"),
                .send("* 5 EXISTS"), .send("* OK [UIDVALIDITY 7] ok"), .send("$T OK done"),
            ]))
        let smtp = try ScriptedIMAPServer(IMAPScript([.send("554 5.7.1 marker go away"), .close]))
        defer {
            imap.stop()
            smtp.stop()
        }
        func settings(_ port: UInt16) throws -> ConnectionSettings {
            ConnectionSettings(
                endpoint: ServerEndpoint(host: "127.0.0.1", port: port, security: .none), login: "u",
                secret: Secret("p"), timeoutSeconds: 20,
                allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        }
        let report = await AccountCheck.run(
            imap: try settings(imap.port), smtp: try settings(smtp.port), loop: try NetworkLoop())
        let found = try report.imap.get()
        #expect(found.inboxMessages == 5 && found.folderCount == 2)
        #expect(found.sentFolder == FolderName("Out"))
        #expect(found.serverID == ["name": "Scripted"])
        #expect(!report.isGood)
        guard case .failure(let failure) = report.smtp else {
            Issue.record("SMTP was not refused")
            return
        }
        #expect(failure.detail?.contains("554 5.7.1 marker go away") == true)
    }

    /// SMTP commands have no tags: what `expect` sees is what stands behind the verb.
    static func smtp(authReply: String) -> IMAPScript {
        IMAPScript([
            .send("220 scripted"), .expect(""), .send("250-scripted"), .send("250 AUTH PLAIN"),
            .expect("PLAIN"),
            .send("334 "), .expect(""), .send(authReply), .expect(""), .send("250-2.0.0 still"),
            .send("250 2.0.0 here"), .expect(""), .send("221 bye"),
        ])
    }

    @Test func aCheckOfSMTPSaysWhereThePasswordWasNotTried() async throws {
        let imap = try ScriptedIMAPServer(IMAPScript([.close]))
        let smtp = try ScriptedIMAPServer(
            IMAPScript([
                .send("220 scripted"), .expect(""), .send("250 scripted"), .expect(""),
                .send("250 2.0.0 here"),
                .expect(""), .send("221 bye"),
            ]))
        defer {
            imap.stop()
            smtp.stop()
        }
        func settings(_ port: UInt16) throws -> ConnectionSettings {
            ConnectionSettings(
                endpoint: ServerEndpoint(host: "127.0.0.1", port: port, security: .none), login: "u",
                secret: Secret("marker"), timeoutSeconds: 20,
                allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        }
        let report = await AccountCheck.run(
            imap: try settings(imap.port), smtp: try settings(smtp.port), loop: try NetworkLoop())
        #expect(try report.smtp?.get().contains("the password was not tried") == true)
    }

    @Test func aCheckOfSMTPSignsInAndSendsNothing() async throws {
        let imap = try ScriptedIMAPServer(IMAPScript([.close]))
        defer { imap.stop() }
        for (reply, code) in [
            ("235 ok", nil), ("535 5.7.8 Error: authentication failed", "login-refused"),
            ("534 5.7.9 Application-specific password required", "app-password-needed"),
            ("454 4.7.0 Temporary authentication failure", "server-busy"),
        ] {
            let smtp = try ScriptedIMAPServer(Self.smtp(authReply: reply))
            defer { smtp.stop() }
            func settings(_ port: UInt16) throws -> ConnectionSettings {
                ConnectionSettings(
                    endpoint: ServerEndpoint(host: "127.0.0.1", port: port, security: .none), login: "u",
                    secret: Secret("p"), timeoutSeconds: 20,
                    allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
            }
            let report = await AccountCheck.run(
                imap: try settings(imap.port), smtp: try settings(smtp.port), preset: .yandex,
                loop: try NetworkLoop())
            switch report.smtp {
            case .success(let words): #expect(code == nil && words == "250 2.0.0 here")
            case .failure(let failure):
                #expect(failure.code.rawValue == code)
                if failure.kind == .credential { #expect(failure.remedy?.contains("id.yandex.ru") == true) }
            case nil: Issue.record("SMTP was not tried")
            }
            #expect(!smtp.received.contains { $0.hasPrefix("MAIL") || $0.hasPrefix("DATA") })
        }
    }
}
