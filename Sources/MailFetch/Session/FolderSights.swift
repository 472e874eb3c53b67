/// What a session has seen of its folders, and in which of them the server has told of something new since. Pure.
///
/// Names are those of the wire.
struct FolderSights {
    /// How a folder stood when it was opened or told of last.
    private struct Sight {
        var messages: UInt64?
        var uidNext: UInt64?
        var uidValidity: UInt64?
    }

    private var sights: [[UInt8]: Sight] = [:]
    /// The folders that the server has agreed to tell of (RFC 5465).
    private var notified: Set<[UInt8]> = []
    private var open: [UInt8]?
    private(set) var news = FolderNews()

    /// Only of these the server tells without being asked.
    mutating func subscribe(to names: some Sequence<[UInt8]>) { notified = Set(names.map(FolderNews.key)) }

    var hasSubscribed: Bool { !notified.isEmpty }

    /// No folder is open until `opened`: the counts in between are those of the opening itself.
    mutating func close() { open = nil }

    mutating func opened(_ name: [UInt8], messages: UInt32, uidNext: UInt32?, uidValidity: UInt32?) {
        let name = FolderNews.key(name)
        open = name
        news.folders.remove(name)
        sights[name] = Sight(
            messages: UInt64(messages), uidNext: uidNext.map(UInt64.init),
            uidValidity: uidValidity.map(UInt64.init))
    }

    mutating func note(_ response: Response) {
        switch response {
        case .exists(let count):
            // Some servers repeat the number with every IDLE.
            guard let open, sights[open]?.messages != UInt64(count) else { return }
            sights[open]?.messages = UInt64(count)
            news.folders.insert(open)
        case .expunge, .vanished(_, earlier: false):
            guard let open else { return }
            // How many went, only an EXISTS can tell again.
            sights[open]?.messages = nil
            news.folders.insert(open)
        case .mailboxStatus(let name, let items): note(items, of: FolderNews.key(name))
        case .status(let reply) where reply.codeName == "NOTIFICATIONOVERFLOW":
            news.hasGivenUp = hasSubscribed
        default: break
        }
    }

    /// Flags, and the mod-sequence that grows with them, are no news: they are not archived.
    private mutating func note(_ items: [String: UInt64], of name: [UInt8]) {
        guard notified.contains(name) else { return }
        let old = sights[name] ?? Sight()
        let told = Sight(
            messages: items["MESSAGES"], uidNext: items["UIDNEXT"], uidValidity: items["UIDVALIDITY"])
        func differs(_ item: KeyPath<Sight, UInt64?>) -> Bool {
            told[keyPath: item] != nil && told[keyPath: item] != old[keyPath: item]
        }
        guard differs(\.messages) || differs(\.uidNext) || differs(\.uidValidity) else { return }
        news.folders.insert(name)
        sights[name] = Sight(
            messages: told.messages ?? old.messages, uidNext: told.uidNext ?? old.uidNext,
            uidValidity: told.uidValidity ?? old.uidValidity)
    }

    /// The news so far, which are none any more.
    mutating func takeNews() -> FolderNews {
        defer { news = FolderNews() }
        return news
    }
}

/// What a server has told by itself.
public struct FolderNews: Sendable, Hashable {
    /// The names of the wire, of folders into which something came, or from which something went.
    var folders: Set<[UInt8]> = []
    /// Whether the server tells no more, of no folder (NOTIFICATIONOVERFLOW, RFC 5465, 5.8).
    public internal(set) var hasGivenUp = false

    public init() {}

    public var isEmpty: Bool { folders.isEmpty && !hasGivenUp }

    public func concern(_ folder: ListedFolder) -> Bool { folders.contains(Self.key(folder.wireName)) }

    /// INBOX is the one name without case (RFC 9051, 5.1).
    static func key(_ name: [UInt8]) -> [UInt8] {
        name.equalsIgnoringCase("INBOX") ? Array("INBOX".utf8) : name
    }
}
