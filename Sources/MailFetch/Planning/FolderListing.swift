public import MailModel

/// The UIDs of a folder as its server lists them, held against the number of messages that it tells.
public struct FolderListing: Sendable, Hashable {
    public var uids: UIDSet
    /// Messages that the server counts and has named no UID of, however it was asked.
    public var lacking: Int

    public init(_ uids: UIDSet = UIDSet(), lacking: Int = 0) {
        self.uids = uids
        self.lacking = lacking
    }

    public var isWhole: Bool { lacking == 0 }

    /// Those of the UIDs that have gone from the folder. Where the listing lacks some nothing can be said to have gone.
    public func gone(of uids: UIDSet) -> UIDSet { isWhole ? uids.subtracting(self.uids) : UIDSet() }
}
