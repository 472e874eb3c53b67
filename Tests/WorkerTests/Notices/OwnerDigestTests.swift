import Foundation
import MIMEParse
import MailModel
import Matcher
import Testing

@testable import Archive
@testable import Worker

extension WorkerFixture {
    /// Whether the text lies anywhere in the archive's files.
    fileprivate func holds(_ text: String) throws -> Bool {
        let data = directory.path + "/data"
        return try FileManager.default.subpathsOfDirectory(atPath: data).contains { name in
            let bytes = FileManager.default.contents(atPath: data + "/" + name)
            return bytes?.range(of: Data(text.utf8)) != nil
        }
    }
}

/// Mails that tell owners of new mail.
@Suite struct OwnerDigestTests {
    private let fixture: WorkerFixture
    private let parsing = InProcessParsing(parser: MIMEParser())

    init() throws {
        fixture = try WorkerFixture {
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 2525, security: .none)
        }
        try watch(fixture.contact)
    }

    private func watch(_ contact: ContactID) throws {
        let user = fixture.user
        try fixture.archive.changeContact(contact) {
            $0.owner = user
            $0.notifyOwner = true
        }
    }

    private func digests(_ account: String = "anna") -> OwnerDigests {
        OwnerDigests(
            archive: fixture.archive, parsing: parsing, submission: .init(),
            settings: OwnerDigests.Settings(account: account, minutes: 60))
    }

    /// Mail comes from this sender.
    private func receive(_ number: Int, from: String = WorkerFixture.client) throws {
        let received = fixture.received(number, from: from)
        let arrival = MessageReader.arrival(of: received, read: .read(MIMEParser().parse(received.bytes)))
        _ = try fixture.archive.ingest([arrival])
    }

    private func text(_ item: OutboxItem) throws -> String {
        String(decoding: try fixture.archive.outboxPiece(item.id, 0), as: UTF8.self)
    }

    @Test func withoutNewsNothingIsSent() async throws {
        #expect(try await digests().run().queued == 0)
        try receive(1, from: "stranger@else.example")
        #expect(try await digests().run().queued == 0)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func aDigestIsAProgramsMailFromTheAccountToTheOwner() async throws {
        try receive(1)
        #expect(try await digests().run().queued == 1)
        let item = try #require(try fixture.archive.outboxItems().first)
        #expect(item.kind == .automatic && item.requestedBy == "mailworker")
        #expect(item.recipients.map(\.address) == [WorkerFixture.own])
        // Nobody is told that it could not be delivered.
        #expect(item.sender == "")
        let text = try text(item)
        #expect(text.contains("Auto-Submitted: auto-generated\r\n"))
        #expect(text.contains("Subject: New mail of Maria\r\n"))
        #expect(text.contains("Message 1 (message "))
        #expect(try fixture.archive.events().map { $0.digest != nil } == [true])
    }

    @Test func aProviderThatTakesOwnAddressesOnlyGetsOne() async throws {
        let fixture = try WorkerFixture {
            $0.preset = "yandex"
            $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 2525, security: .none)
        }
        var request = MailRequest(account: "anna", to: [WorkerFixture.own])
        request.text = "x"
        request.kind = .automatic
        request.isReturnedToNobody = true
        let receipt = try await MailSubmission(archive: fixture.archive, parsing: parsing, settings: .init())
            .submit(request, by: "x").receipt
        #expect(try fixture.archive.outboxItem(receipt.item).sender == WorkerFixture.own)
    }

    @Test func theNextDigestWaitsAndTellsWhatIsNew() async throws {
        try receive(1)
        _ = try await digests().run()
        fixture.clock.advance(3599)
        try receive(2)
        #expect(try await digests().run().queued == 0)
        fixture.clock.advance(61)
        try receive(3)
        #expect(try await digests().run().queued == 1)
        let items = try fixture.archive.outboxItems()
        #expect(items.count == 2)
        let text = try text(items[0])
        #expect(text.contains("Message 3 (") && !text.contains("Message 1 ("))
    }

    /// The process dies between any two of its steps.
    @Test func whateverDiesInBetweenOneMailTellsIt() async throws {
        try receive(1)
        // After the first step.
        try fixture.archive.openDigests(every: 3600)
        #expect(try await digests().run().queued == 1)
        // After the second: the mail is queued, and the digest does not say so.
        fixture.clock.advance(7200)
        try receive(2)
        try fixture.archive.openDigests(every: 3600)
        let digest = try #require(try fixture.archive.digestsToQueue().first)
        var request = MailRequest(account: "anna", to: [WorkerFixture.own])
        request.text = "what the dead process wrote"
        request.kind = .automatic
        request.idempotencyKey = "owner-digest:\(digest.id)"
        request.keyStandsForAnyWords = true
        _ = try await MailSubmission(archive: fixture.archive, parsing: parsing, settings: .init())
            .submit(request, by: "mailworker")
        #expect(try await digests().run().queued == 1)
        #expect(try fixture.archive.outboxItems().count == 2)
        #expect(try fixture.archive.digestsToQueue().isEmpty)
        #expect(try await digests().run().queued == 0)
    }

    @Test func whatIsErasedMeanwhileIsNotTold() async throws {
        try receive(1)
        try fixture.archive.openDigests(every: 3600)
        _ = try fixture.archive.erase(fixture.contact)
        #expect(try await digests().run().queued == 0)
        #expect(try fixture.archive.digestsToQueue().isEmpty)
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    /// Who is erased is in no mail that told of them, and a message made private is in none either.
    @Test(arguments: [true, false]) func whatToldOfItIsErasedWithIt(isContact: Bool) async throws {
        let contact = try fixture.archive.addContact(
            ContactDraft(name: "Marker Person", emails: [EmailAddress("marker@klient.example")!])
        ).id
        try watch(contact)
        try receive(1, from: "marker@klient.example")
        try receive(2)
        _ = try await digests().run()
        let item = try #require(try fixture.archive.outboxItems().first)
        let message = try #require(try fixture.archive.history(of: contact).first).message
        let erase = { [fixture] in
            if isContact {
                _ = try fixture.archive.erase(contact)
            } else {
                try fixture.archive.makePrivate(message)
            }
        }
        // Not while it is on its way: nothing is erased by halves.
        let failure = #expect(throws: MailFailure.self) { try erase() }
        #expect(failure?.code == .outboxState)
        #expect(try fixture.archive.message(message).subject == "Message 1")
        fixture.clock.advance(60)
        try fixture.sent(item.id)
        #expect(try await SentFiling(archive: fixture.archive, parsing: parsing).run() == 1)
        // Long after nobody is shown the event.
        fixture.clock.advance(100 * 86_400)
        try fixture.archive.forgetOldEvents()
        try erase()
        let filed = try #require(try fixture.archive.outboxItem(item.id).message)
        #expect(try fixture.archive.message(filed).state == .private)
        #expect(try fixture.archive.outboxItem(item.id).subject == nil)
        #expect(throws: MailFailure.self) { try fixture.archive.original(of: filed) }
        if isContact { #expect(try !fixture.holds("Marker Person")) }
        #expect(try !fixture.holds("Message 1 (message"))
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func anAccountThatCannotSendIsSaidAndTriedAgain() async throws {
        try receive(1)
        let outcome = try await digests("nobody").run()
        #expect(outcome.queued == 0 && outcome.failures.map(\.code) == [.unknownAccount])
        #expect(try await digests().run().queued == 1)
    }

    @Test func aDigestThatWasSentIsInNoHistory() async throws {
        try receive(1)
        _ = try await digests().run()
        let item = try #require(try fixture.archive.outboxItems().first)
        // Even where the owner's address is a contact's, too.
        _ = try fixture.archive.addContact(
            ContactDraft(name: "Anna herself", emails: [EmailAddress(WorkerFixture.own)!]))
        fixture.clock.advance(60)
        try fixture.sent(item.id)
        #expect(try await SentFiling(archive: fixture.archive, parsing: parsing).run() == 1)
        let message = try fixture.archive.message(
            try #require(try fixture.archive.outboxItem(item.id).message))
        #expect(message.state == .ignored && message.links.isEmpty)
        #expect(try fixture.archive.events().count == 1)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func aDigestOfManyIsCountedNotListed() throws {
        let event = Event(
            id: EventID(rawValue: 1), at: UnixTime(0), kind: .contactMail, user: "anna",
            contact: ContactID(rawValue: 1), contactName: "A\r\nBcc: x@evil.example",
            message: ArchivedMessageID(rawValue: 1),
            subject: "Two\nlines", from: nil, date: UnixTime(0), senderCheck: nil, digest: nil)
        let digest = DigestText(events: Array(repeating: event, count: 250))
        #expect(digest.subject == "New mail of A Bcc: x@evil.example")
        #expect(digest.text.split(separator: "\n").count < 110)
        #expect(digest.text.contains("… and 150 more."))
        #expect(digest.text.contains("  1970-01-01 00:00 UTC  Two lines (message 1)"))
    }
}
