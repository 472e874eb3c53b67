public import MailModel

/// A complaint about a message, as providers send them to who sent it (ARF, RFC 5965).
public struct AbuseReport: Codable, Hashable, Sendable {
    /// `abuse`, `fraud`, `virus`, `not-spam`, `opt-out` …, in lower case.
    public var feedbackType: String
    public var originalRecipients: [String]
    public var originalSender: String?
    public var arrivalDate: UnixTime?
    public var original: ReportedMessage?

    enum CodingKeys: String, CodingKey {
        case original
        case feedbackType = "feedback_type"
        case originalRecipients = "original_recipients"
        case originalSender = "original_sender"
        case arrivalDate = "arrival_date"
    }

    /// Reads the fields of a message/feedback-report part; nil without a feedback type.
    init?(fields bytes: UnsafeRawBufferPointer) {
        guard let group = ReportFields.groups(bytes).first(where: { $0.has("feedback-type") }),
            let type = group["feedback-type"].flatMap(ContentLineText.trimmed)
        else { return nil }
        feedbackType = type.lowercased()
        originalRecipients = group.all("original-rcpt-to").compactMap(ReportFields.withoutType)
            .map(ReportFields.decodedAddress)
        originalSender = group["original-mail-from"].map(ReportFields.decodedAddress)?.nonEmpty
        arrivalDate = group.time("arrival-date") ?? group.time("received-date")
    }
}
