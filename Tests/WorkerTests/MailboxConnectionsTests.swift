import Archive
import MailFetch
import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import Worker

/// How many IMAP sessions a process has with one mailbox.
@Suite(.timeLimit(.minutes(1)))
struct MailboxConnectionsTests {
    private let mailbox = MailboxConnections.Mailbox(host: "imap.firma.example", login: "anna")

    @Test func whoComesWhenAllAreTakenWaitsInTurn() async throws {
        let connections = MailboxConnections()
        var first: MailboxConnections.Place? = try await connections.place(in: mailbox, limit: 1)
        let notes = Notes()
        let waiting = (1...3).map { number in
            Task {
                let place = try await connections.place(in: mailbox, limit: 1)
                // A task keeps what it returns.
                withExtendedLifetime(place) { notes.add("\(number)") }
            }
        }
        await until { connections.waiting(for: mailbox) == 3 }
        #expect(notes.all.isEmpty && connections.count(of: mailbox) == 1)
        first = nil
        _ = first
        for task in waiting { try await task.value }
        await until { connections.count(of: mailbox) == 0 }
        #expect(notes.all.count == 3)
    }

    @Test func aWaitThatIsCancelledTakesNoPlace() async throws {
        let connections = MailboxConnections()
        let place = try await connections.place(in: mailbox, limit: 1)
        let waiting = Task { try await connections.place(in: mailbox, limit: 1) }
        await until { connections.waiting(for: mailbox) == 1 }
        waiting.cancel()
        await #expect { _ = try await waiting.value } throws: { ($0 as? MailFailure)?.code == .cancelled }
        #expect(connections.waiting(for: mailbox) == 0)
        withExtendedLifetime(place) { #expect(connections.count(of: mailbox) == 1) }
    }

    @Test func oneThatOnlyWaitsForMailLeavesThePollItsPlace() async throws {
        let connections = MailboxConnections()
        #expect(connections.placeToSpare(in: mailbox, limit: 1) == nil)
        let watch = try #require(connections.placeToSpare(in: mailbox, limit: 2))
        #expect(connections.placeToSpare(in: mailbox, limit: 2) == nil)
        let poll = try await connections.place(in: mailbox, limit: 2)
        let other = MailboxConnections.Mailbox(host: mailbox.host, login: "boris")
        #expect(connections.placeToSpare(in: other, limit: 2) != nil)
        withExtendedLifetime((watch, poll)) { #expect(connections.count(of: mailbox) == 2) }
    }

    @Test func halfOfWhatTheProviderAllowsIsTheUsersOwn() throws {
        let fixture = try WorkerFixture()
        var account = try fixture.polled()
        #expect(account.connectionLimit == ProviderProfile.usualConnectionLimit / 2)
        account.settings.preset = "gmail"
        #expect(account.connectionLimit == 7)
        // Whoever entered the server by hand has the same mailbox.
        account.settings.preset = "custom"
        account.settings.imap = ServerEndpoint(host: "IMAP.gmail.com", port: 993, security: .tls)
        #expect(account.connectionLimit == 7)
    }

    @Test func pollsOfOneMailboxKeepToItsLimit() async throws {
        let fixture = try PollFixture(
            [IMAPScript([.stall, .close])], concurrency: 20, account: { $0.timeoutSeconds = 60 })
        let first = try fixture.worker.polled()
        let mailbox = try first.mailbox
        let limit = first.connectionLimit
        for number in 1...limit {
            var settings = first.settings
            settings.name = "again\(number)"
            try fixture.worker.archive.addAccount(settings, secret: Secret("x"))
        }
        let accounts = try fixture.worker.archive.accounts()
        async let reports = fixture.pass.run(accounts)
        await until { fixture.mailboxes.waiting(for: mailbox) == 1 }
        await until { fixture.server.events.count { $0 == .stalled } == limit }
        #expect(fixture.mailboxes.count(of: mailbox) == limit)
        for _ in 0...limit { fixture.server.release() }
        #expect(await reports.count == limit + 1)
        #expect(fixture.server.events.count { $0 == .accepted } == limit + 1)
        #expect(fixture.mailboxes.count(of: mailbox) == 0, "every session has left its place")
    }

    @Test func aWatchIsCountedForAsLongAsItIdles() async throws {
        let watching = IMAPScript(
            [.opening(capabilities: "IMAP4rev1 IDLE")] + PollScripts.folders("INBOX")
                + PollScripts.examine("INBOX", exists: 3, next: 4)
                + [.expect("IDLE"), .send("+ idling"), .stall])
        try await PollFixture.watching([PollScripts.firstSync, watching]) { fixture, _ in
            await fixture.server.wait { $0 == .stalled }
            let mailbox = try fixture.worker.polled().mailbox
            #expect(fixture.mailboxes.count(of: mailbox) == 1)
        }
    }
}
