public import Archive
public import MailModel

/// How much room stays free on the archive's disk: below it nothing more is fetched or
/// imported, so that the database can still be written and read, and people can act.
public struct SpaceLimit: Sendable, Hashable {
    /// Nil stands for the default: 500 MB, or a twentieth of the file system where that is less.
    public var minimumFreeBytes: Int64?

    /// - Parameter minimumFreeBytes: 0 turns the limit off.
    public init(minimumFreeBytes: Int64? = nil) { self.minimumFreeBytes = minimumFreeBytes }

    private static let usualBytes: Int64 = 500 << 20

    /// `archive.disk-low` when there is less room than that.
    public func shortage(in space: DiskSpace) -> MailFailure? {
        let minimum = minimumFreeBytes ?? min(Self.usualBytes, space.totalBytes / 20)
        guard space.freeBytes < minimum else { return nil }
        return MailFailure(
            .diskLow, kind: .needsPerson, "The disk is nearly full, so no mail is fetched",
            detail: "\(space.freeBytes >> 20) MB are free, the limit is \(minimum >> 20) MB",
            remedy: "Make room where the archive lies, or lower archive.min_free_megabytes; "
                + "fetching then goes on by itself.")
    }

    /// - Throws: `archive.disk-low`.
    func check(_ archive: Archive) throws(MailFailure) {
        if let shortage = shortage(in: try archive.diskSpace()) { throw shortage }
    }
}
