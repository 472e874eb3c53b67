import Foundation
import GRDB
import MailModel
import Matcher

@testable import Archive

/// A company made by chance: departments, roles, users, mailboxes that show more or less to
/// colleagues, contacts (some private, some of an organisation), and mail that lies in one or
/// several mailboxes. What was made is kept as facts, so that a test asks the policy about them and
/// not the archive about itself.
struct RightsWorld {
    struct Contact {
        var id: ContactID
        var facts: Policy.ContactFacts
        var organisation: Int?
    }

    struct Message {
        var id: ArchivedMessageID
        var facts: Policy.MessageFacts
        /// Indices of the contacts in whose histories it stands.
        var contacts: Set<Int>
        /// A word that stands in its subject, and in its original, and nowhere else.
        var word: String
    }

    var users: [(name: String, rights: Rights)] = []
    var contacts: [Contact] = []
    var messages: [Message] = []
    /// Who is told of which message of which contact, by index; not only the contact's owner, who may have changed.
    var events: [(user: UserID, contact: Int, message: Int)] = []

    static let stranger = "stranger.example"

    init(_ fixture: ArchiveFixture, seed: UInt64, messages count: Int) throws {
        var random = Seeded(state: seed)
        let archive = fixture.archive
        let departments = ["sales", "support"]
        for name in departments { try archive.addDepartment(name: name) }
        let ids = try archive.departments()
        var roles: [[Right: Scope]] = []
        for number in 0..<5 {
            var scopes: [Right: Scope] = [:]
            for right in [Right.read, .review, .contacts] {
                scopes[right] = Scope.allCases.randomElement(using: &random)
            }
            try archive.addRole(name: "role \(number)", scopes)
            roles.append(scopes)
        }
        var owners: [Policy.Owner] = []
        for number in 0..<7 {
            let role = Int.random(in: 0..<roles.count, using: &random)
            let department = [nil, "sales", "support"].randomElement(using: &random)!
            var draft = UserDraft(role: "role \(role)")
            draft.department = department
            let id = try archive.addUser(name: "user \(number)", draft)
            let departmentID = ids.first { $0.name == department }?.id
            users.append(
                ("user \(number)", Rights(user: id, department: departmentID, scopes: roles[role])))
            owners.append(Policy.Owner(user: id, department: departmentID))
        }
        try makeContacts(archive, owners, &random)
        var folders: [(id: FolderID, copy: Policy.CopyFacts)] = []
        for (number, owner) in owners.enumerated() {
            for which in 0..<Int.random(in: 1...2, using: &random) {
                var settings = ArchiveFixture.settings(
                    "box \(number) \(which)", owner.user, email: EmailAddress("u\(number)@firma.example")!)
                settings.colleaguesSee = Disclosure.allCases.randomElement(using: &random)!
                let account = try archive.addAccount(settings)
                for role in [FolderRole.inbox, .sent] {
                    let folder = try archive.folder(
                        account: account, name: FolderName(role == .sent ? "Sent" : "INBOX"), role: role)
                    folders.append(
                        (
                            folder,
                            Policy.CopyFacts(
                                mailbox: owner, shows: settings.colleaguesSee, isSenders: role == .sent)
                        ))
                }
            }
        }
        for number in 0..<count {
            try makeMessage(number, fixture, folders, &random)
            try makeEvents(fixture, &random)
        }
    }

    /// Every other one looks like a contact's.
    static func strangers(_ number: Int) -> String {
        number.isMultiple(of: 2) ? "s\(number)@\(stranger)" : "s@c1ient\(number % 24).example"
    }

    private mutating func makeContacts(
        _ archive: Archive, _ owners: [Policy.Owner], _ random: inout Seeded
    ) throws {
        for number in 0..<24 {
            let isOrganisation = number < 4
            var draft = ContactDraft(
                kind: isOrganisation ? .organisation : .person, name: "contact \(number)",
                emails: [EmailAddress("c\(number)@client\(number).example")!])
            let owner = ([nil] + owners.map(Optional.some)).randomElement(using: &random)!
            draft.owner = owner?.user
            draft.isPrivate = Int.random(in: 0..<3, using: &random) == 0
            draft.externalID = "x\(number)"
            let organisation = isOrganisation ? nil : [nil, 0, 1, 2, 3].randomElement(using: &random)!
            draft.organisation = organisation.map { contacts[$0].id }
            var named: Set<UserID> = []
            if Int.random(in: 0..<3, using: &random) == 0 {
                named.insert(owners.randomElement(using: &random)!.user)
            }
            let id = try archive.addContact(draft).id
            for user in named {
                try archive.write { db in
                    try db.execute(
                        sql: "INSERT INTO contact_users(contact, user) VALUES (?, ?)",
                        arguments: [id.rawValue, user.rawValue])
                }
            }
            contacts.append(
                Contact(
                    id: id,
                    facts: Policy.ContactFacts(owner: owner, isPrivate: draft.isPrivate, named: named),
                    organisation: organisation))
        }
    }

    private mutating func makeEvents(_ fixture: ArchiveFixture, _ random: inout Seeded) throws {
        guard let message = messages.last else { return }
        for contact in message.contacts.sorted() {
            let user = contacts[contact].facts.owner?.user
            let told = [user, users.randomElement(using: &random)?.rights.user].compactMap { $0 }
                .randomElement(using: &random)
            guard let told else { continue }
            try fixture.archive.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO events(at, kind, user, contact, message) VALUES (?, 'contact-mail', ?, ?, ?)
                        """,
                    arguments: [
                        fixture.clock.now.rawValue, told.rawValue, contacts[contact].id.rawValue,
                        message.id.rawValue,
                    ])
            }
            events.append((told, contact, messages.count - 1))
        }
    }

    private mutating func makeMessage(
        _ number: Int, _ fixture: ArchiveFixture, _ folders: [(id: FolderID, copy: Policy.CopyFacts)],
        _ random: inout Seeded
    ) throws {
        let word = "word\(number)x"
        let indices = Set(
            (0..<[0, 0, 1, 1, 1, 2].randomElement(using: &random)!).map { _ in
                Int.random(in: 0..<contacts.count, using: &random)
            })
        let places = folders.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
        let isSent = places.contains { $0.copy.isSenders }
        let arrivals = places.map { place in
            fixture.arrival(
                UInt32(number + 1),
                from: indices.isEmpty ? Self.strangers(number) : "c@ours.firma.example",
                to: indices.map { "c\($0)@client\($0).example" },
                bcc: place.copy.isSenders && isSent ? ["blind\(number)@hidden.example"] : [], text: word,
                transport: "Received: \(place.id)\r\n", folder: place.id
            ) { $0.snippet = "snippet \(word)" }
        }
        var id: ArchivedMessageID?
        for outcome in try fixture.archive.ingest(arrivals) {
            switch outcome {
            case .linked(let message, _), .review(let message), .ignored(let message, _): id = id ?? message
            default: break
            }
        }
        let isEdited = Int.random(in: 0..<3, using: &random) == 0
        if isEdited {
            let words = EditedWords(
                subject: nil, text: "other words \(number)", snippet: "snippet \(number)")
            try fixture.archive.edit(id!, words, by: "admin")
        }
        messages.append(
            Message(
                id: id!,
                facts: Policy.MessageFacts(
                    copies: places.map(\.copy), contacts: indices.map { contacts[$0].facts },
                    isWaiting: indices.isEmpty, isEdited: isEdited,
                    hasBlindRecipients: isSent),
                contacts: indices, word: word))
    }
}
