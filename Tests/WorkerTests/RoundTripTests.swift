import Archive
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// A mail to oneself, on servers that take it, refuse it, lose it and put it aside.
@Suite(.timeLimit(.minutes(2))) struct RoundTripTests {
    typealias Scripts = PollScripts

    private static func look(_ folder: String, finding uid: String) -> Scripts.Steps {
        Scripts.examine(folder, exists: 3, next: 4) + [
            .expect("UID SEARCH HEADER \"Message-ID\""), .send("* SEARCH \(uid)"), Scripts.done,
        ]
    }

    private func run(
        _ imap: IMAPScript, _ acts: [ScriptedSMTPServer.Stage: ScriptedSMTPServer.Act] = [:],
        patience: Int = 20
    ) async throws -> (RoundTrip.Report, ScriptedSMTPServer.Mail?, [String]) {
        let mailbox = try ScriptedIMAPServer(imap)
        let smtp = try ScriptedSMTPServer(acts)
        defer {
            mailbox.stop()
            smtp.stop()
        }
        let fixture = try WorkerFixture(port: mailbox.port) {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: smtp.port, security: .none)
        }
        var trip = RoundTrip(
            archive: fixture.archive,
            settings: PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"])),
            patienceSeconds: patience)
        trip.pauseMilliseconds = 1
        let report = try await trip.run(try fixture.polled())
        return (report, smtp.received.first, mailbox.violations)
    }

    @Test func anAccountWithoutSMTPServerSaysSo() async throws {
        let fixture = try WorkerFixture()
        let trip = RoundTrip(archive: fixture.archive, settings: PollSettings())
        await #expect(throws: MailFailure.self) { try await trip.run(try fixture.polled()) }
    }

    @Test func anAccountWithoutAddressSaysWhatToDo() async throws {
        let fixture = try WorkerFixture {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 1, security: .none)
        }
        var account = try fixture.polled()
        account.settings.email = nil
        let trip = RoundTrip(archive: fixture.archive, settings: PollSettings())
        await #expect {
            try await trip.run(account)
        } throws: {
            ($0 as? MailFailure)?.remedy?.contains("--email") == true
        }
    }

    @Test func whatTheServerDoesNotTakeIsNotLookedFor() async throws {
        let (report, _, _) = try await run(
            Scripts.script([.expect("NOTHING")]), [.rcpt: .reply("550 5.1.1 no such user")])
        #expect(report.failure?.code == .roundTripFailed && report.arrived == nil)
        #expect(report.failure?.detail?.contains("no such user") == true)
    }

    @Test func aRefusedPasswordIsThePasswords() async throws {
        let (report, _, _) = try await run(
            Scripts.script([]), [.auth: .reply("535 5.7.8 authentication failed")])
        #expect(report.failure?.code == .loginRefused)
    }

    @Test func whatDoesNotArriveInTimeIsSaidWithWhereToLook() async throws {
        let (report, mail, _) = try await run(
            Scripts.script(Scripts.folders("INBOX"), Self.look("INBOX", finding: "")), patience: 0)
        #expect(mail != nil && report.failure?.code == .roundTripFailed)
        #expect(report.failure?.remedy?.contains("filter") == true)
    }

    @Test func whatArrivesAsJunkIsFoundThere() async throws {
        let folders: Scripts.Steps = [
            .expect("LIST"), .send("* LIST () \"/\" \"INBOX\""), .send("* LIST (\\Junk) \"/\" \"Spam\""),
            Scripts.done,
        ]
        let (report, _, violations) = try await run(
            Scripts.script(folders, Self.look("INBOX", finding: ""), Self.look("Spam", finding: "9")))
        #expect(report.failure?.detail == "Spam" && violations.isEmpty)
    }

    @Test func aMailToOneselfIsMarkedAndFoundAgain() async throws {
        let (report, mail, violations) = try await run(
            Scripts.script(
                Scripts.folders("INBOX"), Self.look("INBOX", finding: ""), Self.look("INBOX", finding: ""),
                Self.look("INBOX", finding: "4")))
        #expect(report.failure == nil && violations.isEmpty)
        let sent = try #require(mail)
        #expect(sent.sender.contains(WorkerFixture.own) && sent.recipients.count == 1)
        let text = String(decoding: sent.content, as: UTF8.self)
        for field in [
            "Auto-Submitted: auto-generated", "X-Mailworker-Check: round-trip", report.messageID.rawValue,
        ] {
            #expect(text.contains(field))
        }
    }
}
