/// Up to where the changes of a folder are known (RFC 7162). It only spares a listing of all UIDs: what is to be
/// fetched is told by the ledger.
public struct FolderMark: Sendable, Hashable {
    public var uidValidity: UIDValidity
    public var modSequence: UInt64

    public init(uidValidity: UIDValidity, modSequence: UInt64) {
        self.uidValidity = uidValidity
        self.modSequence = modSequence
    }
}
