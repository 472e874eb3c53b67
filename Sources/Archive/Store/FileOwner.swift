import MailModel

#if canImport(Glibc)
    import Glibc
#endif

/// Whose the archive's files are: an administrator who runs one command as root must leave none that the service, which
/// runs as another user, cannot open. And none may become the service's that is not the archive's: whoever has the
/// directories may have put a link there.
enum FileOwner {
    /// Makes a file that is not there yet, and gives it to whoever has the directory that it lies in.
    ///
    /// - Parameter mode: less what the umask takes.
    /// - Returns: its descriptor; -1, with the reason in `errno`, when there is anything of that name.
    static func create(_ path: String, mode: mode_t = 0o600) -> Int32 {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        if descriptor >= 0 { follow(descriptor, path) }
        return descriptor
    }

    /// Opens a file, which is made when it is missing.
    static func openOrCreate(_ path: String) throws(MailFailure) -> Int32 {
        while true {
            let made = create(path)
            if made >= 0 { return made }
            guard errno == EEXIST else { throw StorageError.failure(errno: errno, path: path) }
            let descriptor = PackFile.openFile(path, O_RDWR)
            if descriptor >= 0 { return descriptor }
            // Taken away meanwhile.
            guard errno == ENOENT else { throw StorageError.failure(errno: errno, path: path) }
        }
    }

    /// Makes a directory, which may be there already; one that was made is given away.
    static func createDirectory(_ path: String) throws(MailFailure) {
        guard mkdir(path, 0o700) == 0 else {
            guard errno == EEXIST else { throw StorageError.failure(errno: errno, path: path) }
            return
        }
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw StorageError.failure(errno: errno, path: path) }
        follow(descriptor, path)
        close(descriptor)
    }

    /// The same of a directory that was made just now.
    static func follow(directory path: String) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        follow(descriptor, path)
        close(descriptor)
    }

    /// Gives what root has made just now to whoever has the directory in which it really lies.
    static func follow(_ descriptor: Int32, _ path: String) {
        guard geteuid() == 0 else { return }
        let folder = Glibc.open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        var (owner, own, named) = (stat(), stat(), stat())
        // A directory on the way may have become a link between making the file and here.
        guard fstat(folder, &owner) == 0, fstat(descriptor, &own) == 0,
            fstatat(folder, name(of: path), &named, AT_SYMLINK_NOFOLLOW) == 0,
            own.st_dev == named.st_dev, own.st_ino == named.st_ino
        else { return }
        // Where this is not allowed, on a network share, `Archive.ofOthers` names the file.
        _ = fchown(descriptor, owner.st_uid, owner.st_gid)
    }

    static func of(_ path: String) -> (user: uid_t, group: gid_t)? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return (status.st_uid, status.st_gid)
    }

    /// Whether what was opened is still what stands there.
    static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
        var (own, named) = (stat(), stat())
        return fstat(descriptor, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino
            && own.st_dev == named.st_dev
    }

    static func directory(of path: String) -> String {
        let path = bare(path)
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func name(of path: String) -> String {
        let path = bare(path)
        return path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? String(path)
    }

    private static func bare(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return path
    }
}
