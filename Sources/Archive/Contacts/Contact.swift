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
    }
}

/// What giving a contact an address has moved.
public struct AddressGain: Sendable, Hashable {
    /// Messages that entered the contact's history.
    public var linkedMessages = 0
    /// Review items that closed because of it.
    public var closedItems = 0

    public init() {}

    static func + (left: AddressGain, right: AddressGain) -> AddressGain {
        var sum = left
        sum.linkedMessages += right.linkedMessages
        sum.closedItems += right.closedItems
        return sum
    }
}

/// One row of an import, as it stood in the file.
public struct ContactImportRow: Sendable, Hashable {
    public var externalID: String?
    public var kind: Contact.Kind
    public var name: String
    public var emails: [EmailAddress]
    /// An organisation's external id or name; made when there is none.
    public var organisation: String?
    /// A user's name or address.
    public var owner: String?
    /// Nil: as it is; false for a new contact.
    public var doNotEmail: Bool?
    public var notifyOwner: Bool?
    public var isPrivate: Bool?

    public init(kind: Contact.Kind = .person, name: String, emails: [EmailAddress] = []) {
        externalID = nil
        self.kind = kind
        self.name = name
        self.emails = emails
        organisation = nil
        owner = nil
        doNotEmail = nil
        notifyOwner = nil
        isPrivate = nil
    }
}

/// What an import did.
public struct ContactImportReport: Sendable, Hashable {
    public struct Refusal: Sendable, Hashable {
        /// The position of the row in what was given, from 0.
        public var row: Int
        public var failure: MailFailure
    }

    public var added = 0
    public var updated = 0
    public var organisationsAdded = 0
    public var gain = AddressGain()
    /// Rows that were left out; the others were imported.
    public var refused: [Refusal] = []

    public init() {}
}
