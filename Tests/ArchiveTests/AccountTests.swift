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
}
