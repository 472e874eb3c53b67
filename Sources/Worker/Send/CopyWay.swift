import Archive
import MailFetch

/// What is done about the copy of a sent mail in the Sent folder; pure.
enum CopyWay: Sendable {
    /// The server that sends puts it there, or there is no such folder.
    case unneeded
    /// It is appended unless it is there.
    case append
    /// Nobody knows what the server does: it is appended when it is still missing at a second look, since a server
    /// may file what it sends a moment later.
    case findOut

    init(_ account: Account, habit: SentHabit?) {
        guard account.settings.imap != nil else {
            self = .unneeded
            return
        }
        switch account.settings.sentCopy {
        case .server: self = .unneeded
        case .append: self = .append
        case nil:
            if account.provider.profile.filesSentItself {
                self = .unneeded
            } else if let habit {
                self = habit.filesItself ? .unneeded : .append
            } else {
                self = .findOut
            }
        }
    }
}
