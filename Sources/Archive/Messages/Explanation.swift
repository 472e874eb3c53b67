import MailModel

/// Why a message is where it is: each decision with the facts that it was made from, as they are now.
public struct Explanation: Sendable, Hashable, Encodable {
    /// One decision.
    public struct Decision: Sendable, Hashable, Encodable {
        /// Such as `direction`, `from maria@client.example`, `reference <id>`.
        public var about: String
        public var outcome: String
        /// One sentence each.
        public var because: [String]

        public init(about: String, outcome: String, because: [String] = []) {
            self.about = about
            self.outcome = outcome
            self.because = because
        }
    }

    public var message: ArchivedMessage
    /// In the order in which the matcher goes.
    public var decisions: [Decision]

    /// The decision on how the message came to be written; its facts stand in the original's header.
    public static let kind = "kind"

    private enum CodingKeys: CodingKey {
        case decisions
    }

    /// As the message, with its decisions.
    public func encode(to encoder: any Encoder) throws {
        try message.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(decisions, forKey: .decisions)
    }
}
