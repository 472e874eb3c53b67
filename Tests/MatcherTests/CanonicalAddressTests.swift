import MailModel
import Matcher
import Testing

@Suite struct CanonicalAddressTests {
    private func canonical(_ text: String) throws -> String {
        CanonicalAddress(try #require(EmailAddress(text))).rawValue
    }

    @Test(arguments: [
        // Different people must stay different.
        ("ivan@mail.ru", "ivan@bk.ru"), ("ivan@mail.ru", "ivan@inbox.ru"), ("ivan@bk.ru", "ivan@list.ru"),
        ("ivan@list.ru", "ivan@internet.ru"), ("i.van@mail.ru", "ivan@mail.ru"),
        ("ivan+x@firma.example", "ivan@firma.example"), ("i.van@firma.example", "ivan@firma.example"),
        ("i-van@gmail.com", "ivan@gmail.com"), ("i.van@outlook.com", "ivan@outlook.com"),
        ("ivan@outlook.com", "ivan@hotmail.com"), ("i.van@yandex.ru", "ivan@yandex.ru"),
        ("ivan@yandex.ru", "ivan@gmail.com"), ("ivan@a.example", "ivan@b.example"),
        ("\u{430}nna@firma.example", "anna@firma.example"), ("ivan@xn--p1ai", "ivan@xn--90ais"),
    ])
    func `addresses of different people stay different`(_ one: String, _ other: String) throws {
        #expect(try canonical(one) != canonical(other))
    }

    @Test(arguments: [
        ("IVAN@Firma.Example", "ivan@firma.example"), ("ivan@firma.example.", "ivan@firma.example"),
        ("\"ivan\"@firma.example", "ivan@firma.example"), ("\"iv\\an\"@firma.example", "ivan@firma.example"),
        ("Иван@Пример.РФ", "иван@xn--e1afmkfd.xn--p1ai"), ("ivan@XN--E1AFMKFD.xn--p1ai", "ivan@пример.рф"),
        ("ivan@пример。рф", "ivan@пример.рф"), ("ивано\u{306}@firma.example", "ивано\u{306}@firma.example"),
        ("и\u{306}@firma.example", "й@firma.example"),
        ("i.v.a.n+news@gmail.com", "ivan@googlemail.com"), ("ivan+a@yandex.ru", "ivan@ya.ru"),
        ("ivan.petrov@yandex.com", "ivan-petrov@yandex.by"), ("ivan@yandex.kz", "ivan@yandex.com.tr"),
        ("ivan@narod.ru", "ivan@yandex.ua"), ("ivan+a@mail.ru", "ivan@mail.ru"),
        ("ivan+a@bk.ru", "ivan@bk.ru"), ("ivan+a@outlook.com", "ivan@outlook.com"),
        ("ivan+a@hotmail.com", "ivan@hotmail.com"), ("ivan+a@live.com", "ivan@live.com"),
        ("ivan@me.com", "ivan@icloud.com"), ("ivan+a@mac.com", "ivan@icloud.com"),
        ("ivan+a@fastmail.com", "ivan@fastmail.com"),
    ])
    func `spellings that reach one mailbox are one`(_ one: String, _ other: String) throws {
        #expect(try canonical(one) == canonical(other))
    }

    @Test func `a tag without a name before it is the name`() throws {
        #expect(try canonical("+tag@gmail.com") == "+tag@gmail.com")
        #expect(try canonical("...@gmail.com") == "...@gmail.com")
    }

    @Test func `the canonical form of a canonical form is itself`() throws {
        for text in ["i.v+x@googlemail.com", "Иван@Пример.РФ", "\"a b\"@firma.example", "a.b@ya.ru"] {
            let once = try CanonicalAddress(#require(EmailAddress(text)))
            let local = String(once.rawValue.dropLast(once.domain.count + 1))
            let again = CanonicalAddress(EmailAddress(localPart: local, domain: String(once.domain)))
            #expect(again == once)
        }
    }

    @Test func `the domain is what follows the last at sign`() {
        #expect(CanonicalAddress(rawValue: "a@b@firma.example").domain == "firma.example")
    }

    @Test func `public mail domains suggest nobody`() {
        for domain in ["gmail.com", "yandex.ru", "mail.ru", "bk.ru", "rambler.ru", "yahoo.com", "icloud.com"]
        {
            #expect(PublicMailDomain.contains(domain))
        }
        #expect(!PublicMailDomain.contains("firma.example"))
    }
}

@Suite struct PunycodeTests {
    @Test(arguments: [
        // RFC 3492, 7.1, and names in use.
        ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"), ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
        ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
        ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"), ("пример", "e1afmkfd"), ("рф", "p1ai"),
        ("bücher", "bcher-kva"), ("abc", "abc-"),
    ])
    func `labels are encoded as RFC 3492 says`(_ label: String, _ encoded: String) {
        #expect(Punycode.encode(Array(label.unicodeScalars)) == encoded)
    }

    @Test func `a label that no host name has is refused`() {
        #expect(Punycode.encode(Array(repeating: "я", count: 64).map { $0 as Unicode.Scalar }) == nil)
        #expect(
            Punycode.encode(Array(repeating: "\u{10FFFF}", count: 63).map { $0 as Unicode.Scalar }) != nil)
    }
}
