/// What Gmail says of a message beside what it contains (X-GM-EXT-1).
public struct GmailMarks: Sendable, Hashable {
    /// The same in every label's folder that shows the message; 0 where it is not told.
    public var messageID: UInt64
    public var threadID: UInt64
    /// Without that of the folder in which it was seen.
    public var labels: [String]

    public init(messageID: UInt64 = 0, threadID: UInt64 = 0, labels: [String] = []) {
        self.messageID = messageID
        self.threadID = threadID
        self.labels = labels
    }
}
