import MailModel

extension Matcher {
    /// Why a message is incoming, outgoing or internal, in one sentence for people.
    public static func directionReason(
        of known: [KnownParticipant], _ circumstances: MessageCircumstances
    ) -> String {
        let authors = authors(of: known)
        let field = authors.first?.participant.role == .sender ? "Sender" : "From"
        let own = authors.filter(\.standing.isOwn)
        guard !own.isEmpty else {
            return authors.isEmpty
                ? "it names no author, and what is not ours is incoming"
                : "nobody in \(field) is of the company: \(list(authors))"
        }
        let author = "\(list(own)) in \(field) is of the company"
        if circumstances.isDisowned {
            return author + ", but no copy lies in a Sent folder, and the domain disowns the message"
        }
        if own.count < authors.count, !circumstances.hasSentCopy {
            let others = authors.filter { !$0.standing.isOwn }
            return author + ", but no copy lies in a Sent folder, and \(list(others)) stands beside it"
        }
        let recipients = known.filter { $0.participant.role.isRecipient }
        let strangers = recipients.filter { !$0.standing.isOwn }
        if recipients.isEmpty { return author + ", and no recipient could be read" }
        return strangers.isEmpty
            ? author + ", and so is everybody it went to" : author + ", and it went to \(list(strangers))"
    }

    private static func list(_ known: [KnownParticipant]) -> String {
        let names = known.prefix(5).map { $0.participant.mailbox.address.lowercased }
        return names.joined(separator: ", ") + (known.count > names.count ? " and more" : "")
    }
}
