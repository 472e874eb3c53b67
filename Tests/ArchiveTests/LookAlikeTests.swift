import MailModel
import Matcher
import Testing

@testable import Archive

/// Addresses that somebody has chosen to be taken for a known one: they are warned of, and nothing leads from them to
/// the one who is imitated.
struct LookAlikeTests {
    private let fixture: ArchiveFixture

    init() throws {
        fixture = try ArchiveFixture()
        try fixture.contact(
            "Ivan Petrov", "ivan@acme-corp.ru", "ivan.petrov@gmail.com", "office@transgranit.ru")
    }

    private func arrival(_ uid: UInt32, _ from: String, name: String? = "Ivan Petrov") -> Arrival {
        fixture.arrival(uid, from: from, text: "Mail \(uid)") {
            $0.participants[0].mailbox.displayName = name
        }
    }

    @Test(
        arguments: [
            ("ivan@acme-corp.com", nil, "it only differs in its ending from ivan@acme-corp.ru"),
            ("boss@acme-corp.com", nil, "it only differs in its ending from acme-corp.ru"),
            ("ivan@acme-corp.ru.evil.com", nil, "it only contains the name ivan@acme-corp.ru"),
            ("x@gmail.com.evil.com", nil, "it only contains the name gmail.com"),
            ("ivan@acme-corp-support.ru", nil, "it adds a word to ivan@acme-corp.ru"),
            ("anna@firma.com", nil, "it only differs in its ending from firma.example"),
            ("anna@firma.example.evil.com", nil, "it only contains the name firma.example"),
            ("bill79@gmail.com", "ivan@acme-corp.ru", "it bears as a name the address ivan@acme-corp.ru"),
            (
                "bill79@gmail.com", "Anna <anna@firma.example>",
                "it bears as a name the address anna@firma.example"
            ),
            ("ivan@acrne-corp.ru", nil, "it looks like ivan@acme-corp.ru"),
            ("ivan@trnasgranit.ru", nil, "it differs in one letter from transgranit.ru"),
        ] as [(String, String?, String)])
    func `it is warned of, suggests nobody and makes no lead`(
        _ address: String, _ name: String?, _ warning: String
    ) throws {
        var policy = MatchPolicy()
        policy.leads = .personal
        let archive = try fixture.reopened(matching: policy)
        _ = try archive.ingest([arrival(1, address, name: name ?? "Ivan Petrov")])
        let item = try #require(try archive.reviewItems().first)
        #expect(item.reason == "No matching contacts for \(address): \(warning)")
        #expect(item.suggestions.isEmpty)
        #expect(try archive.contacts().count == 1)
    }

    @Test func `what looks like an address of ours at a public provider is warned of`() throws {
        let own = try #require(EmailAddress("petr.sidorov@yandex.ru"))
        try fixture.archive.addUser(name: "petr", email: own)
        _ = try fixture.archive.ingest([
            arrival(1, "petr.sid0rov@yandex.ru", name: nil), arrival(2, "olga@yandex.ru", name: nil),
        ])
        let reasons = try fixture.archive.reviewItems().map(\.reason)
        #expect(reasons.filter { $0.hasSuffix(CanonicalAddress(own).rawValue) }.count == 1)
        #expect(reasons.contains("No matching contacts for olga@yandex.ru"))
    }

    @Test(arguments: [
        "sales@shop.acme-corp.ru", "ivan.petrov1@gmail.com", "bill@vektor.ru", "x@acme-tools.com",
    ])
    func `others are not`(_ address: String) throws {
        _ = try fixture.archive.ingest([arrival(1, address)])
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.reason == "No matching contacts for \(address)")
        #expect(item.suggestions.map(\.name) == ["Ivan Petrov"])
    }

    @Test func `a known domain below another one's names hides nothing behind many of its own`() throws {
        for number in 0..<40 {
            try fixture.contact("C\(number)", "c@acme-corp.city\(number).example", "d\(number)@acme-corp.ru")
        }
        _ = try fixture.archive.ingest([arrival(1, "ivan@acme-corp-login.net")])
        let item = try #require(try fixture.archive.reviewItems().first)
        #expect(item.reason.hasSuffix(": it adds a word to ivan@acme-corp.ru"))
    }

    @Test(arguments: [("ivan@acrne-corp.ru", "Ivan Petrov"), ("bill79@gmail.com", "ivan@acme-corp.ru")])
    func `its address is added by a word of its own only`(_ address: String, _ name: String) throws {
        _ = try fixture.archive.ingest([arrival(1, address, name: name)])
        let archive = fixture.archive
        let item = try #require(try archive.reviewItems().first)
        let ivan = try archive.findContact("Ivan Petrov").id
        #expect {
            try archive.link(.items([item.id]), to: [ivan], addingAddress: true, by: "anna")
        } throws: { error in
            let failure = error as? MailFailure
            return failure?.code == .invalidValue && failure?.detail?.hasPrefix(address + ": it ") == true
                && failure?.remedy?.contains("--yes") == true
        }
        #expect(try archive.openReviewCount() == 1)
        #expect(try archive.contact(ivan).emails.count == 3)
        try archive.link(
            .items([item.id]), to: [ivan], addingAddress: true, trustsLookAlike: true, by: "anna")
        #expect(try archive.contact(ivan).emails.map(\.addrSpec).last == address)
    }

    @Test func `a contact's exact name of one word makes no lead`() throws {
        try fixture.contact("Мария", "m@klient.example")
        var policy = MatchPolicy()
        policy.leads = .personal
        let archive = try fixture.reopened(matching: policy)
        _ = try archive.ingest([
            arrival(1, "other@else.example", name: " мария"), arrival(2, "o@else.example", name: "Олег"),
        ])
        #expect(try archive.reviewItems().map(\.address) == ["other@else.example"])
        #expect(try archive.contacts().filter { $0.kind == .lead }.map(\.name) == ["Олег"])
    }
}
