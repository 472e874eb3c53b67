/// What a role may let its users do.
public enum Right: String, Sendable, Codable, CaseIterable {
    /// See contacts, their histories, and mail.
    case read
    /// Decide about what waits in the queue, and about links.
    case review
    case send
    /// Make and change contacts.
    case contacts
    case campaigns
    /// Accounts, users, roles, backups, erasure; also everything that has no scope.
    case administer
}

/// How far a right reaches.
public enum Scope: String, Sendable, Codable, CaseIterable, Comparable {
    case none
    /// What belongs to the user: the contacts that they own, their mailboxes.
    case own
    /// What belongs to users of the same department, themselves included.
    case department
    /// Everything, what belongs to nobody included.
    case all

    private var reach: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    public static func < (left: Scope, right: Scope) -> Bool { left.reach < right.reach }
}

/// What somebody sees of a message; also what an account lets its user's colleagues see of
/// the mail in it. The user of a mailbox sees everything in it.
public enum Disclosure: Int, Sendable, CaseIterable, Comparable {
    /// That there was mail, and when.
    case presence = 1
    /// The subject and the people besides.
    case people
    /// Text, attachments and original too.
    case everything

    public static func < (left: Disclosure, right: Disclosure) -> Bool { left.rawValue < right.rawValue }
}

extension Disclosure: Codable {
    /// As the configuration and listings name it.
    public var name: String {
        switch self {
        case .presence: "presence"
        case .people: "people"
        case .everything: "everything"
        }
    }

    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        self = Self(name: name) ?? .presence
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
