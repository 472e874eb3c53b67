#if canImport(Glibc)
    import Glibc
#endif

/// Whose the archive's files are: an administrator who runs one command as root must leave none that the service, which
/// runs as another user, cannot open.
enum FileOwner {
    /// Gives what root has made to whoever has the directory that it lies in.
    static func follow(_ descriptor: Int32, _ path: String) {
        guard geteuid() == 0, let owner = of(directory(of: path)) else { return }
        // Where this is not allowed, on a network share, `Archive.ofOthers` names the file.
        _ = fchown(descriptor, owner.user, owner.group)
    }

    /// The same for a directory that was just made.
    static func follow(_ path: String) {
        guard geteuid() == 0, let owner = of(directory(of: path)) else { return }
        _ = lchown(path, owner.user, owner.group)
    }

    static func of(_ path: String) -> (user: uid_t, group: gid_t)? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return (status.st_uid, status.st_gid)
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
