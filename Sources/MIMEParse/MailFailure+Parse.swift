public import MailModel

extension MailFailure {
    /// A message cannot be read, whoever tries.
    public static func parserLost(_ loss: ParserLoss) -> MailFailure {
        MailFailure(
            .parserLost, kind: .permanent, "The message could not be read",
            detail: "the process that read it \(loss.words)",
            remedy: "Its bytes are kept as they came: mailworker message original.")
    }
}

extension MailFailure.Code {
    /// A message ended the process that read it, however carefully.
    public static let parserLost = Self("parser.lost")
}
