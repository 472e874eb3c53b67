public import MailModel

/// What a folder is for (RFC 6154), beside the inbox.
public enum FolderRole: String, Sendable, Hashable, Codable, CaseIterable {
    case inbox, sent, drafts, trash, junk, archive, all, flagged
}

/// Whose folder it is (RFC 2342).
public enum FolderNamespace: String, Sendable, Hashable, Codable {
    case personal, otherUsers, shared
}

/// A folder as the server lists it.
public struct ListedFolder: Sendable, Hashable {
    /// The name for people and for configuration, with the server's hierarchy delimiter in it.
    public var name: FolderName
    /// The bytes that name it on the wire, which need not be what `name` would be encoded as.
    public var wireName: [UInt8]
    public var delimiter: Character?
    /// The attributes as the server wrote them, such as `\HasNoChildren`.
    public var attributes: [String]
    /// Only for the user's own folders; from the server's attributes, or else from well-known names.
    public var role: FolderRole?
    public var namespace: FolderNamespace
    /// False for a name that only holds other folders.
    public var isSelectable: Bool

    init(_ listed: ListedName, namespaces: Namespaces) {
        wireName = listed.wireName
        delimiter = listed.delimiter.map { Character(Unicode.Scalar($0)) }
        attributes = listed.attributes
        let decoded =
            ModifiedUTF7.decode(listed.wireName) ?? String(decoding: listed.wireName, as: UTF8.self)
        // INBOX is the one name without case (RFC 9051, 5.1).
        let isInbox = listed.wireName.equalsIgnoringCase("INBOX")
        name = isInbox ? .inbox : FolderName(decoded)
        let lowered = Set(listed.attributes.map { $0.lowercased() })
        isSelectable = !lowered.contains("\\noselect") && !lowered.contains("\\nonexistent")
        func lies(in prefixes: [[UInt8]]) -> Bool {
            prefixes.contains { !$0.isEmpty && listed.wireName.starts(with: $0) }
        }
        namespace =
            if lies(in: namespaces.otherUsers) {
                .otherUsers
            } else if lies(in: namespaces.shared) {
                .shared
            } else {
                .personal
            }
        role = nil
        guard namespace == .personal, isSelectable else { return }
        role = isInbox ? .inbox : Self.role(ofAttributes: lowered)
    }

    private static func role(ofAttributes lowered: Set<String>) -> FolderRole? {
        // \AllMail and \Spam are Gmail's older XLIST; Cyrus writes \sent.
        let table: [(String, FolderRole)] = [
            ("\\sent", .sent), ("\\drafts", .drafts), ("\\trash", .trash), ("\\junk", .junk),
            ("\\spam", .junk), ("\\archive", .archive), ("\\all", .all), ("\\allmail", .all),
            ("\\flagged", .flagged), ("\\starred", .flagged), ("\\inbox", .inbox),
        ]
        return table.first { lowered.contains($0.0) }?.1
    }
}

extension ListedFolder {
    /// Names under which servers without SPECIAL-USE keep these folders, in lower case; the earlier
    /// ones win.
    static let wellKnownNames: [(role: FolderRole, names: [String])] = [
        (
            .sent,
            [
                "sent", "sent items", "sent messages", "sent mail", "sent-mail", "[gmail]/sent mail",
                "[gmail]/отправленные", "[google mail]/sent mail", "отправленные", "отправленные письма",
                "отправленные элементы", "надіслані", "адпраўленыя", "gesendet", "gesendete objekte",
                "gesendete elemente", "envoyés", "éléments envoyés", "enviados", "posta inviata", "wysłane",
            ]
        ),
        (.drafts, ["drafts", "draft", "[gmail]/drafts", "[gmail]/черновики", "черновики", "entwürfe"]),
        (
            .trash,
            [
                "trash", "deleted", "deleted items", "deleted messages", "[gmail]/trash", "[gmail]/корзина",
                "корзина", "удаленные", "удалённые", "удаленные элементы", "papierkorb",
            ]
        ),
        (
            .junk,
            [
                "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "[gmail]/spam",
                "[gmail]/спам", "спам", "нежелательная почта",
            ]
        ),
        (.archive, ["archive", "archives", "архив"]),
        (.all, ["[gmail]/all mail", "[gmail]/вся почта"]),
    ]

    /// Gives roles by name to the personal folders, for each role that no attribute has given.
    static func assignRolesByName(_ folders: inout [ListedFolder], namespaces: Namespaces) {
        let prefixes = namespaces.personal.filter { !$0.isEmpty }.map {
            ModifiedUTF7.decode($0) ?? String(decoding: $0, as: UTF8.self)
        }
        var byName: [String: Int] = [:]
        for (index, folder) in folders.enumerated()
        where folder.namespace == .personal && folder.isSelectable && folder.role == nil {
            var name = folder.name.rawValue
            // Courier and Cyrus keep everything under `INBOX.`; the role is in what comes behind.
            for prefix in prefixes + ["INBOX.", "INBOX/"] where name.hasPrefix(prefix) {
                name = String(name.dropFirst(prefix.count))
                break
            }
            let key = name.lowercased()
            if byName[key] == nil { byName[key] = index }
        }
        for (role, names) in wellKnownNames where !folders.contains(where: { $0.role == role }) {
            if let index = names.lazy.compactMap({ byName[$0] }).first { folders[index].role = role }
        }
    }
}

/// What STATUS tells about a folder.
public struct FolderCounts: Sendable, Hashable {
    public var messages: UInt32
    /// Nil where the server does not say.
    public var uidNext: UID?
    public var uidValidity: UIDValidity?
    public var unseen: UInt32?
}

/// A folder opened for reading.
public struct FolderState: Sendable, Hashable {
    public var uidValidity: UIDValidity
    public var exists: UInt32
    /// Nil where the server does not say (Courier).
    public var uidNext: UID?
    /// RFC 7162; nil where the server or the folder has no mod-sequences.
    public var highestModSeq: UInt64?
    /// What has gone from the folder since the mark given with EXAMINE; it may name UIDs that never were. Nil
    /// where the server cannot tell, or the mark is of another UIDVALIDITY.
    public var vanished: UIDSet?
    /// Every UID, where the opening has asked for them.
    public var listed: FolderListing?

    public init(uidValidity: UIDValidity, exists: UInt32, uidNext: UID?, highestModSeq: UInt64? = nil) {
        self.uidValidity = uidValidity
        self.exists = exists
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
    }

    /// Where the next opening can go on from; nil where the folder has no mod-sequences.
    public var mark: FolderMark? {
        highestModSeq.flatMap { $0 > 0 ? FolderMark(uidValidity: uidValidity, modSequence: $0) : nil }
    }
}

/// What a server offers (RFC 9051, 7.2.2), in upper case.
public struct Capabilities: Sendable, Hashable {
    public var names: Set<String>

    public init(_ names: some Sequence<String>) { self.names = Set(names.map { $0.uppercased() }) }

    public func contains(_ name: String) -> Bool { names.contains(name.uppercased()) }
}
