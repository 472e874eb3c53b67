/// Everything that ingest and its housekeeping make durable, one act each.
///
/// Between any two of them the process may die: the archive is then as after the last
/// one that was done, and the next run ends as an undisturbed one would. `StepTrial`
/// stops a process at each of them to prove it.
public enum DurableStep: String, Sendable, CaseIterable {
    /// An account is this process's to poll or to watch, still is, and is no longer.
    case leaseClaimed = "lease-claimed"
    case leaseRenewed = "lease-renewed"
    case leaseReleased = "lease-released"

    /// A folder has its row, before any message of it has.
    case folderRecorded = "folder-recorded"
    /// UIDs that the folder lists no longer, and UIDs that it lists again.
    case vanishedRecorded = "vanished-recorded"
    case listedRecorded = "listed-recorded"
    /// UIDs that are not fetched: too large, too old, gone.
    case unfetchedRecorded = "unfetched-recorded"
    /// Messages that the server lists and does not hand out.
    case withheldRecorded = "withheld-recorded"
    /// Up to where a folder's disappearances are known.
    case markRecorded = "mark-recorded"
    /// What Gmail says of messages, and the copies of those that are here under another label.
    case gmailRecorded = "gmail-recorded"
    /// All UIDs of a folder were compared with the server's.
    case sweepRecorded = "sweep-recorded"
    /// That no longer holds: a fetch begins, and may leave gaps.
    case sweepVoided = "sweep-voided"
    /// How a poll ended, and when the next one is due.
    case attemptRecorded = "attempt-recorded"

    /// A pack's file with its header is on the disk; its name is; the database knows it.
    case packCreated = "pack-created"
    case directorySynced = "directory-synced"
    case packRegistered = "pack-registered"
    /// A pack gets no further record; or it does again, after its end was cut off.
    case packSealed = "pack-sealed"
    /// What lay behind the end of a pack, and was nobody's, is gone.
    case packCut = "pack-cut"
    /// One write of records into a pack, and the moment from which they outlive a power cut.
    case originalsAppended = "originals-appended"
    case originalsSynced = "originals-synced"

    /// The one transaction of a batch: ledger rows, messages, history, review items.
    case batchCommitted = "batch-committed"
    /// The write-ahead log was copied into the database.
    case logCopied = "log-copied"

    /// A mail that is to be sent is there with all its bytes.
    case outboxQueued = "outbox-queued"
    /// Mails are this process's to send, and no other's.
    case outboxClaimed = "outbox-claimed"
    /// From here on a server may have them.
    case outboxDataBegun = "outbox-data-begun"
    /// What the server answered, for each recipient.
    case outboxEnded = "outbox-ended"
    /// What a process that died had claimed waits again, or is uncertain.
    case outboxRecovered = "outbox-recovered"
    /// What was sent is in the histories.
    case outboxFiled = "outbox-filed"
    /// The Sent folder is this process's to look into for its copy; the copy is there.
    case outboxCopyClaimed = "outbox-copy-claimed"
    case outboxCopied = "outbox-copied"
    /// An account sends nothing for a while, or sends again.
    case outboxPaused = "outbox-paused"

    /// Events are in a digest; its mail is queued, or needs not be.
    case digestOpened = "digest-opened"
    case digestQueued = "digest-queued"

    /// Any other transaction: people, settings, decisions of the queue.
    case changeCommitted = "change-committed"
}
