public import MailModel

/// A user of the CRM: someone who owns contacts and has mailboxes.
public struct User: Sendable, Hashable {
    public var id: UserID
    public var name: String
    public var displayName: String?
    public var email: EmailAddress?
    /// By name; nil for one without rights.
    public var role: String?
    /// By name.
    public var department: String?
    /// One who is not can neither act nor sign in; what they own stays theirs.
    public var isEnabled: Bool
    public var hasPassword: Bool
}

/// What an account is told to do; everything but the secret.
public struct AccountSettings: Sendable, Hashable {
    public enum Kind: String, Sendable, Codable {
        case mailbox
        /// The place of mail that was imported from files; never polled.
        case `import`
    }

    public var name: String
    public var user: UserID?
    public var kind: Kind
    public var email: EmailAddress?
    /// gmail, yandex, mailru, custom … as it was chosen; the endpoints are what counts.
    public var preset: String
    public var login: String
    public var imap: ServerEndpoint?
    public var smtp: ServerEndpoint?
    /// Minutes between two polls.
    public var pollMinutes: Int
    /// A session stays open on INBOX, so that new mail is filed when it comes (IMAP IDLE).
    public var isWatched: Bool
    /// Seconds that any one read from the server may take.
    public var timeoutSeconds: Int
    /// Nil: found by SPECIAL-USE.
    public var sentFolder: FolderName?
    public var furtherFolders: [FolderName]
    /// Who puts the copy of sent mail into the Sent folder; nil: as the preset knows, or as it is found out.
    public var sentCopy: SentCopy?
    /// Mail that arrived earlier is not fetched.
    public var since: UnixTime?
    public var caFile: String?
    /// Keys that its servers may have; with any, authorities are not asked.
    public var pins: [KeyPin]
    public var proxy: String?
    /// Declared in the configuration file, which then is where to edit it.
    public var isDeclared: Bool
    public var isEnabled: Bool
    /// What the user's colleagues see of the mail in it.
    public var colleaguesSee: Disclosure

    public init(name: String, kind: Kind = .mailbox, email: EmailAddress?, login: String) {
        self.name = name
        user = nil
        self.kind = kind
        self.email = email
        preset = "custom"
        self.login = login
        imap = nil
        smtp = nil
        pollMinutes = 5
        isWatched = false
        timeoutSeconds = 60
        sentFolder = nil
        furtherFolders = []
        sentCopy = nil
        since = nil
        caFile = nil
        pins = []
        proxy = nil
        isDeclared = false
        isEnabled = true
        colleaguesSee = .everything
    }
}

/// Who puts the copy of what was sent into the Sent folder.
public enum SentCopy: String, Sendable, Codable, CaseIterable {
    /// The server that sends it.
    case server
    /// We do, by APPEND.
    case append
}

/// How an account is doing: what its user sees.
public struct AccountStatus: Sendable, Hashable {
    public enum State: String, Sendable, Codable {
        case new, ok
        /// The last attempt failed, or one of its folders did; it is tried again by itself.
        case failing
        /// A person must act before it is tried again.
        case stopped
    }

    public var state: State
    public var lastAttempt: UnixTime?
    public var lastSuccess: UnixTime?
    /// Nil: due at once.
    public var nextPoll: UnixTime?
    /// Failed attempts of one kind in a row; none where a single folder failed and INBOX did not.
    public var failures: Int
    /// How often the secret was refused since it was last accepted or changed, whatever else has failed in between.
    public var refusedSignIns: Int
    /// Why the last attempt failed; nil after a success.
    public var failure: MailFailure?

    /// What the server has last wanted the account's user to read; nil when it never has.
    public var alert: ServerAlert?

    /// Whether the last attempt failed, and the time of the next one has not come. Trouble of this machine is none
    /// of the account's, and a last attempt in the future means that the clock was wrong.
    public func isPutOff(at time: UnixTime) -> Bool {
        guard state == .failing, failures > 0, let nextPoll, let lastAttempt, lastAttempt <= time,
            failure?.isOfThisMachine != true
        else { return false }
        return nextPoll > time
    }

    /// How many attempts have failed with one that has just ended: for a refused secret, all that were refused.
    public func failures(with failure: MailFailure) -> Int {
        if failure.kind == .credential { return refusedSignIns + 1 }
        return (failure.kind == self.failure?.kind ? failures : 0) + 1
    }
}

/// Words of a server for the user of a mailbox (RFC 9051, 7.1, ALERT), and when it said them.
public struct ServerAlert: Sendable, Hashable {
    public var words: String
    public var at: UnixTime

    public init(words: String, at: UnixTime) {
        self.words = words
        self.at = at
    }
}

/// A mailbox to be watched for new mail.
public struct WatchedAccount: Sendable, Hashable {
    /// Of its settings.
    public var revision: Int64
    public var lastSuccess: UnixTime
    /// Of its IMAP server.
    public var host: String

    public init(revision: Int64, lastSuccess: UnixTime, host: String) {
        self.revision = revision
        self.lastSuccess = lastSuccess
        self.host = host
    }
}

/// One account with its settings and status.
public struct Account: Sendable, Hashable {
    public var id: AccountID
    public var settings: AccountSettings
    public var userName: String?
    public var hasSecret: Bool
    /// Also says what it is to sign in with when the secret is lost.
    public var credentialKind: StoredCredential.Kind
    /// Counts the changes of settings and secret.
    public var revision: Int64
    public var status: AccountStatus
}

extension MailFailure {
    /// Whether neither the mailbox nor its server has a part in it: a full disk, a parser that does not start, ….
    public var isOfThisMachine: Bool {
        code.rawValue.hasPrefix("archive.")
            || ["spool-failed", "system-resources", "parser.unavailable"].contains(code.rawValue)
    }
}

/// What became of an account that was removed.
public struct AccountRemoval: Sendable, Hashable {
    /// False where it is only disabled, since it has mail.
    public var isGone: Bool
    /// Mails of its outbox that wait for a person now.
    public var heldMail: Int
}
