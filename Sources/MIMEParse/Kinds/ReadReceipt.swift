public import MailModel

/// A message disposition notification (RFC 8098): what became of a message after delivery.
/// That somebody read it is what the sender's program claims, no more.
public struct ReadReceipt: Codable, Hashable, Sendable {
    /// `displayed`, `deleted`, `dispatched`, `processed` or another word, in lower case.
    public var disposition: String
    /// `manual-action`, `automatic-action`, `mdn-sent-manually`, `mdn-sent-automatically` …
    public var modes: [String]
    public var finalRecipient: String?
    public var originalRecipient: String?
    public var originalMessageID: MessageID?
    /// Read out of a subject and a sentence, not out of a report's fields.
    public var isFreeText: Bool

    enum CodingKeys: String, CodingKey {
        case disposition, modes
        case finalRecipient = "final_recipient"
        case originalRecipient = "original_recipient"
        case originalMessageID = "original_message_id"
        case isFreeText = "free_text"
    }

    /// Reads the fields of a message/disposition-notification part; nil without a disposition.
    init?(fields bytes: UnsafeRawBufferPointer) {
        guard let group = ReportFields.groups(bytes).first(where: { $0.has("disposition") }),
            let value = group["disposition"]?.lowercased()
        else { return nil }
        let halves = value.split(separator: ";", maxSplits: 1)
        // The type may carry modifiers behind a slash, `displayed/error`, and a comment.
        let type = (halves.last ?? "").split(separator: "/").first?.prefix { $0 != "(" } ?? ""
        guard let word = ContentLineText.trimmed(String(type)) else { return nil }
        disposition = word
        modes =
            halves.count < 2
            ? [] : halves[0].split(separator: "/").compactMap { ContentLineText.trimmed(String($0)) }
        finalRecipient = group.address("final-recipient")
        originalRecipient = group.address("original-recipient")
        originalMessageID = group.identifier("original-message-id")
        isFreeText = false
    }

    /// The receipts that programs write in words: subject and sentence must both say so.
    init?(freeText message: ParsedMessage) {
        guard let subject = message.subject else { return nil }
        let rows = LowercasedOctets.with(startOf: subject, limit: 60) { subject in
            Self.freeText.filter { $0.subjects.hasBeginning(of: subject) }
        }
        guard !rows.isEmpty else { return nil }
        let text = String(decoding: (message.text ?? "").utf8.prefix(4096), as: UTF8.self).lowercased()
        guard
            let phrases = rows.first(where: { row in
                row.sentences.contains { text.contains(octetsOf: $0) }
            })
        else { return nil }
        disposition = phrases.disposition
        modes = []
        finalRecipient = message.from.first?.address.addrSpec
        originalMessageID = message.inReplyTo.first ?? message.references.last
        isFreeText = true
    }

    private static let freeText: [(disposition: String, subjects: PhraseList, sentences: [String])] = [
        (
            "displayed", PhraseList(["read:", "прочтено:", "прочитано:"]),
            [
                "was read on", "было прочтено", "было прочитано", "прочтено:", "прочитано:",
                "прочитано получателем", "прочтено получателем",
            ]
        ),
        // The Bat!, Notes, web mail
        (
            "displayed",
            PhraseList([
                "reading confirmation:", "read receipt:", "return receipt:", "подтверждение прочтения:",
                "подтверждение о прочтении:", "уведомление о прочтении:", "отчет о прочтении:",
                "отчёт о прочтении:",
            ]),
            [
                "has been read", "was read", "was displayed", "was received by:", "было прочитано",
                "было прочтено", "прочитано получателем", "прочтено получателем",
            ]
        ),
        (
            "deleted", PhraseList(["not read:", "не прочтено:", "не прочитано:"]),
            ["was deleted without being read", "было удалено без прочтения", "удалено непрочитанным"]
        ),
    ]
}
