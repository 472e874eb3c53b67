import MailModel

/// The five words of a status response (RFC 9051, 7.1).
enum StatusKind: String, CaseIterable, Sendable {
    case ok = "OK"
    case no = "NO"
    case bad = "BAD"
    case bye = "BYE"
    case preauth = "PREAUTH"

    func matches(_ word: some Collection<UInt8>) -> Bool {
        word.elementsEqual(rawValue.utf8) { $0.asciiUppercased == $1 }
    }
}

/// A status response: what happened, in a code for programs and words for people.
struct StatusReply: Sendable {
    var kind: StatusKind
    /// What stands in brackets, such as `UIDVALIDITY 5`; empty when there is none.
    var code = ""
    var text = ""

    /// The first word of the code, in upper case.
    var codeName: String { String(code.prefix { $0 != " " }).uppercased() }

    /// The number behind the code's name.
    var codeNumber: UInt64? {
        let words = code.split(separator: " ")
        return words.count >= 2 ? UInt64(words[1]) : nil
    }

    /// The reply as the server wrote it, for people.
    var words: String { code.isEmpty ? text : "[\(code)] \(text)" }
}

extension Response {
    /// Words that a user must be shown (RFC 9051, 7.1, ALERT).
    var alert: String? {
        switch self {
        case .status(let reply), .tagged(_, let reply):
            reply.codeName == "ALERT" && !reply.text.isEmpty ? reply.text : nil
        default: nil
        }
    }
}

/// One message's data in a FETCH response (RFC 9051, 7.5.2). Everything may be missing: a server may
/// send any of it unasked.
struct FetchedData: Sendable {
    var sequenceNumber: UInt32
    var uid: UID?
    var size: Int?
    var internalDate: UnixTime?
    var modSequence: UInt64?
    /// The whole message, when the response had `BODY[]`.
    var body: Literal?
    /// A part of it, when the response had `BODY[]<offset>`.
    var piece: (offset: Int, content: Literal)?
    /// Whether the text goes on behind the message's literal as no list does: the announcement was too small,
    /// and what follows on the wire may be the message's own text.
    var isTorn = false
    var gmail: GmailMarks?
}

/// A response of the server (RFC 9051, section 7), as far as this client has a use for it.
enum Response: Sendable {
    case tagged(tag: [UInt8], StatusReply)
    case status(StatusReply)
    case continuation
    case capability([String])
    case list(ListedName)
    case namespace(Namespaces)
    case identification([String: String])
    /// Of the folder with this name of the wire.
    case mailboxStatus([UInt8], [String: UInt64])
    /// SEARCH and ESEARCH alike.
    case search([ClosedRange<UInt32>])
    case exists(UInt32)
    /// Messages that no session was told of before.
    case recent(UInt32)
    case expunge(UInt32)
    /// UIDs that are gone (RFC 7162, 3.2.10); `earlier` than this session's opening of the folder, or now.
    case vanished([ClosedRange<UInt32>], earlier: Bool)
    case fetch(FetchedData)
    /// What this client does not know, or could not read; its end is known, so nothing is lost by
    /// passing over it.
    case unknown

    /// Whether it can be what was asked for; the others cost a server nothing, and may come without end.
    var bringsData: Bool {
        switch self {
        case .tagged, .list, .mailboxStatus, .search, .vanished, .fetch: true
        default: false
        }
    }
}

/// One line of a LIST response.
struct ListedName: Sendable {
    var attributes: [String]
    var delimiter: UInt8?
    /// The name as it stood on the wire.
    var wireName: [UInt8]
}

/// The prefixes of RFC 2342.
struct Namespaces: Sendable {
    var personal: [[UInt8]] = []
    var otherUsers: [[UInt8]] = []
    var shared: [[UInt8]] = []
}
