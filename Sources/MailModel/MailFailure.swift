/// Who or what can make a failed step succeed.
public enum FailureKind: String, Sendable, Codable {
    /// Trying again later may help by itself: the network, a busy server.
    case transient
    /// The account's user must act: a wrong or revoked password.
    case credential
    /// The administrator must act: a wrong host name, a certificate, the configuration.
    case needsPerson
    /// Nothing will help this item; others go on.
    case permanent
}

/// The one shape of an error at every boundary of the project.
///
/// `description` is safe for logs: it holds the code and constant words only.
/// What names a person, an address, a host or a path is in `detail` and is
/// shown only to the person who asked (`revealed`). No secret belongs in either.
public struct MailFailure: Error, Sendable, Hashable {
    /// An open set: each boundary adds its own codes in one file beside its mapping.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ value: String) { rawValue = value }
    }

    public var code: Code
    public var kind: FailureKind
    /// What went wrong, one constant sentence without a full stop.
    public var summary: String
    /// What the reader can do about it; a sentence.
    public var remedy: String?
    /// The facts: names, addresses, the server's own words. May be personal.
    public var detail: String?
    /// Seconds to wait, where the other side named a delay.
    public var retryAfterSeconds: Int?

    public init(
        _ code: Code, kind: FailureKind, _ summary: String, detail: String? = nil, remedy: String? = nil,
        retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.kind = kind
        self.summary = summary
        self.detail = detail
        self.remedy = remedy
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Everything, for the person at the terminal: summary, facts, remedy.
    public var revealed: String {
        var text = summary
        if let detail, !detail.isEmpty { text += ": \(detail)" }
        if let remedy { text += ". \(remedy)" }
        return text
    }
}

extension MailFailure: CustomStringConvertible {
    public var description: String { "\(summary) [\(code.rawValue), \(kind.rawValue)]" }
}
