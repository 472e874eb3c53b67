import GRDB
public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

extension MailFailure.Code {
    public static let archiveMissing = Self("archive.missing")
    public static let archiveExists = Self("archive.exists")
    public static let archiveUnreadable = Self("archive.unreadable")
    public static let archiveReadOnly = Self("archive.read-only")
    public static let archiveNewer = Self("archive.newer-schema")
    public static let archiveCorrupt = Self("archive.corrupt")
    public static let archiveBusy = Self("archive.busy")
    public static let archiveInputOutput = Self("archive.io")
    public static let archiveRefused = Self("archive.constraint")
    public static let diskFull = Self("archive.disk-full")
    public static let diskLow = Self("archive.disk-low")
    /// An fsync has failed: this process writes no more, and should end.
    public static let archiveStopped = Self("archive.stopped")
    public static let originalDamaged = Self("archive.original-damaged")
    public static let keyUnreadable = Self("key.unreadable")
    public static let keyOpenToOthers = Self("key.open-to-others")
    public static let keyMalformed = Self("key.malformed")
    public static let keyWrong = Self("key.wrong")
    public static let keyMissing = Self("key.missing")
    public static let unknownUser = Self("unknown.user")
    public static let unknownAccount = Self("unknown.account")
    public static let unknownFolder = Self("unknown.folder")
    public static let unknownContact = Self("unknown.contact")
    public static let ambiguousContact = Self("ambiguous.contact")
    public static let unknownReviewItem = Self("unknown.review-item")
    public static let unknownMessage = Self("unknown.message")
    public static let nameTaken = Self("name.taken")
    public static let invalidValue = Self("value.invalid")
    public static let leaseLost = Self("lease.lost")
    public static let unknownOutboxItem = Self("unknown.outbox-item")
    /// What was asked for does not fit the state that a mail is in.
    public static let outboxState = Self("outbox.state")
    /// The server may have a mail and has not said so.
    public static let sendUncertain = Self("send.uncertain")
    public static let recipientSuppressed = Self("send.suppressed")
    /// A user has reached the number of recipients that the administrator allows in an hour.
    public static let sendingCap = Self("send.cap")
    /// A key under which another mail was queued.
    public static let idempotencyKeyReused = Self("send.key-reused")
}

/// The one mapping of SQLite's and the system's errors. No SQL, no argument of a
/// statement and no content crosses it.
enum StorageError {
    static func failure(_ error: any Error) -> MailFailure {
        if let failure = error as? MailFailure { return failure }
        guard let error = error as? DatabaseError else {
            return MailFailure(
                .archiveInputOutput, kind: .needsPerson, "The archive could not be used",
                remedy: "Run mailworker doctor.")
        }
        return failure(resultCode: error.extendedResultCode.rawValue, message: error.message)
    }

    /// - Parameter resultCode: an (extended) result code of SQLite.
    static func failure(resultCode: Int32, message: String? = nil) -> MailFailure {
        // The index of the write-ahead log could not grow: only a full disk does that.
        if ResultCode(rawValue: resultCode) == .SQLITE_IOERR_SHMSIZE { return diskFull }
        if ResultCode(rawValue: resultCode) == .SQLITE_IOERR_NOMEM { return noMemory }
        if [.SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC].contains(ResultCode(rawValue: resultCode)) {
            return WriteStop.failure
        }
        switch ResultCode(rawValue: resultCode & 0xFF) {
        case .SQLITE_FULL: return diskFull
        case .SQLITE_NOMEM: return noMemory
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            return MailFailure(
                .archiveBusy, kind: .transient, "Another process is using the archive",
                remedy: "Try again in a moment; if it stays so, see which mailworker processes run.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return MailFailure(
                .archiveCorrupt, kind: .needsPerson, "The archive's database is damaged",
                remedy: "Stop mailworker, keep a copy of the directory, and restore the newest backup.")
        case .SQLITE_READONLY:
            return MailFailure(
                .archiveReadOnly, kind: .needsPerson, "The archive cannot be written",
                remedy: "Give the user that runs mailworker write access to the archive's directory.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            return MailFailure(
                .archiveUnreadable, kind: .needsPerson, "The archive cannot be opened",
                remedy:
                    "Check that the directory exists and belongs to the user that runs mailworker, and that "
                    + "the limit of open files (LimitNOFILE) is not reached.")
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISMATCH:
            return MailFailure(
                .archiveRefused, kind: .permanent, "The archive refused a record that breaks its rules",
                detail: message)
        default:
            return MailFailure(
                .archiveInputOutput, kind: .needsPerson, "The archive could not be read or written",
                detail: "SQLite \(resultCode)",
                remedy: "Check the disk and its free space, then run mailworker doctor.")
        }
    }

    /// - Parameter path: goes into the detail, for the person at the terminal.
    static func failure(errno code: Int32, path: String) -> MailFailure {
        switch code {
        case ENOSPC, EDQUOT:
            var failure = diskFull
            failure.detail = path
            return failure
        case EACCES, EPERM:
            return MailFailure(
                .archiveUnreadable, kind: .needsPerson, "A file of the archive is not accessible",
                detail: path, remedy: "Give it to the user that runs mailworker.")
        case EROFS:
            return MailFailure(
                .archiveReadOnly, kind: .needsPerson, "The archive lies on a read-only file system",
                detail: path, remedy: "Mount it writable.")
        case ENOENT, ENOTDIR:
            return MailFailure(
                .archiveMissing, kind: .needsPerson, "A file or directory of the archive is missing",
                detail: path,
                remedy:
                    "Check the path in the configuration. If the archive has never been made, run mailworker init; "
                    + "if it has, restore the file from a backup.")
        case EMFILE, ENFILE:
            return MailFailure(
                .archiveInputOutput, kind: .transient, "Too many files are open",
                detail: path, remedy: "Raise the limit of open files (LimitNOFILE).")
        case ENOMEM: return noMemory
        case ELOOP:
            return MailFailure(
                .archiveInputOutput, kind: .needsPerson,
                "A file of the archive is a link, which is not followed",
                detail: path, remedy: "See who has put it there; put the file itself in its place.")
        case EINVAL:
            return MailFailure(
                .archiveInputOutput, kind: .needsPerson,
                "Something else lies in the place of a file of the archive, or the file cannot be used",
                detail: path, remedy: "See what lies there, such as a pipe; put the file itself in its place."
            )
        default:
            return MailFailure(
                .archiveInputOutput, kind: .needsPerson, "A file of the archive could not be used",
                detail: "\(path): \(String(cString: strerror(code)))",
                remedy: "Check the disk, then run mailworker doctor.")
        }
    }

    /// An fsync that failed, for whatever reason.
    static func failedSync(errno code: Int32, path: String) -> MailFailure {
        var failure = WriteStop.failure
        failure.detail = "\(path): \(String(cString: strerror(code)))"
        return failure
    }

    static let noMemory = MailFailure(
        .archiveInputOutput, kind: .transient, "There is too little memory",
        remedy: "Free some, or raise the limit (MemoryMax).")

    static let diskFull = MailFailure(
        .diskFull, kind: .needsPerson, "The disk is full",
        remedy: "Free some space where the archive lies; mailworker then goes on where it stopped.")
}

extension MailFailure {
    /// Whether it says nothing about what was to be read: too few open files or too little memory are allowed, it is
    /// another user's, another process keeps it.
    var isNoDamage: Bool { kind == .transient || code == .archiveUnreadable }

    static func unknown(_ code: Code, _ what: String, _ name: String, remedy: String) -> MailFailure {
        MailFailure(code, kind: .permanent, "There is no such \(what)", detail: name, remedy: remedy)
    }

    static func taken(_ what: String, _ name: String) -> MailFailure {
        MailFailure(
            .nameTaken, kind: .permanent, "This \(what) exists already", detail: name,
            remedy: "Choose another, or edit the one that exists.")
    }

    static func invalid(_ summary: String, _ detail: String? = nil, remedy: String) -> MailFailure {
        MailFailure(.invalidValue, kind: .permanent, summary, detail: detail, remedy: remedy)
    }
}
