import Archive
import Foundation
import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Worker

/// What the receiving server says about a sender, from the message's bytes to what people are shown.
@Suite struct SenderVerificationTests {
    private static let maria = "maria@klient.example"

    private static func bytes(_ fixture: String) throws -> MessageBytes {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/eml/authentication")
        return MessageBytes([UInt8](try Data(contentsOf: folder.appending(path: fixture + ".eml"))))
    }

    /// An archive where Maria is a contact and `mx.firma.example` is believed, as is Google in Gmail's accounts.
    private func archive(
        _ fixture: WorkerFixture, _ change: (inout MatchPolicy) -> Void = { _ in }
    ) throws -> Archive {
        let clock = fixture.clock
        var options = ArchiveOptions(clock: { clock.now })
        options.matching.authorities = AuthorityNames(["mx.firma.example"])
        options.matching.providerAuthorities = ["gmail": AuthorityNames(["mx.google.com"])]
        change(&options.matching)
        let archive = try Archive.open(
            directory: fixture.directory.path + "/data", key: fixture.key, options: options)
        _ = try archive.addContact(ContactDraft(name: "Maria K", emails: [EmailAddress(Self.maria)!]))
        return archive
    }

    private func ingest(
        _ name: String, _ archive: Archive, _ fixture: WorkerFixture, in folder: FolderID? = nil
    ) throws -> ArchivedMessage {
        let received = ReceivedMessage(
            folder: folder ?? fixture.inbox, uidValidity: UIDValidity(7), uid: UID(1), internalDate: nil,
            bytes: try Self.bytes(name))
        let arrival = MessageReader.arrival(
            of: received, read: .read(MIMEParser().parse(received.bytes)))
        let outcome = try archive.ingest([arrival])[0]
        return try archive.message(try #require(outcome.message))
    }

    @Test(arguments: [
        ("signed-and-allowed", "custom", "unknown"), ("signed-and-allowed", "gmail", "verified"),
        ("forged-pass-below", "custom", "failed"), ("forged-pass-below", "gmail", "unknown"),
        ("forged-pass-of-another-server", "custom", "unknown"),
        // Nobody but Google is believed in mail that Google has taken in, and its word is not the topmost.
        ("forged-pass-of-another-server", "gmail", "unknown"),
        ("several-authors", "custom", "unknown"), ("author-in-a-group", "custom", "verified"),
        ("no-result", "custom", "unknown"), ("version-blanks-and-comments", "custom", "verified"),
        ("too-long-to-be-read", "custom", "unknown"), ("quotation-that-does-not-end", "custom", "unknown"),
        ("forged-user", "custom", "failed"),
        ("forged-user-beside-the-author", "custom", "failed"),
    ])
    func whatTheServerSaysIsShownAtTheMessageAndInTheHistory(
        _ name: String, _ preset: String, _ outcome: String
    ) throws {
        let fixture = try WorkerFixture { $0.preset = preset }
        let archive = try archive(fixture)
        let message = try ingest(name, archive, fixture)
        #expect(message.senderCheck?.outcome.rawValue == outcome)
        #expect(message.state == .archived)
        let maria = try archive.findContact(Self.maria)
        #expect(try archive.history(of: maria.id).map { $0.senderCheck?.outcome.rawValue } == [outcome])
    }

    @Test func everyFixtureIsInTheTableAbove() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/eml/authentication")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".eml")
        }
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        #expect(!names.isEmpty)
        for name in names { #expect(source.contains("(\"\(name.dropLast(4))\","), "\(name)") }
    }

    @Test func whoIsDisownedWaitsWhereTheAdministratorWantsThat() throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture) { $0.unverified = .review }
        let message = try ingest("forged-pass-below", archive, fixture)
        #expect(message.state == .review)
        let item = try #require(try archive.reviewItems().first)
        #expect(
            item.reason
                == "Unverified sender maria@klient.example: spf=fail (klient.example), dmarc=fail (klient.example)"
        )
        #expect(item.senderCheck?.outcome == .failed)
        // Nobody's address by a new contact draws it along, since it becomes no truer by that.
        let maria = try archive.findContact(Self.maria)
        #expect(try archive.history(of: maria.id).isEmpty)
    }

    @Test(arguments: ["forged-user", "forged-user-beside-the-author"])
    func mailThatCameInUnderAUsersAddressIsNotTheUsers(_ name: String) throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture)
        let message = try ingest(name, archive, fixture)
        #expect(message.direction == .incoming && message.state == .archived)
        let history = try archive.history(of: archive.findContact(Self.maria).id)
        #expect(history.map(\.direction) == [.incoming])
        let explanation = try archive.explanation(of: message.id)
        let direction = try #require(explanation.decisions.first { $0.about == "direction" })
        #expect(
            direction.because == [
                "anna@firma.example in From is of the company, but no copy lies in a Sent folder, and the domain "
                    + "disowns the message"
            ])
        #expect(explanation.decisions.first { $0.about == "sender" }?.outcome == "failed")
    }

    @Test(arguments: [
        ("forged-user", "anna@firma.example"), ("forged-user-beside-the-author", "maria@klient.example"),
        ("forged-user-to-a-user", "anna@firma.example"),
    ])
    func aUsersAddressDoesNotEvadeTheCheck(_ name: String, _ author: String) throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture) { $0.unverified = .review }
        let message = try ingest(name, archive, fixture)
        #expect(message.state == .review && message.direction == .incoming)
        let item = try #require(try archive.reviewItems().first)
        #expect(
            item.reason == "Unverified sender \(author): spf=fail (firma.example), dmarc=fail (firma.example)"
        )
        #expect(try archive.history(of: archive.findContact(Self.maria).id).isEmpty)
    }

    @Test func mailInAUsersNameToAUserWaitsEvenWhereDisownedMailIsLinked() throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture)
        #expect(try ingest("forged-user-to-a-user", archive, fixture).state == .review)
        #expect(
            try archive.reviewItems().first?.reason.hasPrefix("Unverified sender anna@firma.example") == true)
    }

    /// A list that changes a user's mail breaks its signature, and sends it back to the user.
    @Test(arguments: [
        ("forged-user", Direction.outgoing, "archived"), ("forged-user-to-a-user", .internal, "ignored"),
        ("forged-user-beside-the-author", .internal, "archived"),
    ])
    func aCopyInASentFolderShowsThatAUserWroteIt(
        _ name: String, _ direction: Direction, _ state: String
    ) throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture) { $0.unverified = .review }
        #expect(try ingest(name, archive, fixture).state == .review)
        let sent = try archive.folder(account: fixture.account, name: FolderName("Sent"), role: .sent)
        let message = try ingest(name, archive, fixture, in: sent)
        #expect(message.direction == direction && message.senderCheck == nil)
        #expect(message.state.rawValue == state)
        #expect(try archive.reviewItems().isEmpty)
    }

    @Test func aCopyInASentFolderIsNotChecked() throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture) { $0.unverified = .review }
        let sent = try archive.folder(account: fixture.account, name: FolderName("Sent"), role: .sent)
        let message = try ingest("forged-user", archive, fixture, in: sent)
        #expect(message.direction == .outgoing && message.state == .archived && message.senderCheck == nil)
    }

    @Test func withoutAnAuthorityNothingIsSaid() throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture) { $0.authorities = AuthorityNames([]) }
        #expect(try ingest("forged-pass-below", archive, fixture).senderCheck == nil)
    }

    @Test func whatAUserSendsIsNotChecked() throws {
        let fixture = try WorkerFixture()
        let archive = try archive(fixture)
        let mail = """
            Authentication-Results: mx.firma.example; none\r
            From: \(WorkerFixture.own)\r
            To: \(Self.maria)\r
            Message-ID: <out@firma.example>\r
            \r
            Hello\r\n
            """
        let bytes = MessageBytes(Array(mail.utf8))
        let received = ReceivedMessage(
            folder: fixture.inbox, uidValidity: UIDValidity(7), uid: UID(1), internalDate: nil, bytes: bytes)
        let arrival = MessageReader.arrival(of: received, read: .read(MIMEParser().parse(bytes)))
        let message = try #require(try archive.ingest([arrival])[0].message)
        #expect(try archive.message(message).senderCheck == nil)
    }
}
