import Archive
import MailModel

/// An account as listings show it: everything but the password.
struct AccountEntry: Encodable {
    private let account: Account
    private let receipts: Receipts?

    /// What one account is asked for, and a listing of thousands is not.
    struct Receipts {
        /// Messages that the server does not hand out.
        var withheld: Int
        /// Bytes, where its provider limits a day.
        var fetchedToday: Int64?
        /// What keeps it from sending; nil when nothing does.
        var sendPause: SendPause?
    }

    init(_ account: Account) { self.init(account, nil) }

    init(_ account: Account, _ receipts: Receipts?) {
        self.account = account
        self.receipts = receipts
    }

    private enum Key: String, CodingKey {
        case id, name, user, email, preset, login, authentication, imap, smtp, enabled, declared, state,
            failures, error, alert
        case pollMinutes = "poll_minutes"
        case timeoutSeconds = "timeout_seconds"
        case sentFolder = "sent_folder"
        case sentCopy = "sent_copy"
        case folders, since, push, pins, proxy, remedy, withheld
        case caFile = "ca_file"
        case fetchedToday = "fetched_today"
        case colleaguesSee = "colleagues_see"
        case lastAttempt = "last_attempt"
        case lastSuccess = "last_success"
        case nextPoll = "next_poll"
        case alertAt = "alert_at"
        case sendingError = "sending_error"
        case sendingUntil = "sending_waits_until"
    }

    func encode(to encoder: any Encoder) throws {
        let settings = account.settings
        let status = account.status
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(account.id, forKey: .id)
        try container.encode(settings.name, forKey: .name)
        try container.encode(account.userName, forKey: .user)
        try container.encode(settings.email?.lowercased, forKey: .email)
        try container.encode(settings.preset, forKey: .preset)
        try container.encode(settings.login, forKey: .login)
        try container.encode(
            account.credentialKind == .refreshToken ? "oauth2" : "password", forKey: .authentication)
        try container.encode(settings.imap, forKey: .imap)
        try container.encode(settings.smtp, forKey: .smtp)
        try container.encode(settings.isEnabled, forKey: .enabled)
        try container.encode(settings.isDeclared, forKey: .declared)
        try container.encode(settings.pollMinutes, forKey: .pollMinutes)
        try container.encode(settings.timeoutSeconds, forKey: .timeoutSeconds)
        try container.encode(settings.sentFolder?.rawValue, forKey: .sentFolder)
        try container.encode(settings.sentCopy, forKey: .sentCopy)
        try container.encode(settings.furtherFolders.map(\.rawValue), forKey: .folders)
        try container.encode(settings.since, forKey: .since)
        try container.encode(settings.isWatched, forKey: .push)
        try container.encode(settings.pins.map(\.text), forKey: .pins)
        try container.encode(settings.proxy, forKey: .proxy)
        try container.encode(settings.caFile, forKey: .caFile)
        try container.encode(settings.colleaguesSee, forKey: .colleaguesSee)
        try container.encode(account.stateText, forKey: .state)
        try container.encode(status.failures, forKey: .failures)
        try container.encode(status.lastAttempt, forKey: .lastAttempt)
        try container.encode(status.lastSuccess, forKey: .lastSuccess)
        try container.encode(status.nextPoll, forKey: .nextPoll)
        try container.encode(status.failure?.revealed, forKey: .error)
        try container.encode(status.failure?.remedy, forKey: .remedy)
        try container.encode(status.alert?.words, forKey: .alert)
        try container.encode(status.alert?.at, forKey: .alertAt)
        guard let receipts else { return }
        try container.encode(receipts.withheld, forKey: .withheld)
        try container.encode(receipts.fetchedToday, forKey: .fetchedToday)
        try container.encode(receipts.sendPause?.failure.revealed, forKey: .sendingError)
        try container.encode(receipts.sendPause?.until, forKey: .sendingUntil)
    }
}

extension Account {
    /// `disabled`, or how the last poll ended.
    var stateText: String { settings.isEnabled ? status.state.rawValue : "disabled" }

    var nextPollText: String {
        guard settings.isEnabled, settings.kind == .mailbox else { return "never" }
        if status.state == .stopped { return "after its user has acted" }
        return status.nextPoll?.shortText ?? "at once"
    }
}

extension SendPause {
    var waitText: String {
        let until = until.map { "until \($0.shortText)" } ?? "until its settings change"
        return "waits \(until): \(failure.revealed)"
    }
}

extension ServerEndpoint {
    var text: String { "\(host):\(port) (\(security.rawValue))" }
}
