import MailFetch
public import MailModel
import MailTransport

/// What one poll of one account did.
public struct AccountReport: Sendable {
    public var name: String
    public var counts = IngestTally.Counts()
    /// Messages older than the account's `since`, recorded without being fetched.
    public var beforeSince = 0
    /// Messages beyond the size limit, recorded without being fetched.
    public var tooLarge = 0
    /// UIDs that the server announced and that had vanished before their fetch.
    public var gone = 0
    /// UIDs that no longer stand in their folder; their messages stay in the archive.
    public var vanished = 0
    /// UIDs that the server had given to other messages than before, as after a restore from a backup.
    public var reused = 0
    /// Bytes of messages that were fetched, stored or not.
    public var receivedBytes: Int64 = 0
    /// Those of them that are noted already, where a provider counts them (`MailboxPoller.noteFetched`).
    var notedBytes: Int64 = 0
    /// Whether mail was left for the account's next turn (`FetchAllowance`).
    public var hasMore = false
    /// Whether it was left because of the day's limit, and waits for the next day.
    public var isDayUsedUp = false
    /// Messages that the server lists and does not hand out; each is asked for again on its own schedule.
    public var withheld = 0
    /// What the server wants the account's user to read.
    public var alert: String?
    /// Why the poll, or a part of it, did not succeed.
    public var failures: [MailFailure] = []
    /// Whether INBOX, at least, was polled without trouble, as far as the server lists it.
    var isInboxDone = false
    /// Whether a message at which the connection broke off has come further than before: the next connection may bring
    /// the rest of it.
    var hasCutMessageProgressed = false

    public init(name: String) { self.name = name }

    /// Whether the account's next poll goes on where this one has ended.
    var isUnfinished: Bool {
        hasCutMessageProgressed
            || hasMore && !isDayUsedUp && failures.allSatisfy { $0.code == .folderMissing }
    }

    /// Whether all that failed concerns single folders, and INBOX at most in what the server does not list of it: the
    /// account itself does well.
    var failsInFurtherFolders: Bool {
        let failures = failures.filter { $0.code != .cancelled }
        return isInboxDone && !failures.isEmpty
            && failures.allSatisfy {
                // Who names a delay speaks of more than one folder.
                FolderPoll.concernsOneFolder.contains($0.code) && $0.retryAfterSeconds == nil
            }
    }

    /// The report of both polls, of which the other came later.
    func followed(by other: AccountReport) -> AccountReport {
        var sum = other
        sum.counts.add(counts)
        sum.beforeSince += beforeSince
        sum.tooLarge += tooLarge
        sum.gone += gone
        sum.vanished += vanished
        sum.reused += reused
        sum.receivedBytes += receivedBytes
        sum.alert = sum.alert ?? alert
        return sum
    }
}

extension AccountReport: Encodable {
    private enum Key: String, CodingKey {
        case name, fetched, linked, review, duplicates, ignored, quarantined, alert, error
        case beforeSince = "before_since"
        case tooLarge = "too_large"
        case gone, vanished, withheld
        case reused = "reused_uids"
        case parserLosses = "parser_losses"
        case isDayUsedUp = "daily_limit_reached"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(counts.fetched, forKey: .fetched)
        try container.encode(counts.linked, forKey: .linked)
        try container.encode(counts.review, forKey: .review)
        try container.encode(counts.duplicates, forKey: .duplicates)
        try container.encode(counts.ignored, forKey: .ignored)
        try container.encode(counts.quarantined, forKey: .quarantined)
        try container.encode(beforeSince, forKey: .beforeSince)
        try container.encode(tooLarge, forKey: .tooLarge)
        try container.encode(gone, forKey: .gone)
        try container.encode(vanished, forKey: .vanished)
        try container.encode(reused, forKey: .reused)
        try container.encode(withheld, forKey: .withheld)
        try container.encode(counts.parserLosses, forKey: .parserLosses)
        try container.encode(isDayUsedUp, forKey: .isDayUsedUp)
        try container.encode(alert, forKey: .alert)
        // Null, not absent, when all went well.
        try container.encode(
            failures.isEmpty ? nil : failures.map(\.revealed).joined(separator: "\n"), forKey: .error)
    }
}

/// What a watcher of a poll may show.
public enum PollEvent: Sendable {
    case connecting(account: String)
    case fetching(account: String, folder: FolderName, messages: Int)
    case committed(account: String, IngestTally.Counts)
    case finished(AccountReport)
    /// The session that waits for new mail was lost; polls go on meanwhile.
    case watchLost(account: String, MailFailure)
    /// The account's server does not tell of new mail by itself (IDLE): for an hour at least it is only polled.
    case cannotIdle(account: String)
    /// For so many accounts at this host that ask for it there is no room to be watched; they are only polled.
    case notWatched(host: String, accounts: Int)
    /// No further poll begins, for want of room on the disk, until `resumed`.
    case held(MailFailure)
    case resumed
}
