import Archive
import MailFetch
import MailModel
import MailTestKit
import Testing

@testable import Worker

/// Words of a server that its user must be shown (RFC 9051, 7.1).
@Suite(.timeLimit(.minutes(2)))
struct ServerAlertTests {
    typealias Scripts = PollScripts

    @Test
    func `what the server wants its user to read stays with the account, even if the poll fails`()
        async throws
    {
        let quota = "Ящик заполнен на 95 %"
        let fixture = try PollFixture([
            Scripts.script(
                Scripts.folders("INBOX"), [.send("* OK [ALERT] \(quota)")],
                Scripts.examine("INBOX", exists: 0, next: 1), Scripts.search("")),
            Scripts.inbox(exists: 0, next: 1),
            Scripts.script(
                Scripts.folders("INBOX"),
                [.expect("EXAMINE"), .send("* BYE [ALERT] Maintenance tonight"), .close]),
        ])
        let first = try await fixture.poll()
        #expect(first.failures.isEmpty)
        #expect(first.alert == quota)
        let noted = fixture.worker.clock.now
        #expect(try fixture.worker.polled().status.alert == ServerAlert(words: quota, at: noted))
        #expect(try await fixture.poll().alert == nil)
        #expect(try fixture.worker.polled().status.alert == ServerAlert(words: quota, at: noted))
        let last = try await fixture.poll()
        #expect(last.failures.map(\.code) == [.serverClosed])
        #expect(try fixture.worker.polled().status.alert?.words == "Maintenance tonight")
    }
}
