public import MailModel

extension MailFailure {
    static func parserUnavailable(_ detail: String) -> MailFailure {
        MailFailure(
            .parserUnavailable, kind: .transient, "No process for reading mail could be started",
            detail: detail,
            remedy: "Run mailworker doctor. Mail is not lost: it is fetched again when reading is possible.")
    }
}

extension MailFailure.Code {
    /// Child processes cannot be started; no message is to blame.
    public static let parserUnavailable = Self("parser.unavailable")
}
