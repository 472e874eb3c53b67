public import MailModel

/// The field of a message in which an address took part.
public enum ParticipantRole: String, Sendable, Codable, CaseIterable {
    case from, sender
    case replyTo = "reply-to"
    case to, cc, bcc
}

/// One address of a message, with the field it stood in.
public struct Participant: Hashable, Sendable, Codable {
    public var role: ParticipantRole
    public var mailbox: Mailbox

    public init(role: ParticipantRole, mailbox: Mailbox) {
        self.role = role
        self.mailbox = mailbox
    }
}

/// Which way a message went, seen from the company.
public enum Direction: String, Sendable, Codable {
    case incoming, outgoing, `internal`
}
