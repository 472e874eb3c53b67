import Archive
import Foundation
import MailModel
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct LeaseTests {
    /// `F_OFD_GETLK` of fcntl.h, which shows it with _GNU_SOURCE only.
    static let openFileGetLock: Int32 = 36

    @Test func `a second process is told who holds the account`() throws {
        let fixture = try ArchiveFixture()
        guard case .granted = try fixture.archive.claim(fixture.account) else {
            Issue.record("not granted")
            return
        }
        guard case .held(let process, _) = try fixture.reopened().claim(fixture.account) else {
            Issue.record("granted twice")
            return
        }
        #expect(process > 0)
    }

    @Test func `the same process is not granted its own account twice`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.claim(fixture.account)
        guard case .held = try fixture.archive.claim(fixture.account) else {
            Issue.record("granted twice")
            return
        }
    }

    @Test func `a dead process's lease is void at once`() throws {
        let fixture = try ArchiveFixture()
        var dead: Archive? = try fixture.reopened()
        _ = try dead?.claim(fixture.account, forSeconds: 3600)
        dead = nil
        guard case .granted = try fixture.archive.claim(fixture.account) else {
            Issue.record("still held")
            return
        }
    }

    @Test func `a lease that was not renewed in time passes on, and its holder learns of it`() throws {
        let fixture = try ArchiveFixture()
        guard case .granted(let old) = try fixture.archive.claim(fixture.account, forSeconds: 60) else {
            Issue.record("not granted")
            return
        }
        let other = try fixture.reopened()
        fixture.clock.advance(61)
        guard case .granted(let new) = try other.claim(fixture.account, forSeconds: 60) else {
            Issue.record("still held")
            return
        }
        let failure = #expect(throws: MailFailure.self) { try fixture.archive.renew(old) }
        #expect(failure?.code == .leaseLost)
        try fixture.archive.release(old)
        fixture.clock.advance(30)
        let renewed = try other.renew(new, forSeconds: 60)
        #expect(renewed.expiresAt == fixture.clock.now.advanced(bySeconds: 60))
    }

    /// Without them the next process that closes the database takes itself for the last one, and deletes the log.
    @Test func `an archive that is open holds SQLite's locks on the database`() throws {
        // Opened once: a second opening in one process reads the file's head, which is before SQLite's locks only once.
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        // A lock of a descriptor meets those of the process, its own ones too. Not closed before it has been asked:
        // the closing would be what takes SQLite's locks away.
        let descriptor = Glibc.open(fixture.directory + "/mailworker.db", O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var wanted = flock()
        wanted.l_type = Int16(F_WRLCK)
        wanted.l_whence = Int16(SEEK_SET)
        try #require(fcntl(descriptor, Self.openFileGetLock, &wanted) == 0)
        withExtendedLifetime(archive) { #expect(wanted.l_type != Int16(F_UNLCK)) }
    }

    @Test func `an account is watched by one process, and by the next one when that has died`() throws {
        let fixture = try ArchiveFixture()
        let (archive, account) = (fixture.archive, fixture.account)
        var settings = try archive.account(account).settings
        settings.isWatched = true
        try archive.editAccount(account, settings)
        try archive.noteAttempt(
            account, startedAt: fixture.clock.now, failure: nil, nextPoll: fixture.clock.now)
        var other: Archive? = try fixture.reopened()
        #expect(try other?.claimWatches(of: [account]) == [account])
        #expect(try archive.watchedAccounts().isEmpty)
        #expect(try archive.claimWatches(of: [account]).isEmpty)
        try archive.releaseWatches(of: [account])
        #expect(try archive.watchedAccounts().isEmpty, "it was not ours to release")
        #expect(try other?.watchedAccounts().keys.contains(account) == true)

        other = nil
        #expect(try archive.watchedAccounts().keys.contains(account))
        #expect(try archive.claimWatches(of: [account]) == [account])
        #expect(try archive.claimWatches(of: [account]) == [account], "again by the same one")
        let third = try fixture.reopened()
        #expect(try third.watchedAccounts().isEmpty)
        try archive.releaseWatches(of: [account])
        #expect(try third.claimWatches(of: [account]) == [account])
    }

    @Test func `a released account is free`() throws {
        let fixture = try ArchiveFixture()
        guard case .granted(let lease) = try fixture.archive.claim(fixture.account) else {
            Issue.record("not granted")
            return
        }
        try fixture.archive.release(lease)
        guard case .granted = try fixture.reopened().claim(fixture.account) else {
            Issue.record("still held")
            return
        }
    }

    @Test func `an account that does not exist cannot be claimed`() throws {
        let fixture = try ArchiveFixture()
        let failure = #expect(throws: MailFailure.self) {
            try fixture.archive.claim(AccountID(rawValue: 99))
        }
        #expect(failure?.code == .unknownAccount)
    }
}
