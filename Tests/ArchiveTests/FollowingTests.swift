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
