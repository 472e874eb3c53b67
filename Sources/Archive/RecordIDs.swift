public import Matcher

/// A user of the CRM.
public struct UserID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// Users that belong together: the reach of the scope `department`.
public struct DepartmentID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A set of rights that users have.
public struct RoleID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A mailbox that is polled, or the place of imported mail.
public struct AccountID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// One folder of one account.
public struct FolderID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// One message of the archive, whatever number of copies it has. Not the sender's
/// Message-ID, which proves nothing.
public struct ArchivedMessageID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// The exact bytes of one copy.
public struct OriginalID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A question to a person: where does this message belong?
public struct ReviewItemID: RecordID {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
}
