public import MailModel

#if canImport(Glibc)
    import Glibc
#endif

extension MailFailure.Code {
    /// Nobody is to receive the mail.
    public static let noRecipient = Self("compose.no-recipient")
    /// An address cannot stand in an envelope.
    public static let badAddress = Self("compose.address")
    /// A control character or a line break where a line of text is wanted.
    public static let controlCharacter = Self("compose.control-character")
    public static let badMessageID = Self("compose.message-id")
    public static let badContentID = Self("compose.content-id")
    public static let badMediaType = Self("compose.media-type")
    public static let badField = Self("compose.field")
    public static let badDate = Self("compose.date")
    public static let overlongDraft = Self("compose.too-long")
    public static let unreadableFile = Self("compose.file-unreadable")
    public static let changedFile = Self("compose.file-changed")
    /// A composed mail could not be written where it was to be kept.
    public static let unwrittenMail = Self("compose.unwritten")
}

extension MailFailure {
    static let noRecipient = MailFailure(
        .noRecipient, kind: .permanent, "The mail has no recipient",
        remedy: "Name at least one address in to, cc or bcc.")

    static func badAddress(_ address: EmailAddress, reason: String) -> MailFailure {
        MailFailure(
            .badAddress, kind: .permanent, "An address cannot be written to",
            detail: "\(visible(address.addrSpec)): \(reason)", remedy: "Correct the address.")
    }

    static func controlCharacter(in field: String) -> MailFailure {
        MailFailure(
            .controlCharacter, kind: .permanent, "A control character or line break stands where none may",
            detail: visible(field), remedy: "Write it on one line, without control characters.")
    }

    static let badMessageID = MailFailure(
        .badMessageID, kind: .permanent, "The Message-ID is not one that a mail can carry",
        remedy: "Take the one that IssuedMessageID makes.")

    static func badContentID(_ text: String) -> MailFailure {
        MailFailure(
            .badContentID, kind: .permanent, "The content id of an inline image cannot be used",
            detail: visible(text), remedy: "Use letters, digits and . _ - + @ only, each id once.")
    }

    static func badMediaType(_ name: String) -> MailFailure {
        MailFailure(
            .badMediaType, kind: .permanent, "The type of an attachment is not a file's type",
            detail: visible(name), remedy: "Name it as application/pdf is named, or leave it out.")
    }

    static func badField(_ name: String) -> MailFailure {
        MailFailure(
            .badField, kind: .permanent, "A header field cannot be written with that name or value",
            detail: visible(name), remedy: "See the field's rules in docs/COMMANDS.md.")
    }

    static let badDate = MailFailure(
        .badDate, kind: .permanent, "The date of the mail cannot be written",
        remedy: "Check the clock and the time zone.")

    static func overlong(_ what: String, limit: Int) -> MailFailure {
        MailFailure(
            .overlongDraft, kind: .permanent, "The mail has more than a message may hold",
            detail: "\(what): at most \(limit)", remedy: "Shorten it, or send several mails.")
    }

    static func unreadableFile(_ path: String, reason: String) -> MailFailure {
        MailFailure(
            .unreadableFile, kind: .permanent, "A file to send cannot be read",
            detail: "\(visible(path)): \(reason)", remedy: "Check its path and permissions.")
    }

    static let changedFile = MailFailure(
        .changedFile, kind: .permanent, "A file became shorter while it was being sent",
        remedy: "Wait until it is written completely, and send the mail again.")

    static func unwritten(errno code: Int32) -> MailFailure {
        MailFailure(
            .unwrittenMail, kind: .transient, "The mail could not be written to the disk",
            detail: String(cString: strerror(code)), remedy: "Make room on the disk.")
    }

    /// What was given, for a terminal: no control character of it reaches the screen.
    private static func visible(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(300) {
            result.append(Grammar.isControl(scalar) ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }
}
