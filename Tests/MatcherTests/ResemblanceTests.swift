import MailModel
import Matcher
import Testing

@Suite struct ResemblanceTests {
    @Test(arguments: [
        ("klient.example", "klient.example"), ("klient.example", "postavshik.example"),
        ("firma1.example", "firma2.example"), ("ab.ru", "ac.ru"),
    ])
    func `equal, different, counted and short names are nobody's forgery`(name: String, known: String) {
        #expect(Look.resemblance(of: name, to: known) == nil)
    }

    @Test(arguments: [
        ("k1ient.example", "klient.example"), ("rnaria.example", "maria.example"),
        ("\u{43A}lient.example", "klient.example"),
    ])
    func `letters that look the same are the same to a reader`(name: String, known: String) {
        #expect(Look.resemblance(of: name, to: known) == .sameLetters)
    }

    @Test func `a look-alike in A-labels is read as letters`() throws {
        let label = try #require(Punycode.encode("\u{43A}lient".unicodeScalars))
        #expect(Look.resemblance(of: "xn--\(label).example", to: "klient.example") == .sameLetters)
        #expect(Look.mixesAlphabets("xn--\(label).example"))
        #expect(!Look.mixesAlphabets("klient.example"))
    }

    @Test(arguments: ["klientt.example", "kliet.example", "klyent.example", "kleint.example"])
    func `one letter more, less, another or swapped is noticed`(name: String) {
        #expect(Look.resemblance(of: name, to: "klient.example") == .oneLetter)
    }

    @Test(arguments: [
        ("trnasgranit.ru", "transgranit.ru"), ("transgarnit.ru", "transgranit.ru"),
        ("ganret-stroy.ru", "garnet-stroy.ru"), ("garet-stroy.ru", "garnet-stroy.ru"),
        ("gaxnet-stroy.ru", "garnet-stroy.ru"), ("garxnet-stroy.ru", "garnet-stroy.ru"),
        ("finclase.ru", "fincalse.ru"), ("alvva-trade.ru", "alvav-trade.ru"), ("torpaero.ru", "torpearo.ru"),
    ])
    func `one letter that makes a pair of two, or parts one, is noticed and found`(
        name: String, known: String
    ) {
        #expect(Look.resemblance(of: name, to: known) == .oneLetter)
        #expect(Look.resemblance(of: known, to: name) == .oneLetter)
        for (one, other) in [(name, known), (known, name)] {
            let filed = LookHalves(of: Look(other), family: "domain")
            let (heads, tails) = LookHalves.candidates(for: one, family: "domain")
            #expect(heads.contains(filed.head) || tails.contains(filed.tail), "\(one) for \(other)")
        }
    }

    @Test func `no two ordinary domains are taken for one another`() {
        let names = [
            "vektor", "parus", "granit", "stroymaster", "stroimaterialy", "transgaz", "transneft",
            "transtelekom",
            "metallprokat", "metallservis", "metallinvest", "agroprom", "agrosnab", "agroservis",
            "energosbyt",
            "energosnab", "energomash", "promsnab", "promstroy", "promtorg", "gazprom", "gazstroy", "lenta",
            "magnit",
            "komus", "vkusvill", "ozon", "wildberries", "citilink", "mvideo", "eldorado", "sportmaster",
            "leroymerlin",
            "petrovich", "maxidom", "obi", "ikea", "dochkisinochki", "detmir", "rivegauche", "letual",
            "sberbank",
            "tinkoff", "alfabank", "rosbank", "otkritie", "raiffeisen", "gazprombank", "rosselkhozbank",
            "dellin",
            "pecom", "cdek", "boxberry", "baikalsr", "jde", "kit-transport", "glavdostavka", "avtoritet",
            "avtodor",
            "avtomir", "avtovaz", "kamaz", "uralsib", "uralmash", "uralkali", "sibur", "sibirtelekom",
        ].map { $0 + ".ru" }
        for (number, name) in names.enumerated() {
            for other in names[..<number] {
                #expect(Look.resemblance(of: name, to: other) == nil, "\(name) for \(other)")
            }
        }
    }

    @Test func `at one provider a relative and another initial are other people`() {
        #expect(Look.resemblance(ofLocalPart: "sidorova", to: "sidorov") == nil)
        #expect(Look.resemblance(ofLocalPart: "a.sidorov", to: "b.sidorov") == nil)
        #expect(Look.resemblance(ofLocalPart: "ivan.petrow", to: "ivan.petrov") == .oneLetter)
    }

    @Test(arguments: ["klientt.example", "kliet.example", "klyent.example", "kleint.example"])
    func `what differs in one letter is found by one of its halves`(name: String) {
        let known = LookHalves(of: Look("klient.example"), family: "domain")
        let (heads, tails) = LookHalves.candidates(for: name, family: "domain")
        #expect(heads.contains(known.head) || tails.contains(known.tail))
        let other = LookHalves.candidates(for: name, family: "@gmail.com")
        #expect(!other.heads.contains(known.head) && !other.tails.contains(known.tail))
    }

    @Test(arguments: [
        ("acme-corp.com", "acme-corp.ru", Look.Resemblance.otherEnding),
        ("mail.acme-corp.co.uk", "acme-corp.ru", .otherEnding),
        ("acme-corp.ru.evil.com", "acme-corp.ru", .enclosedName),
        ("mail.acme-corp.ru.evil.com", "acme-corp.ru", .enclosedName),
        ("acme-corp.ru-login.com", "acme-corp.ru", .enclosedName),
        ("acme-corp-support.ru", "acme-corp.ru", .addedWord),
        ("my-acme-corp.com", "acme-corp.ru", .addedWord),
    ])
    func `a name that is borrowed from a known domain is noticed`(
        name: String, known: String, resemblance: Look.Resemblance
    ) {
        #expect(BorrowedName(name).resemblance(to: known) == resemblance)
    }

    @Test(arguments: [
        // What lies below a domain is its owner's.
        ("shop.acme-corp.ru", "acme-corp.ru"), ("acme-corp.ru", "shop.acme-corp.ru"),
        ("acme-corp.ru", "acme-corp.ru"),
        // Short names, and words of every day.
        ("abc.com", "abc.ru"), ("stroy-master.ru", "stroy.ru"),
        // The country's ending is nobody's name.
        ("vektor.co.uk", "parus.co.uk"), ("vektor.msk.ru", "parus.msk.ru"),
        ("acmecorporate.ru", "acme-corp.ru"),
    ])
    func `others of the same ending, subdomains and short names borrow nothing`(name: String, known: String) {
        #expect(BorrowedName(name).resemblance(to: known) == nil)
    }

    @Test func `odd domains borrow nothing and are read in bounded time`() {
        for name in ["", ".", "-", "a.-.b", String(repeating: "a-", count: 120) + ".ru", "localhost"] {
            #expect(BorrowedName(name).resemblance(to: "acme-corp.ru") == nil)
        }
        let labels = BorrowedName(Array(repeating: "a", count: 120).joined(separator: "."))
        #expect(labels.enclosed.count < 100)
    }

    @Test(arguments: [
        ("ivan@acme-corp.ru", ["ivan@acme-corp.ru"]), ("Ivan <ivan@acme-corp.ru>", ["ivan@acme-corp.ru"]),
        ("\"ivan@acme-corp.ru\" via CRM", ["ivan@acme-corp.ru"]), ("Ivan @ Acme", []), ("Ivan", []),
        ("BILL@gmail.com", []),
    ])
    func `the addresses in a name are others' than its own`(name: String, expected: [String]) {
        let mailbox = Mailbox(displayName: name, address: EmailAddress("bill@gmail.com")!)
        #expect(mailbox.addressesInName.map(\.addrSpec) == expected)
    }

    @Test(arguments: [
        Look.Resemblance.sameLetters, .oneLetter, .otherEnding, .enclosedName, .addedWord, .addressAsName,
    ])
    func `whom a warning names can be read from it`(resemblance: Look.Resemblance) {
        let lookAlike = LookAlike(address: "x@a.example", known: "ivan@b.example", resemblance: resemblance)
        let sentence = "No matching contacts for x@a.example: " + lookAlike.warning
        #expect(LookAlike.known(inWarning: sentence) == "ivan@b.example")
    }

    @Test(arguments: [
        ("Дмитрий Щербаков", "Shcherbakov Dmitry"), ("Наталья Цветкова", "Natalya Tsvetkova"),
        ("Алексей Петрович Хохлов", "Alexey Khokhlov"),
    ])
    func `one name in two alphabets and either order has one key`(name: String, other: String) {
        #expect(NameWords(name).key == NameWords(other).key)
        #expect(!NameWords(name).key.isEmpty)
    }

    @Test func `a label is read back from punycode, and nonsense is none`() {
        #expect(Punycode.encode("почта".unicodeScalars).flatMap(Punycode.decode) == "почта")
        #expect(Punycode.decode("99999999999") == nil)
        #expect(Punycode.decode("a!") == nil)
    }

    @Test func `telephone numbers are compared by digits`() {
        #expect(PhoneNumber("12345") == nil)
        #expect(PhoneNumber("8 (495) 123-45-67") == PhoneNumber("+7 495 1234567"))
        // Vietnam and Japan are not Russia.
        #expect(PhoneNumber("+84 912 345 678")?.digits == "84912345678")
        #expect(PhoneNumber(" (+81) 90 1234 567")?.digits == "81901234567")
        #expect(PhoneNumber("0084 912 345 678")?.digits == "84912345678")
        #expect(PhoneNumber("912 345-67-89") == PhoneNumber("+7 912 345-67-89"))
        #expect(PhoneNumber.all(in: "+81\u{A0}90 1234 567").map(\.digits) == ["81901234567"])
        #expect(
            PhoneNumber.all(in: "С уважением\nтел. 8 (495) 123-45-67, доб. 12").map(\.digits) == [
                "74951234567"
            ])
    }
}
