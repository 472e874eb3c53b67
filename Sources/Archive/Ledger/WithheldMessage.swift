public import MailModel

/// A message that its server lists and has not handed out so far: it has no ledger row yet, and is asked for
/// again on a schedule of its own.
public struct WithheldMessage: Sendable, Hashable {
    public var folder: FolderID
    public var folderName: FolderName
    public var uidValidity: UIDValidity
    public var uid: UID
    /// How often it was asked for.
    public var attempts: Int
    public var firstAttempt: UnixTime
    public var lastAttempt: UnixTime
    public var nextTry: UnixTime
    /// In bytes, where the server told it.
    public var size: Int?
    /// What the server did when it was asked for last.
    public var failure: MailFailure
}

/// A try to get a message that failed.
public struct FailedFetch: Sendable, Hashable {
    public var uid: UID
    public var size: Int?
    public var failure: MailFailure

    public init(uid: UID, size: Int? = nil, failure: MailFailure) {
        self.uid = uid
        self.size = size
        self.failure = failure
    }
}
