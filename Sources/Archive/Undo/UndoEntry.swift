public import MailModel
public import Matcher

/// A person's action that can be taken back, by its number.
public struct UndoID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// One action, as the list of what can be taken back shows it. No words of mail and no names of people are in it,
/// except that of who acted.
public struct UndoEntry: Sendable, Hashable, Encodable {
    public var id: UndoID
    public var at: UnixTime
    public var person: String
    /// As the command is typed.
    public var action: String
    /// The numbers of what it was about.
    public var subject: String?
    public var undoneAt: UnixTime?
    public var undoneBy: String?

    private enum CodingKeys: String, CodingKey {
        case id, at, person, action, subject
        case undoneAt = "undone_at"
        case undoneBy = "undone_by"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(at, forKey: .at)
        try container.encode(person, forKey: .person)
        try container.encode(action, forKey: .action)
        try container.encode(subject, forKey: .subject)
        try container.encode(undoneAt, forKey: .undoneAt)
        try container.encode(undoneBy, forKey: .undoneBy)
    }
}

extension MailFailure.Code {
    public static let unknownUndo = Self("unknown.undo")
    /// Something has changed since that would be lost or left hanging.
    public static let undoBlocked = Self("undo.blocked")
}
