import MailModel

/// Every command that a session can send. There is no case that writes to a mailbox, none that sets
/// a flag, and no raw one: what is not here cannot be sent.
enum IMAPCommand: Sendable {
    case capability
    case identify
    case namespace
    case list(returnSpecialUse: Bool)
    case status([UInt8])
    /// Opens for reading only (RFC 9051, 6.3.3).
    case examine([UInt8], ExamineOption)
    /// Opens so that the server keeps the UIDs of new messages; no flag changes but `\Recent`, which
    /// is the server's own. Cannot be made without a server that else forgets them.
    case select([UInt8], for: RenumberingServer)
    case searchAll(extended: Bool)
    /// The UIDs of messages by their numbers.
    case fetchUIDs(String)
    case fetchMetadata(String, gmail: Bool)
    /// PEEK leaves `\Seen` as it is.
    case fetchMessages(String)
    /// A part of one message (RFC 9051, 6.4.5).
    case fetchPiece(UID, offset: Int, count: Int)
    /// RFC 7162, 3.2.3: from here on the server tells UIDs of what is gone. Changes nothing for others.
    case enableQResync
    /// RFC 5465: tells of messages that come into these folders, and go from them, beside those of the open one.
    case notify([[UInt8]])
    /// RFC 4978: everything behind the reply is compressed, in both directions.
    case compress
    case noop
    /// Until `endOfIdling` (RFC 2177).
    case idle
    case logout

    /// What EXAMINE asks for beside the folder.
    enum ExamineOption: Sendable {
        case plain
        /// The highest mod-sequence (RFC 7162, 3.1.8).
        case condstore
        /// What has vanished since this one (RFC 7162, 3.2.5).
        case resync(FolderMark)

        var text: String {
            switch self {
            case .plain: ""
            case .condstore: " (CONDSTORE)"
            case .resync(let mark): " (QRESYNC (\(mark.uidValidity.rawValue) \(mark.modSequence)))"
            }
        }
    }

    /// The command without its tag, CRLF at its end.
    var bytes: [UInt8] {
        let text: [UInt8] =
            switch self {
            case .capability: Array("CAPABILITY".utf8)
            case .identify: Array("ID (\"name\" \"mailworker\")".utf8)
            case .namespace: Array("NAMESPACE".utf8)
            case .list(false): Array("LIST \"\" \"*\"".utf8)
            case .list(true): Array("LIST \"\" \"*\" RETURN (SPECIAL-USE)".utf8)
            case .status(let name):
                Array("STATUS ".utf8) + Self.quoted(name)
                    + Array(" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)".utf8)
            case .examine(let name, let option):
                Array("EXAMINE ".utf8) + Self.quoted(name) + Array(option.text.utf8)
            case .select(let name, _): Array("SELECT ".utf8) + Self.quoted(name)
            case .searchAll(false): Array("UID SEARCH ALL".utf8)
            case .searchAll(true): Array("UID SEARCH RETURN (ALL) ALL".utf8)
            case .fetchUIDs(let numbers): Array("FETCH \(numbers) (UID)".utf8)
            case .fetchMetadata(let set, gmail: false):
                Array("UID FETCH \(set) (UID RFC822.SIZE INTERNALDATE)".utf8)
            case .fetchMetadata(let set, gmail: true):
                Array(
                    "UID FETCH \(set) (UID RFC822.SIZE INTERNALDATE X-GM-MSGID X-GM-THRID X-GM-LABELS)".utf8)
            case .fetchPiece(let uid, let offset, let count):
                Array("UID FETCH \(uid.rawValue) (UID INTERNALDATE BODY.PEEK[]<\(offset).\(count)>)".utf8)
            case .enableQResync: Array("ENABLE QRESYNC".utf8)
            case .fetchMessages(let set): Array("UID FETCH \(set) (UID INTERNALDATE BODY.PEEK[])".utf8)
            case .notify(let names):
                Array(
                    "NOTIFY SET (selected-delayed (MessageNew MessageExpunge)) (mailboxes (".utf8)
                    + Array(names.map(Self.quoted).joined(separator: [0x20]))
                    + Array(") (MessageNew MessageExpunge))".utf8)
            case .compress: Array("COMPRESS DEFLATE".utf8)
            case .noop: Array("NOOP".utf8)
            case .idle: Array("IDLE".utf8)
            case .logout: Array("LOGOUT".utf8)
            }
        return text + [0x0D, 0x0A]
    }

    /// Ends IDLE; stands for itself, without a tag.
    static let endOfIdling = Array("DONE\r\n".utf8)

    /// Whether a name can be sent: no byte that would end the line.
    static func isSendable(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name.count <= 4_000 && !name.contains { $0 == 0 || $0 == 0x0D || $0 == 0x0A }
    }

    private static func quoted(_ name: [UInt8]) -> [UInt8] {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in name {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        return quoted
    }
}
