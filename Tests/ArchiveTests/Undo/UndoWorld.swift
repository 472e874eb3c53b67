import GRDB
import MailModel
import Matcher

@testable import Archive

/// An archive with mail of a few people, in which somebody acts by chance.
struct UndoWorld {
    let fixture: ArchiveFixture
    private var random: Seeded
    private var count = 0

    private static let messages: Int64 = 40
    static let people = (0..<8).map {
        "p\($0)@\(["one.example", "two.example", "gmail.com"][$0 % 3])"
    }

    init(seed: UInt64) throws {
        let fixture = try ArchiveFixture()
        var draw = Seeded(state: seed)
        _ = try fixture.archive.ingest(
            (1...UInt32(Self.messages)).map { (uid: UInt32) in
                let from = Self.people.randomElement(using: &draw)!
                let other = Self.people.randomElement(using: &draw)!
                return fixture.arrival(
                    uid, from: from, to: ["anna@firma.example", other], text: "Text \(uid)"
                ) { $0.signature = "79161234567" }
            })
        for name in ["Maria", "Boris"] { try fixture.contact(name) }
        self.fixture = fixture
        random = draw
    }

    /// - Returns: nil when the action that was drawn was not possible, or changed nothing.
    mutating func act() throws -> (id: UndoID, action: String)? {
        let archive = fixture.archive
        let action = pick(Action.allCases)
        let contacts = try archive.contacts().map(\.id)
        let items = try archive.reviewItems(withSuggestions: false)
        let address = EmailAddress(pick(Self.people))!
        let contact = pick(contacts)
        count += 1
        let name = "Contact \(count)"
        let selection: ReviewSelection =
            items.isEmpty || coin() ? .address(address) : .items([pick(items).id])
        let other = pick(contacts)
        let contactIDs = coin() || contact == other ? [contact] : [contact, other]
        let message = ArchivedMessageID(rawValue: pick(Array(1...Self.messages)))
        let linked = try contacts.flatMap { contact in
            try archive.history(of: contact).map { (message: $0.message, contact: contact) }
        }
        let addsAddress = coin()
        let pattern = RulePattern(stored: coin() ? address.addrSpec : "two.example")
        let rule = try archive.ignoreRules().first?.id ?? IgnoreRuleID(rawValue: 99)
        fixture.clock.advance(1)
        do {
            let id = try fixture.act(action.rawValue) {
                switch action {
                case .link:
                    try archive.link(selection, to: contactIDs, addingAddress: addsAddress, by: "anna")
                case .ignore: try archive.ignore(selection, by: "anna")
                case .ignoreAddress: try archive.ignore(selection, .address, by: "anna")
                case .ignoreDomain: try archive.ignore(selection, .domain, by: "anna")
                case .unlink:
                    guard let link = linked.first else { return }
                    try archive.unlink(link.message, from: link.contact, by: "anna")
                case .linkMessage: try archive.link(message, to: contactIDs, by: "anna")
                case .mergeContacts: try archive.mergeContacts([other], into: contact)
                case .importContacts:
                    var row = ContactImportRow(name: name, emails: [address])
                    row.organisation = "Vektor"
                    row.tags = ["imported"]
                    let new = EmailAddress("\(contacts.count)y@new.example")!
                    _ = try archive.importContacts([row, ContactImportRow(name: name, emails: [new])])
                case .addContact:
                    try archive.addContact(
                        ContactDraft(
                            name: name,
                            emails: [address, EmailAddress("\(name.count)x\(contacts.count)@new.example")!]))
                case .editContact:
                    try archive.changeContact(contact) { $0 = ContactDraft(name: name, emails: [address]) }
                case .addAddress: try archive.addAddress(address, to: contact)
                case .createContact: _ = try archive.createContact(from: selection, kind: .lead, by: "anna")
                case .addRule: try archive.addRule(pattern, by: "anna")
                case .editRule: try archive.editRule(rule, pattern, by: "anna")
                case .removeRule: try archive.removeRule(rule, by: "anna")
                case .editMessage:
                    let words = EditedWords(
                        subject: addsAddress ? name : nil, text: "\(name) in other words", snippet: name,
                        signature: "7903123456\(count % 10)")
                    try archive.edit(message, words, by: "anna")
                case .revertEdit:
                    let edited = try edited(contacts: linked.map(\.message), items.map(\.message))
                    try archive.revertEdit(of: edited ?? message, signature: "79161234567")
                }
            }
            return id.map { ($0, action.rawValue) }
        } catch let failure as MailFailure
            where [.unknownReviewItem, .invalidValue, .nameTaken, .unknownRule].contains(failure.code)
        {
            return nil
        }
    }

    private func edited(
        contacts linked: [ArchivedMessageID], _ waiting: [ArchivedMessageID]
    ) throws -> ArchivedMessageID? {
        try (waiting + linked).first { try fixture.archive.message($0).edited != nil }
    }

    /// New mail of somebody, or of an address that only a contact has been given.
    ///
    /// - Parameter addresses: what contacts have, or had a moment ago.
    func receive(_ uid: UInt32, _ addresses: [String], _ draw: inout Seeded) throws {
        fixture.clock.advance(1)
        let known = addresses.isEmpty ? Self.people : addresses
        let from = (Bool.random(using: &draw) ? known : Self.people).randomElement(using: &draw)!
        let other = known.randomElement(using: &draw)!
        _ = try fixture.archive.ingest([
            fixture.arrival(uid, from: from, to: ["anna@firma.example", other], text: "Later \(uid)") {
                $0.date = UnixTime(1_700_000_000 + Int64(uid))
            }
        ])
    }

    /// Where everything stands, without what tells only when and by which number it came to stand there.
    func standing() throws -> [String: [String]] {
        let queries = [
            "messages": "SELECT id, state, reason, ignored_by FROM messages",
            "ledger": "SELECT folder, uid, state, reason, message FROM ledger",
            "history": "SELECT message, contact, role, lower(email), removed_at IS NULL FROM history",
            "queue": "SELECT message, email, reason, kind FROM review_items WHERE state = 'open'",
            "contacts": "SELECT id, kind, name, external_id, organisation FROM contacts",
            "addresses": "SELECT contact, email, position, is_primary FROM contact_addresses",
            "rules": "SELECT pattern FROM ignore_rules", "merged": "SELECT id, contact FROM merged_contacts",
        ]
        return try fixture.archive.pool.read { db in
            try queries.mapValues { try Row.fetchAll(db, sql: $0).map(\.description).sorted() }
        }
    }

    enum Action: String, CaseIterable {
        case link, ignore, ignoreAddress, ignoreDomain, unlink, addContact, editContact, addAddress
        case createContact, addRule, editRule, removeRule, linkMessage, mergeContacts, importContacts
        case editMessage, revertEdit

        /// Mail that a rule has taken since it was made stands in the way of taking it back; the rule is removed instead.
        var concernsRules: Bool {
            [.ignoreAddress, .ignoreDomain, .addRule, .editRule, .removeRule].contains(self)
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements.randomElement(using: &random)!
    }

    private mutating func coin() -> Bool { Bool.random(using: &random) }
}
