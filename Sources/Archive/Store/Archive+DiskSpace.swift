public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// The room on the file system of the archive.
public struct DiskSpace: Sendable, Hashable {
    /// What this process may still write, and the size of all.
    public var freeBytes: Int64
    public var totalBytes: Int64

    public init(freeBytes: Int64, totalBytes: Int64) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

extension Archive {
    /// Where there is least: the originals, which take most, may lie on a disk of their own. Costs two calls of the
    /// system.
    public func diskSpace() throws(MailFailure) -> DiskSpace {
        // A missing folder of originals is named by whoever needs it.
        let originals = directory + "/originals"
        return try Self.tightest(of: access(originals, F_OK) == 0 ? [directory, originals] : [directory])
    }

    static func tightest(of directories: [String]) throws(MailFailure) -> DiskSpace {
        var tightest: DiskSpace?
        for directory in directories {
            let space = try space(of: directory)
            if space.freeBytes < tightest?.freeBytes ?? .max { tightest = space }
        }
        return tightest ?? DiskSpace(freeBytes: 0, totalBytes: 0)
    }

    private static func space(of directory: String) throws(MailFailure) -> DiskSpace {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else {
            throw StorageError.failure(errno: errno, path: directory)
        }
        let block = Int64(clamping: status.f_frsize)
        return DiskSpace(
            freeBytes: Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: block).partialValue,
            totalBytes: Int64(clamping: status.f_blocks).multipliedReportingOverflow(by: block).partialValue)
    }
}
