/// The domains under which the large providers give out addresses, lower case, A-labels.
///
/// Data for two readers: who counts as the same person (Matcher), and which servers an address has
/// (MailFetch). Domains that companies bring along are not here; their MX records tell.
public enum ProviderDomains {
    public static let gmail = ["gmail.com", "googlemail.com"]
    public static let yandex = [
        "yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "yandex.uz",
        "yandex.com.tr", "yandex.com.am", "yandex.com.ge", "yandex.com.ru", "yandex.co.il", "yandex.az",
        "yandex.ee", "yandex.fr", "yandex.kg", "yandex.lt", "yandex.lv", "yandex.md", "yandex.pl",
        "yandex.tj", "yandex.tm", "narod.ru",
    ]
    public static let mailru = ["mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"]
    public static let outlook = [
        "outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.fr", "outlook.de", "outlook.es",
        "outlook.it", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "hotmail.it", "hotmail.es", "live.ru",
        "live.co.uk", "live.fr", "live.nl",
    ]
    public static let icloud = ["icloud.com", "me.com", "mac.com"]
    public static let fastmail = ["fastmail.com", "fastmail.fm"]
    public static let rambler = [
        "rambler.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "lenta.ru", "rambler.ua",
    ]
}
