import Archive
import MailFetch
import MailModel

/// What one poll has to fetch from a folder, newest first and a window at a time, so that a mailbox of a million
/// messages is never in memory at once. Pure.
struct FolderWork {
    /// UIDs of one window.
    static let window = 20_000

    /// UIDs still to be asked for.
    private var missing = UIDSet()
    /// Sizes and dates that are known already.
    private var known: [UID: MessageMetadata] = [:]
    /// UIDs that the server did not hand out before.
    let withheld: UIDSet
    /// Those of them whose time has come.
    private(set) var due: [WithheldMessage]

    init(withheld: [WithheldMessage], now: UnixTime) {
        self.withheld = UIDSet(withheld.map(\.uid))
        due = withheld.filter { $0.nextTry <= now }
    }

    var isEmpty: Bool { missing.isEmpty && due.isEmpty }

    /// New messages with their metadata, but for those that have their row.
    mutating func add(_ found: [MessageMetadata], without recorded: UIDSet) {
        learn(found)
        add(UIDSet(found.map(\.uid)).subtracting(recorded))
    }

    mutating func add(_ uids: UIDSet) { missing = missing.union(uids.subtracting(withheld)) }

    mutating func learn(_ found: [MessageMetadata]) {
        for message in found { known[message.uid] = message }
    }

    /// What is gone is not asked for.
    mutating func leaveOut(_ gone: UIDSet) { due.removeAll { gone.contains($0.uid) } }

    /// The next window: what is known of it, and the UIDs whose metadata has to be asked for.
    mutating func nextWindow() -> (known: [MessageMetadata], unknown: UIDSet)? {
        let uids = missing.highest(Self.window)
        guard !uids.isEmpty else { return nil }
        missing = missing.subtracting(uids)
        guard !known.isEmpty else { return ([], uids) }
        let found = uids.uids.compactMap { known.removeValue(forKey: $0) }
        return (found, uids.subtracting(UIDSet(found.map(\.uid))))
    }

    mutating func takeDue() -> [WithheldMessage] {
        defer { due = [] }
        return due
    }
}
