import GRDB
import MailModel
import Matcher
import Testing

@testable import Archive

/// What comes back about mail that the user sent with another program: shown at it, and believed no further.
@Suite struct OtherReportTests {
    private static let mailID = "thunder@firma.example"

    /// A mail that another program sent, as the Sent folder shows it.
    @discardableResult
    private static func sent(
        _ fixture: ArchiveFixture, _ uid: UInt32 = 1, to: [String] = ["maria@client.example"],
        bcc: [String] = [],
        text: String = "offer", from: String = "anna@firma.example", folder: FolderID? = nil
    ) throws -> IngestOutcome {
        try fixture.archive.ingest([
            fixture.arrival(
                uid, from: from, to: to, bcc: bcc, messageID: mailID, text: text,
                folder: folder ?? fixture.sent)
        ])[0]
    }

    private static func arrives(
        _ fixture: ArchiveFixture, _ uid: UInt32 = 9, about: [String] = ["maria@client.example"],
        messageID: String = mailID, in folder: FolderID? = nil
    ) throws -> IngestOutcome {
        let arrival = fixture.arrival(
            uid, from: "mailer-daemon@mx.example", text: "report \(uid)", folder: folder
        ) {
            $0.isDeliveryReport = true
            $0.category = .report
            $0.returned = DeliveryReportTests.report(messageIDs: [messageID], about: about)
        }
        return try fixture.archive.ingest([arrival])[0]
    }

    private static func message(_ outcome: IngestOutcome) throws -> ArchivedMessageID {
        switch outcome {
        case .linked(let id, contacts: _), .review(let id), .duplicate(of: let id), .ignored(let id, rule: _):
            id
        default: try #require(nil as ArchivedMessageID?, "\(outcome)")
        }
    }

    private static func isReview(_ outcome: IngestOutcome) -> Bool {
        if case .review = outcome { true } else { false }
    }

    // MARK: - Forged

    @Test func aReportOnMailOfWhichOnlyTheInboxKnowsWaits() throws {
        let fixture = try ArchiveFixture()
        // Anybody can write a mail that says to be from her.
        let mail = try Self.message(try Self.sent(fixture, folder: fixture.inbox))
        #expect(Self.isReview(try Self.arrives(fixture)))
        #expect(try fixture.archive.message(mail).returned.isEmpty)
    }

    @Test func aReportInAStrangersMailboxWaits() throws {
        let fixture = try ArchiveFixture()
        let boris = try fixture.archive.addUser(name: "boris", email: EmailAddress("boris@firma.example"))
        let account = try fixture.archive.addAccount(
            ArchiveFixture.settings("boris", boris, email: EmailAddress("boris@firma.example")!))
        let inbox = try fixture.archive.folder(account: account, name: .inbox, role: .inbox)
        let mail = try Self.message(try Self.sent(fixture))
        #expect(Self.isReview(try Self.arrives(fixture, in: inbox)))
        #expect(try fixture.archive.message(mail).returned.isEmpty)
    }

    @Test func aReportOnSomebodyToWhomTheMailDidNotGoWaits() throws {
        let fixture = try ArchiveFixture()
        let mail = try Self.message(try Self.sent(fixture))
        #expect(Self.isReview(try Self.arrives(fixture, about: ["else@client.example"])))
        #expect(try fixture.archive.message(mail).returned.isEmpty)
    }

    @Test func aReportOnOneOfTwoMailsUnderOneIdentifierIsNobodys() throws {
        let fixture = try ArchiveFixture()
        _ = try Self.sent(fixture, 1)
        _ = try Self.sent(fixture, 2, text: "another")
        #expect(Self.isReview(try Self.arrives(fixture)))
    }

    @Test func noAddressIsSuppressedForMailThatAnotherProgramSent() throws {
        let fixture = try ArchiveFixture()
        for number in 1...4 {
            let id = "thunder\(number)@firma.example"
            _ = try fixture.archive.ingest([
                fixture.arrival(
                    UInt32(number), from: "anna@firma.example", to: ["maria@client.example"], messageID: id,
                    text: "offer \(number)", folder: fixture.sent)
            ])
            guard case .linked = try Self.arrives(fixture, UInt32(number + 10), messageID: id) else {
                Issue.record("the report waits")
                continue
            }
        }
        #expect(try fixture.archive.suppressions().isEmpty)
    }

    @Test func aReportThatNamesMailOfTheOutboxIsNotBroughtToACopyOfItInAnotherWay() throws {
        let fixture = try ArchiveFixture()
        _ = try DeliveryReportTests.sent(fixture)
        let copy = fixture.arrival(
            1, from: "anna@firma.example", to: ["maria@client.example", "boris@client.example"],
            messageID: "m1@firma.example", text: "x", folder: fixture.sent)
        _ = try fixture.archive.ingest([copy])
        // The outbox did not send it to him, whatever the message's fields say.
        #expect(
            Self.isReview(
                try Self.arrives(fixture, about: ["boris@client.example"], messageID: "m1@firma.example")))
    }

    // MARK: - Genuine

    @Test func aReportIsShownAtTheMailAndAtTheContact() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let mail = try Self.message(
            try Self.sent(fixture, to: ["boris@client.example", "Maria@Client.example"]))
        guard case .linked(let report, contacts: let contacts) = try Self.arrives(fixture) else {
            Issue.record("the report waits")
            return
        }
        #expect(contacts.isEmpty)
        #expect(try fixture.archive.reviewItems().isEmpty)
        let returned = try #require(try fixture.archive.history(of: maria).first?.returned.first)
        #expect(returned.message == mail && returned.report == report && returned.item == nil)
        #expect(returned.failure == "hard" && returned.address == "maria@client.example")
        #expect(try fixture.archive.message(mail).returned == [returned])
        #expect(try fixture.archive.message(report).reportsOn == [returned])
        #expect(try fixture.archive.verify().findings.isEmpty)
    }

    @Test func aReportThatComesBeforeItsMailLeavesTheQueueWhenTheMailIsSeen() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        #expect(Self.isReview(try Self.arrives(fixture)))
        #expect(try fixture.archive.reviewItems().count == 1)
        let mail = try Self.message(try Self.sent(fixture))
        #expect(try fixture.archive.reviewItems().isEmpty)
        #expect(try fixture.archive.message(mail).returned.map(\.status) == ["5.1.1"])
        #expect(try fixture.archive.history(of: maria).map(\.returned.count) == [1])
        #expect(try fixture.archive.verify().findings.isEmpty)
    }

    @Test func aReportThatAPersonHasDealtWithStaysWhereItWasPut() throws {
        let fixture = try ArchiveFixture()
        let report = try Self.message(try Self.arrives(fixture))
        _ = try fixture.archive.ignore(.items([try fixture.archive.reviewItems()[0].id]), by: "anna")
        let mail = try Self.message(try Self.sent(fixture))
        #expect(try fixture.archive.message(mail).returned.count == 1)
        #expect(try fixture.archive.message(report).state == .ignored)
        #expect(try fixture.archive.verify().findings.isEmpty)
    }

    @Test func mailThatFirstCameBackToItsSenderIsKnownByItsCopyInTheSentFolder() throws {
        let fixture = try ArchiveFixture()
        #expect(Self.isReview(try Self.arrives(fixture)))
        let mail = try Self.message(try Self.sent(fixture, folder: fixture.inbox))
        #expect(try fixture.archive.message(mail).returned.isEmpty)
        _ = try Self.sent(fixture, 2)
        #expect(try fixture.archive.message(mail).returned.count == 1)
    }

    @Test func nothingOfAnErasedPersonIsLeftInReports() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try Self.sent(fixture)
        _ = try Self.arrives(fixture)
        _ = try fixture.archive.erase(maria)
        let left = try fixture.archive.pool.read {
            try Int.fetchOne(
                $0,
                sql: """
                    SELECT count(*) FROM other_reports WHERE canonical LIKE '%maria%' OR email LIKE '%maria%'
                        OR named LIKE '%thunder%' OR diagnostic IS NOT NULL
                    """)
        }
        #expect(left == 0)
        #expect(try fixture.archive.verify().findings.isEmpty)
    }
}
