import MIMEParse
import MailModel
import MailSend
import Matcher

/// Whom an answer goes to, as mail programs do it. Pure.
///
/// Whoever answers their own mail goes on writing to its recipients. An answer to everybody leaves out the user's own
/// addresses and those who got the mail blindly, and names each mailbox once.
struct ReplyRecipients {
    private(set) var to: [Mailbox]
    private(set) var cc: [Mailbox] = []

    /// - Parameter own: the addresses of whoever answers.
    init(to message: ParsedMessage, toAll: Bool, own: Set<CanonicalAddress>) {
        func isOwn(_ mailbox: Mailbox) -> Bool { own.contains(CanonicalAddress(mailbox.address)) }
        let isOwnMail = message.from.contains(where: isOwn)
        defer {
            to = to.map(Self.nameable)
            cc = cc.map(Self.nameable)
        }
        let author = isOwnMail ? message.to : message.replyTo.isEmpty ? message.from : message.replyTo
        guard toAll else {
            to = author
            return
        }
        if !isOwnMail, !message.followupTo.isEmpty {
            // The author has named everybody; who is subscribed to the list leaves themselves out.
            to = Self.each(message.followupTo, without: own)
            if !to.isEmpty { return }
        }
        // A list that puts itself into Reply-To would hide the author.
        let list = message.automation.listPost.map { CanonicalAddress($0) }
        let isHidden =
            !isOwnMail && list != nil && !message.replyTo.isEmpty
            && message.replyTo.allSatisfy { CanonicalAddress($0.address) == list }
        to = Self.each(isHidden ? message.from : author, without: own)
        cc = Self.each(
            (isHidden ? message.replyTo : []) + (isOwnMail ? [] : message.to) + message.cc,
            without: own.union(to.map { CanonicalAddress($0.address) }))
        if to.isEmpty {
            to = cc
            cc = []
        }
        // A mail to oneself alone is answered to oneself.
        if to.isEmpty { to = author }
    }

    /// For an answer of which the writer has named recipients: theirs stay as they are, and the others get copies.
    ///
    /// - Parameter blind: who is not to be named.
    func beside(to named: [Mailbox], cc: [Mailbox], bcc blind: [Mailbox]) -> (to: [Mailbox], cc: [Mailbox]) {
        let hidden = Set(blind.map { CanonicalAddress($0.address) })
        let first = named.isEmpty ? Self.each(to, without: hidden) : named
        let taken = hidden.union((first + cc).map { CanonicalAddress($0.address) })
        return (first, cc + Self.each((named.isEmpty ? [] : to) + self.cc, without: taken))
    }

    /// With a name that a mail of ours may bear, whatever stood in theirs.
    private static func nameable(_ mailbox: Mailbox) -> Mailbox {
        var mailbox = mailbox
        mailbox.displayName = mailbox.displayName?.asForeignLine
        return mailbox
    }

    /// In their order, each mailbox once.
    private static func each(_ mailboxes: [Mailbox], without left: Set<CanonicalAddress>) -> [Mailbox] {
        var seen = left
        return mailboxes.filter { seen.insert(CanonicalAddress($0.address)).inserted }
    }
}
