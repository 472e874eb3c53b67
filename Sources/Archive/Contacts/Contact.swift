public import MailModel
public import Matcher

/// What is known about somebody whom the company writes with.
public struct Contact: Sendable, Hashable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case person, lead, organisation
    }

    public var id: ContactID
    public var kind: Kind
    public var name: String
    /// The contact's name in another system; unique.
    public var externalID: String?
    /// In order, the primary one first.
    public var emails: [EmailAddress]
    public var organisation: ContactID?
    public var organisationName: String?
    public var owner: UserID?
    public var ownerName: String?
    public var doNotEmail: Bool
    public var notifyOwner: Bool
    public var isPrivate: Bool
    public var details: ContactDetails
    /// Users, besides the owner, who see a private contact, by name.
    public var userNames: [String]
    /// Of a lead that no person made.
    public var origin: Origin?

    /// Why a lead was made, and the message that it was made of.
    public struct Origin: Sendable, Hashable, Encodable {
        public var reason: LeadReason
        public var message: ArchivedMessageID?
    }
}

/// What is known about a contact that decides nothing by itself.
public struct ContactDetails: Sendable, Hashable {
    /// The company's own word for what the contact is: customer, supplier, press.
    public var type: String?
    /// Sorted, each once.
    public var tags: [String] = []
    /// As people write them, in order.
    public var phones: [String] = []
    /// Users, besides the owner, who see a private contact.
    public var users: [UserID] = []

    public init() {}
}

extension Contact: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id
        case externalID = "external_id"
        case kind, name, emails
        case organisation
        case owner
        case doNotEmail = "do_not_email"
        case notifyOwner = "notify_owner"
        case isPrivate = "private"
        case type, tags, phones, users
        case origin = "made_by_rule"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(externalID, forKey: .externalID)
        try container.encode(kind, forKey: .kind)
        try container.encode(name, forKey: .name)
        try container.encode(emails.map(\.lowercased), forKey: .emails)
        try container.encode(organisationName, forKey: .organisation)
        try container.encode(ownerName, forKey: .owner)
        try container.encode(doNotEmail, forKey: .doNotEmail)
        try container.encode(notifyOwner, forKey: .notifyOwner)
        try container.encode(isPrivate, forKey: .isPrivate)
        try container.encode(details.type, forKey: .type)
        try container.encode(details.tags, forKey: .tags)
        try container.encode(details.phones, forKey: .phones)
        try container.encode(userNames, forKey: .users)
        try container.encode(origin, forKey: .origin)
    }
}

/// A contact to be made, or the new state of one.
public struct ContactDraft: Sendable, Hashable {
    public var kind: Contact.Kind
    public var name: String
    public var externalID: String?
    /// The first becomes the primary one.
    public var emails: [EmailAddress]
    public var organisation: ContactID?
    public var owner: UserID?
    public var doNotEmail: Bool
    public var notifyOwner: Bool
    public var isPrivate: Bool
    public var details = ContactDetails()

    public init(kind: Contact.Kind = .person, name: String, emails: [EmailAddress] = []) {
        self.kind = kind
        self.name = name
        externalID = nil
        self.emails = emails
        organisation = nil
        owner = nil
        doNotEmail = false
        notifyOwner = false
        isPrivate = false
    }

    public init(_ contact: Contact) {
        kind = contact.kind
        name = contact.name
        externalID = contact.externalID
        emails = contact.emails
        organisation = contact.organisation
        owner = contact.owner
        doNotEmail = contact.doNotEmail
        notifyOwner = contact.notifyOwner
        isPrivate = contact.isPrivate
        details = contact.details
    }
}

extension ContactDraft {
    /// Texts as one line each: a control character would cut or break every listing.
    var cleaned: ContactDraft {
        var draft = self
        draft.name = name.asOneLine
        draft.externalID = externalID.flatMap { $0.asOneLine.nonEmpty }
        draft.details.type = details.type.flatMap { $0.asOneLine.nonEmpty }
        draft.details.tags = Set(details.tags.compactMap { $0.asOneLine.nonEmpty }).sorted()
        draft.details.phones = details.phones.compactMap { $0.asOneLine.nonEmpty }
        return draft
    }
}

extension String {
    /// Without control characters, line ends as blanks, none at the ends.
    public var asOneLine: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\t", "\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}": text += " "
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): continue
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text.split(separator: " ").joined(separator: " ")
    }

    var nonEmpty: String? { isEmpty ? nil : self }
}

extension ContactImportRow {
    /// Without the users, who have to be looked up.
    var details: ContactDetails {
        var details = ContactDetails()
        details.type = type
        details.tags = tags
        details.phones = phones
        return details
    }

    var cleaned: ContactImportRow {
        func clean(_ text: String?) -> String? { text.flatMap { $0.asOneLine.nonEmpty } }
        var row = self
        row.externalID = clean(externalID)
        row.name = clean(name)
        row.organisation = clean(organisation)
        row.owner = clean(owner)
        row.type = clean(type)
        row.tags = tags.compactMap(clean)
        row.phones = phones.compactMap(clean)
        row.users = users.compactMap(clean)
        return row
    }
}

/// What becomes of a contact's history when it loses an address.
public enum LostHistory: Sendable, Hashable {
    /// Mail that is there only because of the address leaves, and waits for a person when it is
    /// in no other history.
    case leaves
    /// It stays, as the decision of the person named.
    case stays(by: String)
}

/// What giving a contact an address has moved.
public struct AddressGain: Sendable, Hashable {
    /// Messages that entered the contact's history.
    public var linkedMessages = 0
    /// Review items that closed because of it.
    public var closedItems = 0
    /// Messages that left the history of a contact with an address that was taken from it.
    public var unlinkedMessages = 0
    /// Review items that opened because nobody has their address any more.
    public var openedItems = 0

    public init() {}

    static func + (left: AddressGain, right: AddressGain) -> AddressGain {
        var sum = left
        sum.linkedMessages += right.linkedMessages
        sum.closedItems += right.closedItems
        sum.unlinkedMessages += right.unlinkedMessages
        sum.openedItems += right.openedItems
        return sum
    }
}

/// A contact before and after a change, and what mail did.
public struct ContactChange: Sendable, Hashable {
    public var before: Contact
    public var after: Contact
    public var gain: AddressGain
}

/// One row of an import, as it stood in the file.
public struct ContactImportRow: Sendable, Hashable {
    public var externalID: String?
    /// Nil: as it is; a person for a new contact.
    public var kind: Contact.Kind?
    /// Nil: as it is; the address for a new contact.
    public var name: String?
    public var emails: [EmailAddress]
    /// An organisation's external id or name; made when there is none.
    public var organisation: String?
    /// A user's name or address.
    public var owner: String?
    /// Nil: as it is; false for a new contact.
    public var doNotEmail: Bool?
    public var notifyOwner: Bool?
    public var isPrivate: Bool?
    public var type: String?
    /// Added to those that the contact has.
    public var tags: [String]
    public var phones: [String]
    /// Names or addresses of users who see a private contact besides its owner; added to those who do.
    public var users: [String]

    public init(kind: Contact.Kind? = nil, name: String?, emails: [EmailAddress] = []) {
        externalID = nil
        self.kind = kind
        self.name = name
        self.emails = emails
        organisation = nil
        owner = nil
        doNotEmail = nil
        notifyOwner = nil
        isPrivate = nil
        type = nil
        tags = []
        phones = []
        users = []
    }
}

/// What an import did.
public struct ContactImportReport: Sendable, Hashable {
    public struct Refusal: Sendable, Hashable {
        /// The position of the row in what was given, from 0.
        public var row: Int
        public var failure: MailFailure
    }

    /// What became of one row; listed by a trial only.
    public struct Change: Sendable, Hashable {
        public var row: Int
        public var contact: ContactID
        public var isNew: Bool
        /// Names of fields with another value, and addresses that are added.
        public var fields: [String]
    }

    public var added = 0
    public var updated = 0
    /// Of known contacts, about whom the row says nothing new.
    public var unchanged = 0
    public var changes: [Change] = []
    public var organisationsAdded = 0
    /// Their names; listed by a trial only.
    public var organisations: [String] = []
    public var gain = AddressGain()
    /// Rows that were left out; the others were imported.
    public var refused: [Refusal] = []

    public init() {}
}
