public import MailModel
import MailTransport

extension MailFailure.Code {
    /// The server refused a session or a mail.
    public static let smtpRefused = Self("smtp.refused")
    public static let utf8NotOffered = Self("smtp.utf8-not-offered")
    public static let mailTooLarge = Self("smtp.too-large")
    /// The bytes of a mail hold what may not go over the wire.
    public static let unsendableContent = Self("send.content")
}

extension MailFailure {
    static func notAnSMTPReply(_ detail: String) -> MailFailure {
        MailFailure(
            .notAMailServer, kind: .transient, "The server does not answer like a mail server",
            detail: detail,
            remedy: "Check host, port and security when it stays so.")
    }

    static func unaskedReply(_ place: String) -> MailFailure {
        MailFailure(
            .notAMailServer, kind: .transient, "The server answered what it was not asked", detail: place,
            remedy: "Ask the mail server's administrator when it stays so.")
    }

    static func utf8NotOffered(_ place: String) -> MailFailure {
        MailFailure(
            .utf8NotOffered, kind: .permanent,
            "An address has letters that the account's server cannot send to", detail: place,
            remedy: "Use an address in ASCII letters, or an account whose server offers SMTPUTF8.")
    }

    static func tooLarge(_ size: Int, limit: Int) -> MailFailure {
        MailFailure(
            .mailTooLarge, kind: .permanent, "The mail is larger than the server takes",
            detail: "\(size) bytes, at most \(limit)", remedy: "Send fewer or smaller attachments.")
    }

    static func incompleteContent(_ size: Int, of whole: Int) -> MailFailure {
        MailFailure(
            .unsendableContent, kind: .permanent, "The mail's bytes are not all there any more",
            detail: "\(size) of \(whole)", remedy: "Make the mail anew, and see: mailworker verify")
    }

    static let changedContent = MailFailure(
        .unsendableContent, kind: .permanent, "The mail's bytes are not those that were queued",
        remedy: "Make the mail anew, and see: mailworker verify")

    static let unsendableContent = MailFailure(
        .unsendableContent, kind: .permanent, "The mail's bytes cannot be sent as they are",
        remedy: "It has a bare line break, a NUL or an overlong line; make the mail anew.")
}
