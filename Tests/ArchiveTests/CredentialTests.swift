import Foundation
import GRDB
import MailModel
import Testing

@testable import Archive

struct CredentialTests {
    private let fixture: ArchiveFixture

    init() throws { fixture = try ArchiveFixture() }

    @Test func aRefreshTokenIsNeverHandedOutAsAPassword() throws {
        let (archive, account) = (fixture.archive, fixture.account)
        try archive.setCredential(.refreshToken(Secret("marker-token")), of: account)
        #expect(try archive.secret(of: account) == nil)
        #expect(try archive.credential(of: account) == .refreshToken(Secret("marker-token")))
        #expect(try archive.account(account).credentialKind == .refreshToken)
        // Not even when somebody writes into the database that it is one.
        try archive.write { try $0.execute(sql: "UPDATE accounts SET secret_kind = 'password'") }
        let failure = #expect(throws: MailFailure.self) { try archive.credential(of: account) }
        #expect(failure?.code == .keyWrong)
    }

    @Test func aPasswordTakesThePlaceOfATokenAndTheOtherWayRound() throws {
        let (archive, account) = (fixture.archive, fixture.account)
        try archive.setCredential(.refreshToken(Secret("t")), of: account)
        try archive.setSecret(Secret("p"), of: account)
        #expect(try archive.credential(of: account) == .password(Secret("p")))
        try archive.setSecret(nil, of: account)
        #expect(try archive.credential(of: account) == nil)
    }

    @Test func aRenewalChangesNothingButTheTokenItRenews() throws {
        let (archive, account) = (fixture.archive, fixture.account)
        try archive.setCredential(.refreshToken(Secret("new")), of: account)
        let before = try archive.account(account)
        try archive.renewRefreshToken(of: account, from: Secret("old"), to: Secret("late"))
        #expect(try archive.credential(of: account) == .refreshToken(Secret("new")))
        try archive.renewRefreshToken(of: account, from: Secret("new"), to: Secret("newer"))
        #expect(try archive.credential(of: account) == .refreshToken(Secret("newer")))
        #expect(try archive.account(account) == before)
        try archive.setSecret(Secret("p"), of: account)
        try archive.renewRefreshToken(of: account, from: Secret("p"), to: Secret("x"))
        #expect(try archive.credential(of: account) == .password(Secret("p")))
    }

    @Test func aLostKeyLeavesItKnownThatAnAuthorizationIsMissing() throws {
        let (archive, account) = (fixture.archive, fixture.account)
        try archive.setCredential(.refreshToken(Secret("t")), of: account)
        try archive.write { try $0.execute(sql: "UPDATE accounts SET secret = NULL") }
        #expect(try archive.credential(of: account) == nil)
        #expect(try archive.account(account).credentialKind == .refreshToken)
    }
}
