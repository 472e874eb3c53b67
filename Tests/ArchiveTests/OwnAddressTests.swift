import Archive
import MailModel
import Matcher
import Testing

/// Users and accounts come after the mail that they have written.
@Suite struct OwnAddressTests {
    private let boss = EmailAddress("boss@firma.example")!

    private func correspondence(_ fixture: ArchiveFixture) throws {
        _ = try fixture.archive.ingest([
            fixture.arrival(1, from: "boss@firma.example", text: "From the boss"),
            fixture.arrival(
                1, from: "anna@firma.example", to: ["gleb@firma.example"], text: "To Gleb",
                folder: fixture.sent),
            fixture.arrival(
                2, from: "boss@firma.example", to: ["anna@firma.example", "new@client.example"],
                text: "To a stranger"),
            fixture.arrival(3, text: "From Maria"),
        ])
        #expect(try fixture.archive.openReviewCount() == 4)
    }

    private func queue(_ archive: Archive) throws -> [String?: String?] {
        try archive.reviewItems(withSuggestions: false).reduce(into: [:]) { $0[$1.subject] = $1.address }
    }

    @Test func `mail between users waits no longer once both are users`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try correspondence(fixture)
        try archive.addUser(name: "boss", email: boss)
        #expect(
            try queue(archive) == [
                "To Gleb": "gleb@firma.example", "To a stranger": "new@client.example",
                "From Maria": "maria@client.example",
            ])
        let stranger = try #require(try archive.reviewItems().first { $0.subject == "To a stranger" })
        #expect(stranger.direction == .outgoing)
        let internals = try archive.message(
            #require(try archive.messages(withID: MessageID(rawValue: "From the boss@client.example")).first))
        #expect(internals.state == .ignored && internals.direction == .internal)
        let user = try archive.addUser(name: "gleb", email: nil)
        #expect(try queue(archive).count == 3)
        try archive.editUser(user, displayName: nil, email: EmailAddress("gleb@firma.example"))
        #expect(try queue(archive).count == 2)
        #expect(try archive.verify().findings == [])
        // It was another's after all.
        try archive.editUser(user, displayName: nil, email: nil)
        #expect(try queue(archive)["To Gleb"] == "gleb@firma.example")
        #expect(try archive.verify().findings == [])
    }

    @Test func `an account's address counts as well, when it is made and when it changes`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try correspondence(fixture)
        let account = try archive.addAccount(ArchiveFixture.settings("gleb", nil, email: boss))
        #expect(try queue(archive).keys.contains("From the boss") == false)
        var settings = try archive.account(account).settings
        settings.email = EmailAddress("gleb@firma.example")
        try archive.editAccount(account, settings)
        #expect(
            try queue(archive) == [
                "From the boss": "boss@firma.example", "To a stranger": "boss@firma.example",
                "From Maria": "maria@client.example",
            ])
        #expect(try archive.verify().findings == [])
    }

    @Test func `what a person has decided, and mail of a contact, stays`() throws {
        let fixture = try ArchiveFixture()
        let archive = fixture.archive
        try correspondence(fixture)
        let maria = try fixture.contact("Maria", "maria@client.example")
        let item = try #require(try archive.reviewItems().first { $0.subject == "From the boss" })
        try archive.link(.items([item.id]), to: [maria], by: "anna")
        try archive.addUser(name: "boss", email: boss)
        #expect(try archive.historyCount(of: maria) == 2)
        #expect(try archive.verify().findings == [])
    }
}
