import GRDB
import MailModel
import Testing

@testable import Archive

/// What is stored of an account, and cannot be read.
@Suite struct AccountTests {
    @Test(arguments: [
        "UPDATE accounts SET pins = '[1]'", "UPDATE accounts SET pins = '{}'",
        "UPDATE accounts SET pins = '[\"sha256/AQEB\"]'", "UPDATE accounts SET further_folders = '[1]'",
    ])
    func `pins and folders that cannot be read are not none`(sql: String) throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.pool.write { try $0.execute(sql: sql) }
        for read in [
            { _ = try fixture.archive.account(fixture.account) },
            { _ = try fixture.archive.accounts() },
            { _ = try fixture.archive.dueAccounts(at: fixture.clock.now) },
        ] {
            let failure = #expect(throws: MailFailure.self) { try read() }
            #expect(failure?.code == .archiveCorrupt)
        }
    }

    @Test func `no two accounts have names that look the same`() throws {
        let fixture = try ArchiveFixture()
        var settings = try fixture.archive.account(fixture.account).settings
        settings.name = "Jos\u{E9}"
        try fixture.archive.addAccount(settings)
        settings.name = "Jose\u{301}"
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.addAccount(settings) }
        #expect(failure?.code == .nameTaken)
        let renaming = #expect(throws: MailFailure.self) {
            try fixture.archive.editAccount(fixture.account, settings)
        }
        #expect(renaming?.code == .nameTaken)
        // Its own name may be written the other way.
        let own = try fixture.archive.account(named: "Jos\u{E9}")
        try fixture.archive.editAccount(own.id, settings)
        #expect(try fixture.archive.account(named: "Jose\u{301}").id == own.id)
    }

    @Test(arguments: [
        ("timed-out", true), ("login-refused", true), ("archive.full", false), ("spool-failed", false),
        ("parser.unavailable", false),
    ])
    func `an account waits after trouble with its server, and not after our own`(code: String, waits: Bool)
        throws
    {
        let fixture = try ArchiveFixture()
        let now = fixture.clock.now
        try fixture.archive.noteAttempt(
            fixture.account, startedAt: now, failure: MailFailure(.init(code), kind: .transient, "No"),
            nextPoll: now.advanced(bySeconds: 60))
        let status = try fixture.archive.account(fixture.account).status
        #expect(status.isPutOff(at: now) == waits)
        #expect(!status.isPutOff(at: now.advanced(bySeconds: 60)))
        // A clock that was set back says nothing.
        #expect(!status.isPutOff(at: now.advanced(bySeconds: -1)))
        try fixture.archive.noteAttempt(
            fixture.account, startedAt: now, failure: MailFailure(.init(code), kind: .needsPerson, "No"),
            isInFolder: true, nextPoll: now.advanced(bySeconds: 60))
        #expect(try !fixture.archive.account(fixture.account).status.isPutOff(at: now))
    }
}
