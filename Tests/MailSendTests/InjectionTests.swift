import MIMEParse
import MailModel
import MailSend
import Testing

/// Hostile strings in every place of a draft: the composer refuses them, or the mail has exactly
/// the fields and recipients that it would have had with a harmless one.
@Suite struct InjectionTests {
    private static let breaks = [
        "\r\n", "\n", "\r", "\0", "\u{85}", "\u{2028}", "\u{2029}", "\u{B}", "\u{C}", "\u{7F}", "\r\n\r\n",
        "\r\n ", "\n.\r\n",
        // What is left of overlong forms of LF and CR, and of a surrogate.
        String(decoding: [0xC0, 0x8A] as [UInt8], as: UTF8.self),
        String(decoding: [0xE0, 0x80, 0x8D, 0xC0, 0x8A] as [UInt8], as: UTF8.self),
        String(decoding: [0xED, 0xA0, 0x8A] as [UInt8], as: UTF8.self), "\u{560A}", "\u{10D}\u{10A}",
        "=?utf-8?Q?=0D=0A?=", "=?utf-8?B?DQo=?=", "%0D%0A", "\\r\\n",
    ]
    private static let payloads = [
        "Bcc: evil@x.example", "X-Evil: 1", "\r\nRCPT TO:<evil@x.example>", "> SIZE=1",
        "\">, <evil@x.example",
        "--=_x\r\nContent-Type: text/html",
    ]

    /// Puts a string into one place of a draft.
    private static let places: [(name: String, put: @Sendable (inout MailDraft, String) throws -> Void)] = [
        ("subject", { $0.subject = $1 }),
        ("from name", { $0.from.displayName = $1 }),
        ("to name", { $0.to[0].displayName = $1 }),
        ("cc name", { $0.cc = [Mailbox(displayName: $1, address: ivan.address)] }),
        ("reply-to name", { $0.replyTo = [Mailbox(displayName: $1, address: ivan.address)] }),
        ("local part", { $0.to[0].address = EmailAddress(localPart: $1, domain: "x.example") }),
        ("domain", { $0.to[0].address = EmailAddress(localPart: "a", domain: $1) }),
        (
            "bcc",
            { $0.bcc = [Mailbox(displayName: $1, address: EmailAddress(localPart: $1, domain: "x.example"))] }
        ),
        ("return path", { $0.returnPath = .address(EmailAddress(localPart: $1, domain: "x.example")) }),
        ("message id", { $0.messageID = MessageID(rawValue: $1) }),
        (
            "reference",
            { $0.thread = ThreadPosition(answering: MessageID(rawValue: $1), references: [], inReplyTo: []) }
        ),
        ("file name", { $0.attachments = [Enclosure(.bytes([1]), filename: $1)] }),
        ("type", { $0.attachments = [Enclosure(.bytes([1]), filename: "a", type: try MediaType($1))] }),
        (
            "content id",
            {
                $0.html = "<p>a</p>"
                $0.inlineImages = [Enclosure(.bytes([1]), filename: "a", contentID: $1)]
            }
        ),
        ("field name", { $0.fields = [.custom(name: "X-" + $1, value: "a")] }),
        ("field value", { $0.fields = [.custom(name: "X-Own", value: $1)] }),
        (
            "unsubscribe",
            { $0.fields = [.listUnsubscribe(urls: ["https://a.example/" + $1], oneClick: true)] }
        ),
        ("list id", { $0.fields = [.listID($1)] }),
        ("feedback id", { $0.fields = [.feedbackID($1)] }),
        ("text", { $0.text = $1 }),
        ("html", { $0.html = $1 }),
        ("enclosed message", { $0.attachments = [Enclosure(message: .bytes(Array($1.utf8)))] }),
    ]

    private static let allowed: Set<String> = [
        "date", "from", "reply-to", "to", "cc", "message-id", "in-reply-to", "references", "subject", "x-own",
        "list-unsubscribe", "list-unsubscribe-post", "list-id", "feedback-id", "mime-version", "content-type",
        "content-transfer-encoding",
    ]

    @Test func noInputAddsAFieldOrARecipient() throws {
        var tried = 0
        var refused = 0
        for (place, put) in Self.places {
            for lineBreak in Self.breaks {
                for payload in Self.payloads {
                    for text in ["a\(lineBreak)\(payload)", "\(lineBreak)\(payload)\(lineBreak)"] {
                        tried += 1
                        do {
                            var draft = draft { $0.subject = "s" }
                            try put(&draft, text)
                            let mail = try Composer.compose(draft)
                            try Self.check(try mail.bytes(), mail.envelope, draft, place, text)
                        } catch let failure as MailFailure {
                            #expect(failure.code.rawValue.hasPrefix("compose."))
                            refused += 1
                        }
                    }
                }
            }
        }
        #expect(tried >= 2_000)
        #expect(refused > 0 && refused < tried)
        print("injection: \(tried) inputs, \(refused) refused")
    }

    private static func check(
        _ bytes: [UInt8], _ envelope: Envelope, _ draft: MailDraft, _ place: String, _ text: String
    ) throws {
        let comment = Comment(rawValue: "\(place): \(text.debugDescription)")
        var names: [String] = []
        for line in String(decoding: bytes, as: UTF8.self).components("\r\n") {
            if line.isEmpty { break }
            guard !line.hasPrefix(" ") else { continue }
            names.append(line.prefix { $0 != ":" }.lowercased())
        }
        #expect(Set(names).count == names.count, comment)
        #expect(Set(names).isSubset(of: Self.allowed), comment)
        for (index, byte) in bytes.enumerated() {
            let isBare =
                byte == 0 || byte == 10 && (index == 0 || bytes[index - 1] != 13)
                || byte == 13 && (index + 1 == bytes.count || bytes[index + 1] != 10)
            if isBare { Issue.record(comment) }
        }
        let message = reading(bytes)
        #expect(message.to.count == draft.to.count && message.cc.count == draft.cc.count, comment)
        #expect(message.from.count == 1 && message.bcc.isEmpty, comment)
        #expect(
            envelope.recipients.count == draft.to.count + draft.bcc.count + (draft.cc.isEmpty ? 0 : 0),
            comment)
        for path in envelope.recipients + [envelope.sender].compactMap(\.self) {
            #expect(
                path.text.unicodeScalars.allSatisfy {
                    $0.value > 0x1F && $0.value != 0x7F && $0 != "\u{2028}"
                }, comment)
        }
        #expect(message.attachments.count == draft.attachments.count + draft.inlineImages.count, comment)
    }
}

extension String {
    /// Split at every `separator`, octet by octet: CRLF is one character to Swift.
    fileprivate func components(_ separator: String) -> [String] {
        var parts: [String] = [""]
        var octets: [UInt8] = []
        for byte in utf8 {
            octets.append(byte)
            if octets.suffix(separator.utf8.count).elementsEqual(separator.utf8) {
                parts[parts.count - 1] = String(
                    decoding: octets.dropLast(separator.utf8.count), as: UTF8.self)
                parts.append("")
                octets = []
            }
        }
        parts[parts.count - 1] = String(decoding: octets, as: UTF8.self)
        return parts
    }
}
