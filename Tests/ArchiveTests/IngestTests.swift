import Archive
import MailModel
import Matcher
import Testing

@Suite struct IngestTests {
    @Test func `the same arrivals again change nothing`() throws {
        let fixture = try ArchiveFixture()
        let batch = [fixture.arrival(1), fixture.arrival(2, text: "Two")]
        _ = try fixture.archive.ingest(batch)
        #expect(try fixture.archive.ingest(batch) == [.alreadyKnown, .alreadyKnown])
        #expect(try fixture.archive.ledgerCounts() == [.review: 2])
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `one UID twice in a batch is recorded once`() throws {
        let fixture = try ArchiveFixture()
        let outcomes = try fixture.archive.ingest([fixture.arrival(1), fixture.arrival(1, text: "Other")])
        #expect(outcomes[1] == .alreadyKnown)
    }

    @Test func `a message that could not be read is kept, and waits`() throws {
        let fixture = try ArchiveFixture()
        var arrival = fixture.arrival(1)
        arrival.content = nil
        let outcome = try fixture.archive.ingest([arrival])[0]
        guard case .quarantined(let id) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try fixture.archive.original(of: id).withUnsafeBytes(Array.init) == bytes(arrival))
        #expect(try fixture.archive.reviewItems().map(\.reason) == ["could not be read"])
        #expect(try fixture.archive.verify().isClean)
    }

    @Test func `one arrival that the archive refuses costs itself only`() throws {
        let fixture = try ArchiveFixture()
        let bad = fixture.arrival(2, text: "Bad") { content in
            content.attachments = [
                Attachment(
                    filename: nil, contentType: "text/plain", size: -1, sha256: content.contentDigest,
                    isInline: false, contentID: nil)
            ]
        }
        var nowhere = fixture.arrival(3, text: "Nowhere")
        nowhere.folder = FolderID(rawValue: 999)
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1), bad, nowhere, fixture.arrival(4, text: "Four"),
        ])
        guard case .review = outcomes[0], case .quarantined = outcomes[1], case .failed = outcomes[2],
            case .review = outcomes[3]
        else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a forged Message-ID does not suppress a genuine mail`() throws {
        let fixture = try ArchiveFixture()
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1, from: "forger@evil.example", messageID: "same@id", text: "Forged"),
            fixture.arrival(2, messageID: "same@id", text: "Genuine"),
            // The same Message-ID and text, another From: another content.
            fixture.arrival(3, from: "forger@evil.example", messageID: "same@id", text: "Genuine"),
        ])
        for outcome in outcomes {
            guard case .review = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
        #expect(try fixture.archive.messages(withID: MessageID(rawValue: "same@id")).count == 3)
    }

    @Test func `mail without a Message-ID is one only when its bytes are`() throws {
        let fixture = try ArchiveFixture()
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1, transport: "Received: a\r\n") { $0.messageID = nil },
            fixture.arrival(2, transport: "Received: b\r\n") { $0.messageID = nil },
            fixture.arrival(3, transport: "Received: a\r\n") { $0.messageID = nil },
        ])
        guard case .review(let first) = outcomes[0], case .review = outcomes[1] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(outcomes[2] == .duplicate(of: first))
    }

    @Test func `one mail in two mailboxes is one message with two copies and two originals`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1, transport: "Received: one\r\n"),
            fixture.arrival(1, transport: "Received: two\r\n", folder: fixture.sent),
        ])
        guard case .linked(let id, contacts: [maria]) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(outcomes[1] == .duplicate(of: id))
        let message = try fixture.archive.message(id)
        #expect(message.copies.map(\.state) == [.archived, .duplicate])
        #expect(Set(message.copies.map(\.sha256)).count == 2)
        #expect(try fixture.archive.history(of: maria).count == 1)
        let second = try fixture.archive.original(message.copies[1].original)
        #expect(
            String(decoding: second.withUnsafeBytes(Array.init), as: UTF8.self).hasPrefix("Received: two"))
    }

    @Test func `a Sent copy's blind recipients are linked, another copy's are not`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        let stranger = fixture.arrival(
            1, from: "anna@firma.example", to: ["stranger@else.example"], transport: "Received: x\r\n")
        let forged = fixture.arrival(
            2, from: "anna@firma.example", to: ["stranger@else.example"], bcc: ["maria@client.example"],
            transport: "Bcc: maria@client.example\r\n")
        _ = try fixture.archive.ingest([stranger, forged])
        #expect(try fixture.archive.historyCount(of: maria) == 0)
        let sent = fixture.arrival(
            1, from: "anna@firma.example", to: ["stranger@else.example"], bcc: ["maria@client.example"],
            transport: "Bcc: maria@client.example\r\nX: 1\r\n", folder: fixture.sent)
        _ = try fixture.archive.ingest([sent])
        #expect(try fixture.archive.historyCount(of: maria) == 1)
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test(arguments: [false, true])
    func `mail to a colleague and a blind stranger waits, whichever copy comes first`(sentFirst: Bool) throws
    {
        let fixture = try ArchiveFixture()
        try fixture.archive.addUser(name: "otto", email: EmailAddress("otto@firma.example"))
        let received = fixture.arrival(
            1, from: "anna@firma.example", to: ["otto@firma.example"], transport: "Received: x\r\n")
        let sent = fixture.arrival(
            1, from: "anna@firma.example", to: ["otto@firma.example"], bcc: ["stranger@else.example"],
            transport: "Bcc: stranger@else.example\r\n", folder: fixture.sent)
        for arrival in sentFirst ? [sent, received] : [received, sent] {
            _ = try fixture.archive.ingest([arrival])
        }
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.address == "stranger@else.example")
        #expect(try fixture.archive.message(item.message).direction == .outgoing)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `importing the same bytes again adds no row`() throws {
        let fixture = try ArchiveFixture()
        _ = try fixture.archive.ingest([fixture.arrival(nil), fixture.arrival(nil, text: "Two")])
        let again = try fixture.archive.ingest([fixture.arrival(nil)])
        guard case .duplicate = again[0] else {
            Issue.record("\(again)")
            return
        }
        #expect(try fixture.archive.knownUIDs(fixture.inbox, UIDValidity(7)).sequenceSet == "1:2")
    }

    @Test func `internal mail is ignored, and says so`() throws {
        let fixture = try ArchiveFixture()
        try fixture.archive.addUser(name: "otto", email: EmailAddress("Otto@Firma.Example"))
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1, from: "anna@firma.example", to: ["otto@firma.example"])
        ])
        guard case .ignored(let id, rule: nil) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
        }
        let message = try fixture.archive.message(id)
        #expect(message.stateReason == "internal")
        #expect(message.direction == .internal)
    }

    @Test func `a date in the future does not stand above everything`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Future") { $0.date = UnixTime(99_999_999_999) },
            fixture.arrival(2, text: "Now") { $0.date = UnixTime(1_700_000_500) },
        ])
        #expect(try fixture.archive.history(of: maria).map(\.subject) == ["Now", "Future"])
    }

    private func bytes(_ arrival: Arrival) -> [UInt8] { arrival.original.withUnsafeBytes(Array.init) }

    @Test func `the same body that reads otherwise is another mail`() throws {
        let fixture = try ArchiveFixture()
        func arrival(_ uid: UInt32, _ way: String, _ form: String?) -> Arrival {
            fixture.arrival(uid, transport: "X-Way: \(way)\r\n") {
                $0.formDigest = form.map { fixture.digest($0) }
            }
        }
        let outcomes = try fixture.archive.ingest([
            arrival(1, "forged", "A"), arrival(2, "genuine", "B"), arrival(3, "copy", "B"),
        ])
        guard case .review = outcomes[0], case .review(let genuine) = outcomes[1] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(outcomes[2] == .duplicate(of: genuine))
        // Erased, it stays away, and keeps the other one from nothing.
        try fixture.archive.makePrivate(genuine)
        #expect(try fixture.archive.ingest([arrival(4, "again", "B")]) == [.duplicate(of: genuine)])
        guard case .review = try fixture.archive.ingest([arrival(5, "third", "C")])[0] else {
            Issue.record("a third one is taken for a copy")
            return
        }
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `a message from before bodies' forms were looked at has its copies still`() throws {
        let fixture = try ArchiveFixture()
        let outcomes = try fixture.archive.ingest([
            fixture.arrival(1),
            fixture.arrival(2, transport: "X: 1\r\n") { $0.formDigest = fixture.digest("A") },
        ])
        guard case .review(let message) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(outcomes[1] == .duplicate(of: message))
    }
}
