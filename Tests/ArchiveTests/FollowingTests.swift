import Archive
import MailModel
import Matcher
import Testing

@Suite struct FollowingTests {
    private func email(_ text: String) -> EmailAddress { EmailAddress(text)! }

    @Test func `mail leaves with the address that brought it, and waits again`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example", "m@home.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Work"), fixture.arrival(2, from: "m@home.example", text: "Home"),
        ])
        var draft = ContactDraft(try fixture.archive.contact(maria))
        draft.emails = [email("m@home.example")]
        let gain = try fixture.archive.changeContact(maria) { $0 = draft }.gain
        #expect(gain.unlinkedMessages == 1)
        #expect(gain.openedItems == 1)
        #expect(try fixture.archive.history(of: maria).map(\.subject) == ["Home"])
        #expect(
            try fixture.archive.reviewItems().map(\.reason) == [
                "No matching contacts for maria@client.example"
            ])
        #expect(try fixture.archive.verify().findings == [])
        draft.emails.append(email("maria@client.example"))
        try fixture.archive.changeContact(maria) { $0 = draft }
        #expect(try fixture.archive.historyCount(of: maria) == 2)
        #expect(try fixture.archive.openReviewCount() == 0)
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test func `history may stay when an address goes, and what another one holds stays anyway`() throws {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client.example", "m@home.example")
        _ = try fixture.archive.ingest([
            fixture.arrival(1, text: "Work"),
            fixture.arrival(2, to: ["anna@firma.example", "m@home.example"], text: "Both"),
        ])
        var draft = ContactDraft(try fixture.archive.contact(maria))
        draft.emails = [email("m@home.example")]
        let gain = try fixture.archive.changeContact(maria, losing: .stays(by: "anna")) { $0 = draft }.gain
        #expect(gain.unlinkedMessages == 0)
        #expect(Set(try fixture.archive.history(of: maria).map(\.linkedBy)) == ["anna", "rule"])
        #expect(try fixture.archive.verify().findings == [])
    }

    @Test(arguments: MatchPolicy.Threads.allCases)
    func `an answer to mail in Sent follows it if policy says so`(threads: MatchPolicy.Threads) throws {
        let fixture = try ArchiveFixture()
        var policy = MatchPolicy()
        policy.threads = threads
        let archive = try fixture.reopened(matching: policy)
        let maria = try fixture.contact("Maria", "maria@client.example")
        func answer(_ uid: UInt32, to id: String, _ text: String) -> Arrival {
            fixture.arrival(uid, from: "stranger@else.example", text: text) {
                $0.inReplyTo = [MessageID(rawValue: id)]
            }
        }
        func ours(_ uid: UInt32, _ text: String, in folder: FolderID) -> Arrival {
            fixture.arrival(
                uid, from: "anna@firma.example", to: ["maria@client.example"],
                messageID: "\(text)@firma.example", text: text, folder: folder)
        }
        // The one in the inbox only says that it is Anna's.
        _ = try archive.ingest([
            ours(1, "Offer", in: fixture.sent), ours(1, "Forged", in: fixture.inbox),
            answer(2, to: "Forged@firma.example", "Trick"), answer(3, to: "Offer@firma.example", "Answer"),
        ])
        let linked = try archive.history(of: maria).map(\.subject)
        #expect(linked.contains("Answer") == (threads == .link))
        #expect(!linked.contains("Trick"))
        #expect(try archive.openReviewCount() == (threads == .link ? 1 : 2))
        #expect(try archive.verify().findings == [])
    }

    /// Anna has written to Maria, and a stranger has answered.
    private func correspondence(_ threads: MatchPolicy.Threads) throws -> (ArchiveFixture, Archive, ContactID)
    {
        let fixture = try ArchiveFixture()
        var policy = MatchPolicy()
        policy.threads = threads
        let archive = try fixture.reopened(matching: policy)
        let maria = try archive.addContact(
            ContactDraft(name: "Maria", emails: [email("maria@client.example")])
        ).id
        return (fixture, archive, maria)
    }

    private func ourOffer(_ fixture: ArchiveFixture) -> Arrival {
        fixture.arrival(
            1, from: "anna@firma.example", to: ["maria@client.example"], messageID: "offer@firma.example",
            text: "Offer", folder: fixture.sent)
    }

    private func answer(_ fixture: ArchiveFixture, to id: String = "offer@firma.example") -> Arrival {
        fixture.arrival(2, from: "stranger@else.example", text: "Answer") {
            $0.inReplyTo = [MessageID(rawValue: id)]
        }
    }

    @Test(arguments: MatchPolicy.Threads.allCases)
    func `mail that loses its contact is matched by the archive's policy`(
        threads: MatchPolicy.Threads
    ) throws {
        let (fixture, archive, maria) = try correspondence(threads)
        let boris = try archive.addContact(
            ContactDraft(name: "Boris", emails: [email("stranger@else.example")])
        ).id
        _ = try archive.ingest([ourOffer(fixture), answer(fixture)])
        #expect(try archive.history(of: boris).map(\.subject) == ["Answer"])
        try archive.changeContact(boris) { $0.emails = [] }
        let isLinked = threads == .link
        #expect(try archive.historyCount(of: boris) == 0)
        #expect(try archive.history(of: maria).map(\.subject).contains("Answer") == isLinked)
        #expect(try archive.openReviewCount() == (isLinked ? 0 : 1))
        #expect(try archive.verify().findings == [])
    }

    @Test func `an answer that leads to somebody who was said not to have it waits`() throws {
        let (fixture, archive, maria) = try correspondence(.link)
        let boris = try archive.addContact(
            ContactDraft(name: "Boris", emails: [email("stranger@else.example")])
        ).id
        _ = try archive.ingest([ourOffer(fixture), answer(fixture)])
        let message = try #require(try archive.history(of: boris).first).message
        try archive.link(message, to: [maria], by: "anna")
        try archive.unlink(message, from: maria, by: "anna")
        try archive.changeContact(boris) { $0.emails = [] }
        #expect(try archive.history(of: maria).map(\.subject) == ["Offer"])
        #expect(try archive.reviewItems().map(\.message) == [message])
        #expect(try archive.verify().findings == [])
    }

    @Test func `an answer leaves a history with the mail that it answers`() throws {
        let (fixture, archive, maria) = try correspondence(.link)
        _ = try archive.ingest([ourOffer(fixture), answer(fixture)])
        #expect(try archive.historyCount(of: maria) == 2)
        let gain = try archive.changeContact(maria) { $0.emails = [] }.gain
        #expect(gain.unlinkedMessages == 2)
        #expect(gain.openedItems == 2)
        #expect(try archive.historyCount(of: maria) == 0)
        #expect(try archive.verify().findings == [])
    }

    @Test func `an answer stays when its own address is the contact's by now`() throws {
        let (fixture, archive, maria) = try correspondence(.link)
        _ = try archive.ingest([ourOffer(fixture), answer(fixture)])
        let gain = try archive.changeContact(maria) { $0.emails = [email("stranger@else.example")] }.gain
        #expect(gain.unlinkedMessages == 1)
        #expect(try archive.history(of: maria).map(\.subject) == ["Answer"])
        try archive.changeContact(maria) { $0.emails = [] }
        #expect(try archive.historyCount(of: maria) == 0)
        #expect(try archive.verify().findings == [])
    }

    @Test(arguments: [OutboxRecipientState.sent, .uncertain, .failed])
    func `an answer to what the outbox has sent is filed before the mail itself is`(
        state: OutboxRecipientState
    ) throws {
        let (fixture, archive, maria) = try correspondence(.link)
        _ = try DeliveryReportTests.sent(fixture, as: state)
        _ = try archive.ingest([answer(fixture, to: "m1@firma.example")])
        let isOurs = state != .failed
        #expect(try archive.historyCount(of: maria) == (isOurs ? 1 : 0))
        #expect(try archive.openReviewCount() == (isOurs ? 0 : 1))
        #expect(try archive.verify().findings == [])
    }

    @Test func `a lead that becomes a person keeps number and history`() throws {
        let fixture = try ArchiveFixture()
        let lead = try fixture.archive.addContact(
            ContactDraft(kind: .lead, name: "Maria", emails: [email("maria@client.example")])
        ).id
        _ = try fixture.archive.ingest([fixture.arrival(1)])
        var draft = ContactDraft(try fixture.archive.contact(lead))
        draft.kind = .person
        draft.details.tags = ["vip", "a\u{0}b"]
        try fixture.archive.changeContact(lead) { $0 = draft }
        #expect(try fixture.archive.contact(lead).kind == .person)
        #expect(try fixture.archive.contact(lead).details.tags == ["ab", "vip"])
        #expect(try fixture.archive.historyCount(of: lead) == 1)
    }

    @Test func `an address that looks like a contact's waits with a warning, and is linked to nobody`() throws
    {
        let fixture = try ArchiveFixture()
        let maria = try fixture.contact("Maria", "maria@client-firm.example")
        _ = try fixture.archive.ingest([fixture.arrival(1, from: "maria@c1ient-firm.example")])
        #expect(try fixture.archive.historyCount(of: maria) == 0)
        #expect(
            try fixture.archive.reviewItems().map(\.reason) == [
                "No matching contacts for maria@c1ient-firm.example: it looks like maria@client-firm.example"
            ])
    }

    @Test func `one external id twice in a file is refused by name, and a trial changes nothing`() throws {
        let fixture = try ArchiveFixture()
        var one = ContactImportRow(name: "One\u{0}Two", emails: [email("a@x.example")])
        one.externalID = "7"
        var again = ContactImportRow(name: "Other", emails: [email("b@x.example")])
        again.externalID = "7"
        let trial = try fixture.archive.importContacts([one, again], isTrial: true)
        #expect(trial.changes.map(\.isNew) == [true])
        #expect(trial.refused.map(\.row) == [1])
        #expect(trial.refused.first?.failure.detail?.contains("7") == true)
        #expect(try fixture.archive.contacts().isEmpty)
        _ = try fixture.archive.importContacts([one, again])
        #expect(try fixture.archive.findContact("7").name == "OneTwo")
    }
}
