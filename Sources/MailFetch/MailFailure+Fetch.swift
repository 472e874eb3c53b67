public import MailModel

/// The codes of what an IMAP server can do wrong or refuse once it has let us in.
extension MailFailure.Code {
    /// A response broke the grammar, or a limit, so that its end is not known.
    public static let protocolViolation = Self("protocol-violation")
    /// The server said BYE.
    public static let serverClosed = Self("server-closed")
    /// A command was answered NO or BAD.
    public static let commandRefused = Self("command-refused")
    public static let folderMissing = Self("folder-missing")
    /// The session was used after a failure or after LOGOUT.
    public static let sessionOver = Self("session-over")
    /// UIDVALIDITY changed while the folder was open.
    public static let uidValidityChanged = Self("uid-validity-changed")
    /// No table, record or file tells which servers an address has.
    public static let settingsNotFound = Self("settings-not-found")
    /// A large message could not be put into a temporary file.
    public static let spoolFailed = Self("spool-failed")
}

extension MailFailure {
    static func violation(_ what: String) -> MailFailure {
        MailFailure(
            .protocolViolation, kind: .transient, "The server's answer could not be understood", detail: what,
            remedy: "It is tried again later; if it stays so, record a trace and report it.")
    }

    static let sessionIsOver = MailFailure(
        .sessionOver, kind: .transient, "The session has already ended", remedy: "Open a new one.")
}
