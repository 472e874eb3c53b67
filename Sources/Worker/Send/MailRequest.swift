public import Archive
public import MailModel

/// What somebody asks to be sent, in the words of the command line and of its JSON.
public struct MailRequest: Sendable, Codable {
    public var account: String
    /// Nil: the account's own address.
    public var from: String?
    public var to: [String]
    public var cc: [String]
    public var bcc: [String]
    public var subject: String?
    public var text: String?
    public var html: String?
    /// Paths of files.
    public var attachments: [String]
    /// Paths of pictures that the HTML shows, each as `cid:` and its file's name.
    public var inlineImages: [String]
    /// The archive's number of the message that is answered.
    public var replyToMessage: String?
    /// Whether the answer goes to everybody whom that message names.
    public var replyAll: Bool
    /// The archive's number of the message that is forwarded, with its files.
    public var forward: String?
    /// The stored template that makes subject and text.
    public var template: String?
    /// The contact to whose first address it goes where `to` is empty, and for whom a template is filled in; found by the
    /// address where nil.
    public var contact: String?
    /// Whether the account's signature stands under a single mail.
    public var signature: Bool
    /// Whether the answered message stands under the text.
    public var quote: Bool
    /// Not before this time.
    public var at: UnixTime?
    public var idempotencyKey: String?
    public var kind: OutboxKind
    /// What cannot be delivered of it is reported to nobody (RFC 5321, 4.5.5), where the account's server takes a null
    /// reverse-path: large providers accept the user's own address only. Not for the command line.
    public var isReturnedToNobody = false
    /// Whether a mail of other words under the same key is the same mail, as where they say what is so at the moment. Not
    /// for the command line.
    public var keyStandsForAnyWords = false

    public init(account: String, to: [String]) {
        self.account = account
        self.to = to
        cc = []
        bcc = []
        attachments = []
        inlineImages = []
        replyAll = false
        signature = true
        quote = true
        kind = .single
    }

    /// One text to several contacts is mass mail unless somebody says otherwise: whoever must not be mailed is left out,
    /// and what people write to each other goes before.
    ///
    /// - Parameters:
    ///   - contacts: how many get a mail of their own.
    ///   - named: what somebody says.
    public mutating func goes(toContacts contacts: Int, as named: OutboxKind?) {
        if let named {
            kind = named
        } else if contacts > 1, kind == .single {
            kind = .mass
        }
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case account, from, to, cc, bcc, subject, text, html, attachments, at, kind, forward, quote
        case template, contact, signature
        case inlineImages = "inline_images"
        case replyToMessage = "reply_to_message"
        case replyAll = "reply_all"
        case idempotencyKey = "idempotency_key"
    }

    /// A key that nobody knows.
    private struct AnyKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// One address may stand without its list, a number for its text; a key that is not known is an error, since
    /// a mail without what it stands for would go out.
    public init(from decoder: any Decoder) throws {
        let known = Set(CodingKeys.allCases.map(\.rawValue))
        let all = try decoder.container(keyedBy: AnyKey.self)
        if let odd = all.allKeys.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorruptedError(
                forKey: odd, in: all, debugDescription: "the key \"\(odd.stringValue)\" is not known")
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func list(_ key: CodingKeys) throws -> [String] {
            if let one = try? container.decodeIfPresent(String.self, forKey: key) { return [one] }
            return try container.decodeIfPresent([String].self, forKey: key) ?? []
        }
        account = try container.decode(String.self, forKey: .account)
        from = try container.decodeIfPresent(String.self, forKey: .from)
        to = try list(.to)
        cc = try list(.cc)
        bcc = try list(.bcc)
        subject = try container.decodeIfPresent(String.self, forKey: .subject)
        text = try container.decodeIfPresent(String.self, forKey: .text)
        html = try container.decodeIfPresent(String.self, forKey: .html)
        attachments = try list(.attachments)
        inlineImages = try list(.inlineImages)
        func number(_ key: CodingKeys) throws -> String? {
            if let number = try? container.decodeIfPresent(Int64.self, forKey: key) { return String(number) }
            return try container.decodeIfPresent(String.self, forKey: key)
        }
        replyToMessage = try number(.replyToMessage)
        replyAll = try container.decodeIfPresent(Bool.self, forKey: .replyAll) ?? false
        forward = try number(.forward)
        template = try container.decodeIfPresent(String.self, forKey: .template)
        contact = try number(.contact)
        signature = try container.decodeIfPresent(Bool.self, forKey: .signature) ?? true
        quote = try container.decodeIfPresent(Bool.self, forKey: .quote) ?? true
        if let seconds = try? container.decodeIfPresent(Int64.self, forKey: .at) {
            at = UnixTime(seconds)
        } else if let text = try container.decodeIfPresent(String.self, forKey: .at) {
            guard let time = SendTime.read(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .at, in: container, debugDescription: "at is no time")
            }
            at = time
        }
        idempotencyKey = try container.decodeIfPresent(String.self, forKey: .idempotencyKey)
        kind = try container.decodeIfPresent(OutboxKind.self, forKey: .kind) ?? .single
    }
}
