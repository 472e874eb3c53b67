import MailModel

/// How a large provider reads local parts, and which of its domains are one mailbox.
///
/// Data, checked by tests row by row; a provider not named here gets no folding
/// beyond letter case, so that two people are never taken for one.
struct MailProvider: Sendable {
    /// Everything from the first `+` of the local part is a tag.
    var foldsTags = true
    /// What becomes of `.` in the local part.
    var dots = Dots.significant
    /// Lower case, A-labels. Addresses at the first domain and at every other one
    /// reach the same mailbox when `isOneMailbox`; otherwise they are different people.
    var domains: [String]
    var isOneMailbox = false

    enum Dots: Sendable {
        case significant
        case ignored
        /// Yandex: `a.b` and `a-b` are one login.
        case equalHyphens
    }

    static let all: [MailProvider] = [
        MailProvider(dots: .ignored, domains: ProviderDomains.gmail, isOneMailbox: true),
        MailProvider(dots: .equalHyphens, domains: ProviderDomains.yandex, isOneMailbox: true),
        MailProvider(domains: ProviderDomains.mailru),
        MailProvider(domains: ProviderDomains.outlook),
        // Apple gives one mailbox the same name at all three.
        MailProvider(domains: ProviderDomains.icloud, isOneMailbox: true),
        MailProvider(domains: ProviderDomains.fastmail),
    ]

    /// Whose domain this is; nil for everybody else's.
    static func named(byDomain domain: String) -> MailProvider? {
        guard let index = byDomain[domain] else { return nil }
        return all[index]
    }

    private static let byDomain: [String: Int] = {
        var table: [String: Int] = [:]
        for (index, provider) in all.enumerated() {
            for domain in provider.domains { table[domain] = index }
        }
        return table
    }()
}

/// Domains where strangers share one name: an address there says nothing about who
/// else may have one, so such a domain never suggests a contact.
public enum PublicMailDomain {
    public static func contains(_ canonicalDomain: some StringProtocol) -> Bool {
        let domain = String(canonicalDomain)
        return MailProvider.named(byDomain: domain) != nil || others.contains(domain)
    }

    /// Every domain of the list, the largest providers first.
    static let all: [String] = MailProvider.all.flatMap(\.domains) + others.sorted()

    private static let others: Set<String> = [
        "aol.com", "e1.ru", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "hanmail.net",
        "i.ua", "inbox.lv", "lenta.ru", "libero.it", "mail.bg", "mail.com", "mail.ua", "meta.ua",
        "naver.com", "ngs.ru", "nm.ru", "pm.me", "pochta.ru", "proton.me", "protonmail.ch",
        "protonmail.com", "qip.ru", "qq.com", "rambler.ru", "rambler.ua", "autorambler.ru",
        "myrambler.ru", "ro.ru", "seznam.cz", "sina.com", "tut.by", "tuta.com", "tutanota.com", "ukr.net",
        "ua.fm", "bigmir.net", "163.com", "126.com", "web.de", "wp.pl", "o2.pl", "onet.pl", "orange.fr",
        "free.fr", "laposte.net", "t-online.de", "yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr",
        "yahoo.es", "yahoo.it", "yahoo.co.jp", "ymail.com", "rocketmail.com", "zoho.com", "hey.com",
        "comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net",
        "btinternet.com", "sky.com", "abv.bg", "centrum.cz",
        "azet.sk", "mailo.com", "mail.kz", "nur.kz", "duck.com",
        "privaterelay.appleid.com", "users.noreply.github.com",
    ]
}
