import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

@Suite struct SignInTests {
    let fixture: ArchiveFixture
    init() throws { fixture = try ArchiveFixture() }

    private let good = Secret("Kirschbaum 7")

    private func code(_ body: () throws -> Void) -> MailFailure.Code? {
        do {
            try body()
            return nil
        } catch let failure as MailFailure {
            return failure.code
        } catch {
            return MailFailure.Code("other")
        }
    }

    @Test(arguments: [
        ("Kurz7Abc", "10 characters"), ("OhneZiffern", "digit"), ("allesklein7", "upper"),
        ("ALLESGROSS7", "lower"), ("", "10 characters"),
    ])
    func `a weak password is refused with what it lacks`(text: String, lacks: String) throws {
        do {
            try fixture.archive.setPassword(Secret(text), of: "anna")
            Issue.record("taken")
        } catch {
            #expect(error.code == .invalidValue && error.detail?.contains(lacks) == true)
        }
    }

    @Test func `who shows a wrong name, a wrong password or none at all is told the same`() throws {
        let archive = fixture.archive
        #expect(code { _ = try archive.signIn(name: "anna", password: good) } == .signInRefused)
        try archive.setPassword(good, of: "anna")
        #expect(code { _ = try archive.signIn(name: "anna", password: Secret("x")) } == .signInRefused)
        #expect(code { _ = try archive.signIn(name: "nobody", password: good) } == .signInRefused)
        #expect(code { try archive.setPassword(good, of: "nobody") } == .unknownUser)
    }

    @Test func `a password lets its user in, however its letters are composed`() throws {
        let archive = fixture.archive
        try archive.setPassword(Secret("Kirschba\u{0308}ume 7"), of: "anna")
        let viewer = try archive.signIn(name: "anna", password: Secret("Kirschb\u{00E4}ume 7"))
        #expect(viewer == (try archive.viewer(named: "anna")))
    }

    @Test func `nothing of a password or token can be read in the database`() throws {
        let archive = fixture.archive
        try archive.setPassword(good, of: "anna")
        let token = try archive.addToken("crm", for: "anna", rights: [.read])
        let database = try Data(contentsOf: URL(fileURLWithPath: fixture.directory + "/mailworker.db-wal"))
        for secret in [good, token] {
            #expect(secret.withRevealed { database.range(of: Data($0.utf8)) } == nil)
        }
        #expect(database.range(of: Data("scrypt$15$8$3$".utf8)) != nil)
    }

    @Test func `a token that is unknown, revoked or expired opens nothing`() throws {
        let archive = fixture.archive
        #expect(code { _ = try archive.signIn(token: Secret("mw_00")) } == .signInRefused)
        let token = try archive.addToken("crm", for: "anna", rights: [.read])
        try archive.revokeToken("crm", of: "anna")
        #expect(code { _ = try archive.signIn(token: token) } == .signInRefused)
        #expect(code { try archive.revokeToken("crm", of: "anna") } == .unknownToken)
        let brief = try archive.addToken(
            "brief", for: "anna", rights: [.read], expiresAt: fixture.clock.now.advanced(bySeconds: 10))
        _ = try archive.signIn(token: brief)
        fixture.clock.advance(10)
        #expect(code { _ = try archive.signIn(token: brief) } == .signInRefused)
    }

    @Test func `a token gives no right that its user lacks, nor one that it was not given`() throws {
        let archive = fixture.archive
        let token = try archive.addToken("crm", for: "anna", rights: [.read, .administer])
        let seen = archive.seen(by: try archive.signIn(token: token))
        #expect(try seen.rights()?.scopes == [.read: .own])
        #expect(code { try seen.demand(.review, .own) } == .rightMissing)
        #expect(code { _ = try seen.addToken("more", for: "anna", rights: [.read]) } == .rightMissing)
        let listed = try archive.tokens(of: "anna")
        #expect(listed.map(\.name) == ["crm"] && listed.first?.usedAt == fixture.clock.now)
    }

    @Test func `whoever is kept out can do nothing any more, and takes nothing along`() throws {
        let archive = fixture.archive
        try archive.setPassword(good, of: "anna")
        let token = try archive.addToken("crm", for: "anna", rights: [.read])
        let seen = archive.seen(by: try archive.signIn(token: token))
        let user = try archive.user(named: "anna").id
        let own = try archive.queueMail(OutboxTests.draft(fixture, 1) { $0.user = user }).item
        let other = try archive.queueMail(OutboxTests.draft(fixture, 2) { $0.requestedBy = "boris" }).item
        let asked = try archive.queueMail(OutboxTests.draft(fixture, 3)).item
        let claimed = try archive.queueMail(OutboxTests.draft(fixture, 4)).item
        let begun = try archive.queueMail(OutboxTests.draft(fixture, 5)).item
        let claims = try archive.claimOutbox(fixture.account) { _, _ in [claimed, begun] }
        #expect(try archive.noteOutbox([.begins(begun, recipients: [0])]) == [true])
        #expect(try archive.disableUser("anna") == 3)
        #expect(try archive.noteOutbox([.begins(claimed, recipients: [0])]) == [false])
        _ = try archive.noteOutbox([OutboxTests.ending(claims[1], .retry, now: fixture.clock.now)])
        for item in [own, asked, claimed, begun] { #expect(try archive.outboxItem(item).state == .held) }
        #expect(try archive.outboxItem(own).reason?.isEmpty == false)
        #expect(try archive.outboxItem(other).state == .queued)
        #expect(code { _ = try archive.signIn(name: "anna", password: good) } == .signInRefused)
        #expect(code { _ = try archive.signIn(token: token) } == .signInRefused)
        #expect(code { _ = try archive.viewer(named: "anna") } == .unknownUser)
        // Also one who is at it already.
        #expect(try seen.rights()?.scopes == [:])
        #expect(try archive.accounts().map(\.userName) == ["anna"])
    }

    @Test func `a role or department with users stays, and the built-in roles always`() throws {
        let archive = fixture.archive
        try archive.addDepartment(name: "sales")
        try archive.addRole(name: "reader", [.read: .all])
        var draft = UserDraft(try archive.user(named: "anna"))
        draft.role = "reader"
        draft.department = "sales"
        try archive.editUser(archive.user(named: "anna").id, draft)
        #expect(code { try archive.removeDepartment(named: "sales") } == .inUse)
        #expect(code { try archive.removeRole(named: "reader") } == .inUse)
        #expect(code { try archive.removeRole(named: "manager") } == .invalidValue)
        #expect(code { try archive.editRole(named: "manager", newName: "boss", [:]) } == .invalidValue)
        #expect(code { try archive.addRole(name: "x", [.administer: .own]) } == .invalidValue)
        try archive.editRole(named: "reader", [.read: .none, .send: .own])
        #expect(try archive.roles().first { $0.name == "reader" }?.scopes == [.send: .own])
        draft.role = "employee"
        draft.department = nil
        try archive.editUser(archive.user(named: "anna").id, draft)
        try archive.removeDepartment(named: "sales")
        try archive.removeRole(named: "reader")
        #expect(try archive.roles().map(\.name) == ["administrator", "manager", "employee"])
    }
}
