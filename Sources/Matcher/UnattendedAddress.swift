/// Addresses behind which, by their names, nobody reads or a program writes: data, to be added to.
public enum UnattendedAddress {
    public static func contains(_ address: CanonicalAddress) -> Bool {
        let local = address.rawValue.dropLast(address.domain.utf8.count + 1)
        // A return path that names its recipient (VERP), or a token of some program.
        if local.contains("=") || isToken(local) { return true }
        let words = local.lowercased().split { !$0.isLetter }
        if words.contains(where: { Self.words.contains(String($0)) }) { return true }
        let letters = words.joined()
        return beginnings.contains { letters.hasPrefix($0) || letters.hasSuffix($0) }
    }

    /// Longer than names are, and mostly digits and single letters between them.
    private static func isToken(_ local: some StringProtocol) -> Bool {
        local.utf8.count > 24 && local.utf8.count(where: { (0x30...0x39).contains($0) }) >= 8
    }

    private static let words: Set<String> = [
        "abuse", "alert", "alerts", "autoreply", "autoresponder", "bot", "bounce", "bounces", "daemon",
        "hostmaster",
        "listserv", "mailer", "mailerdaemon", "mailinglist", "majordomo", "nobody", "notification",
        "notifications",
        "notifier", "notify", "newsletter", "newsletters", "postmaster", "rassylka", "reply", "request",
        "robot",
        "root", "subscribe", "subscription", "subscriptions", "unsubscribe", "uvedomlenie", "webmaster",
    ]

    private static let beginnings = [
        "noreply", "nereply", "donotreply", "dontreply", "noanswer", "neotvechat", "neotvechay", "nootvet",
        "mailerdaemon", "newsletter", "unsubscribe",
    ]
}
