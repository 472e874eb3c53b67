import Archive
import Foundation
import MailFetch
import MailModel
import MailTransport
import Matcher
import OAuth
import Testing
import Worker

@testable import mailworker

struct ConfigurationTests {
    // MARK: What is refused

    /// Text, the place and key that the complaint names, and a word of the remedy.
    static let mistakes: [(text: String, place: String, remedy: String)] = [
        ("[pol]\nminutes = 5\n", ":1: pol: ", "poll"),
        ("minutes = 5\n", ":1: minutes: ", "archive"),
        ("\n\n[poll]\n# why\nminuts = 5\n", ":5: poll.minuts: ", "minutes"),
        (
            "[[account]]\nname = \"a\"\nuser = \"a\"\nemail = \"a@x.example\"\npassword = \"p\"\n",
            ":5: account.password: ", "password_file"
        ),
        ("poll = 5\n", ":1: poll: ", "[poll]"),
        ("[[poll]]\nminutes = 5\n", ":1: poll: ", "[poll]"),
        ("[account]\nname = \"a\"\n", ":1: account: ", "[[account]]"),
        ("account = [1]\n", ":1: account: ", "[[account]]"),
        ("[archive]\ndirectory = 5\n", ":2: archive.directory: is ", "quotes"),
        ("[archive]\nkey_file = [\"a\"]\n", ":2: archive.key_file: is ", "quotes"),
        ("[network]\nallow = \"127.0.0.0/8\"\n", ":2: network.allow: ", "allow = ["),
        ("[network]\nallow = [\"127.0.0.0/8\", 5]\n", ":2: network.allow: ", "allow = ["),
        ("[network]\nallow = [\"127.0.0.0/33\"]\n", ":2: network.allow: \"127.0.0.0/33\"", "CIDR"),
        ("[poll]\nminutes = \"5\"\n", ":2: poll.minutes: ", "without quotes"),
        ("[poll]\nminutes = 5.0\n", ":2: poll.minutes: ", "without quotes"),
        ("[poll]\nminutes = true\n", ":2: poll.minutes: ", "without quotes"),
        ("[matching]\nunverified = \"delete\"\n", ":2: matching.unverified: ", "review"),
        ("[matching]\nauthorities = [\"mx; dmarc=pass\"]\n", ":2: matching.authorities: ", "calls itself"),
        ("[log]\nlevel = \"loud\"\n", ":2: log.level: ", "warning"),
        ("[[user]]\nemail = \"a@x.example\"\n", ":1: user.name: is missing", "[[user]]"),
        ("[[user]]\nname = \"\"\n", ":2: user.name: is missing", "[[user]]"),
        ("[[user]]\nname = \"a\"\n[[user]]\nname = 5\n", ":4: user.name: ", "quotes"),
        ("[[user]]\nname = \"a\"\nemail = \"nobody\"\n", ":3: user.email: ", "local@domain"),
        ("[[user]]\nname = \"a\"\n\n[[user]]\nname = \"a\"\n", ":5: user.name: ", "once"),
    ]

    @Test(arguments: mistakes)
    func aMistakeIsNamedByFileLineAndKeyWithARemedy(text: String, place: String, remedy: String) throws {
        for newline in ["\n", "\r\n"] {
            let failure = try #require(complaint(about: text.replacingOccurrences(of: "\n", with: newline)))
            #expect(failure.code == .configuration)
            #expect(failure.detail?.hasPrefix("/etc/firma/mail.toml" + place) == true, "\(failure.revealed)")
            #expect(failure.remedy?.contains(remedy) == true, "\(failure.revealed)")
        }
    }

    static let ranges: [(table: String, key: String, range: ClosedRange<Int>)] = [
        ("poll", "minutes", 1...1440), ("poll", "concurrency", 1...1000), ("poll", "timeout_minutes", 1...60),
        ("poll", "host_connections", 1...10_000), ("poll", "host_watches", 1...100_000),
        ("archive", "pack_megabytes", 1...4096), ("limits", "commit_messages", 1...10_000),
        ("limits", "message_megabytes", 1...2000), ("limits", "receiving_megabytes", 8...4000),
        ("account", "imap_port", 1...65_535), ("account", "smtp_port", 1...65_535),
        ("account", "poll_minutes", 1...1440), ("account", "timeout_minutes", 1...60),
    ]

    private func table(_ name: String, _ line: String) -> String {
        name == "account" ? Self.account([line]) : "[\(name)]\n\(line)\n"
    }

    @Test(arguments: ranges)
    func aNumberOutsideItsRangeIsRefusedWithTheRange(table: String, key: String, range: ClosedRange<Int>) {
        for value in [Int.min, -1, 0, range.lowerBound - 1, range.upperBound + 1, .max] {
            let failure = complaint(about: self.table(table, "\(key) = \(value)"))
            #expect(failure?.detail?.contains("\(table).\(key): ") == true, "\(value)")
            #expect(
                failure?.detail?.contains("\(range.lowerBound) to \(range.upperBound)") == true, "\(value)")
        }
        for value in [range.lowerBound, range.upperBound] {
            #expect(complaint(about: self.table(table, "\(key) = \(value)")) == nil, "\(value)")
        }
    }

    @Test(arguments: [
        ("[poll\n", ":1:"), ("[poll]\nminutes = \n", ":2:"), ("[archive]\n\n  directory = \"x\n", ":3:"),
        ("[poll]\nminutes = 1\nminutes = 2\n", ":3:"), ("[poll]\n[poll]\n", ":2:"), ("\u{0}", ":1:"),
        ("[poll]\n\u{0}minutes = 5\n", ":2:"),
        ("[poll]\nminutes = 99999999999999999999999\n", ":2:"),
    ])
    func invalidTOMLIsNamedByLineAndColumn(text: String, place: String) throws {
        let failure = try #require(complaint(about: text))
        #expect(failure.code == .configuration)
        #expect(failure.summary == "The configuration is not valid TOML")
        let detail = try #require(failure.detail)
        #expect(detail.hasPrefix("/etc/firma/mail.toml" + place), "\(detail)")
        let column = detail.dropFirst("/etc/firma/mail.toml\(place)".count).prefix { $0 != ":" }
        #expect(Int(column) != nil, "\(detail)")
    }

    @Test func anAbsentFileSaysHowToMakeOneAndAnUnreadableOneDoesNot() throws {
        let directory = NSTemporaryDirectory() + "mailworker-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/mail.toml"
        let absent = try #require(throws: MailFailure.self) { try Configuration(path: path) }
        #expect(absent.detail == path && absent.remedy?.contains("init") == true)
        try Data([0xFF, 0xFE, 0x41]).write(to: URL(fileURLWithPath: path))
        let unreadable = try #require(throws: MailFailure.self) { try Configuration(path: path) }
        #expect(unreadable.detail == path && unreadable.remedy?.contains("UTF-8") == true)
    }

    static func account(_ lines: [String] = [], name: String = "anna") -> String {
        (["[[account]]", "name = \"\(name)\"", "user = \"anna\"", "email = \"anna@firma.example\""]
            + (lines.contains { $0.hasPrefix("imap_host") || $0.hasPrefix("preset") }
                ? [] : ["imap_host = \"imap.firma.example\""])
            + (lines.contains { $0.hasPrefix("smtp_port") } ? ["smtp_host = \"smtp.firma.example\""] : [])
            + lines).joined(separator: "\n") + "\n"
    }

    @Test(arguments: [
        ("preset = \"aol\"", "account.preset"), ("imap_security = \"ssl\"", "account.imap_security"),
        ("smtp_security = \"TLS\"", "account.smtp_security"), ("since = \"2026-02-30\"", "account.since"),
        ("since = 2026-01-31", "account.since"), ("folders = \"Клиенты\"", "account.folders"),
        ("folders = [1]", "account.folders"), ("login = 5", "account.login"),
        ("preset = \"custom\"", "account.imap_host"), ("pins = [\"sha256\"]", "account.pins"),
        (
            "smtp_security = \"none\"\npins = [\"sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"]",
            "account.pins"
        ),
    ])
    func aMistakeInAnAccountIsNamed(line: String, key: String) throws {
        let failure = try #require(complaint(about: "# one\n" + Self.account([line])))
        #expect(failure.code == .configuration)
        #expect(failure.detail?.contains("\(key): ") == true, "\(failure.revealed)")
        #expect(failure.detail?.contains("/etc/firma/mail.toml:") == true, "\(failure.revealed)")
    }

    @Test(arguments: ["name", "user", "email"])
    func anAccountNeedsNameUserAndAddress(key: String) throws {
        let lines = Self.account().split(separator: "\n").filter { !$0.hasPrefix(key + " ") }
        let failure = try #require(complaint(about: lines.joined(separator: "\n")))
        #expect(failure.detail == "/etc/firma/mail.toml:1: account.\(key): is missing")
    }

    @Test func anAddressThatIsNoneIsAMistakeOfTheConfigurationNotOfTheCommandLine() throws {
        let text = Self.account().replacingOccurrences(of: "anna@firma.example", with: "Anna")
        let failure = try #require(complaint(about: text))
        #expect(failure.code == .configuration)
        #expect(failure.detail?.hasPrefix("/etc/firma/mail.toml:4: account.email: ") == true)
    }

    @Test func aNameIsDeclaredOnce() throws {
        let failure = try #require(complaint(about: Self.account() + Self.account(name: "anna")))
        #expect(failure.detail?.hasPrefix("/etc/firma/mail.toml:7: account.name: ") == true)
        #expect(complaint(about: Self.account() + Self.account(name: "berta")) == nil)
    }

    @Test func aPortOrSecurityWithoutItsHostIsNotIgnored() throws {
        for line in ["smtp_port = 2525", "smtp_security = \"starttls\""] {
            let text = Self.account() + line + "\n"
            let failure = try #require(complaint(about: text))
            #expect(failure.detail?.contains("account.smtp_host: ") == true, "\(failure.revealed)")
        }
    }

    // MARK: What is read

    @Test func anEmptyFileGivesTheDefaults() throws {
        let found = try configuration("")
        #expect(found.archiveDirectory == "/etc/firma/mailworker-data")
        #expect(found.keyFile == "/etc/firma/mailworker.key")
        #expect(found.allowedNetworks == .publicOnly)
        #expect(found.pollMinutes == 5)
        #expect(found.pollConcurrency == 32)
        #expect(found.pollHostConnections == 32 && found.pollHostWatches == 1_000)
        #expect(found.timeoutSeconds == 60)
        #expect(found.limits == .standard)
        #expect(found.receivingBytes == 48 << 20)
        #expect((1...4).contains(found.parseProcesses))
        #expect(found.logLevel == "info")
        #expect(found.users.isEmpty && found.accounts.isEmpty)
    }

    static let everything = """
        [archive]
        directory = "../data"
        key_file = "/secure/key"
        pack_megabytes = 3
        min_free_megabytes = 70
        [network]
        allow = ["127.0.0.0/8", "fd00::/8"]
        ports = [143, 1993]
        dns = ["192.0.2.53"]
        autoconfig = ["https://config.example/{domain}"]
        [poll]
        minutes = 7
        concurrency = 9
        host_connections = 11
        host_watches = 12
        timeout_minutes = 3
        compress = "always"
        [limits]
        message_megabytes = 20
        receiving_megabytes = 64
        commit_messages = 50
        [parse]
        processes = 3
        [matching]
        threads = "link"
        authorities = ["mx.firma.example", "*.relay.example"]
        unverified = "review"
        [leads]
        create = "correspondents"
        [notices]
        account = "anna-mail"
        digest_minutes = 90
        [send]
        undo_seconds = 60
        user_hourly_recipients = 70
        suppress_after_bounces = 5
        suppression_days = 45
        [undo]
        keep_days = 12
        max_megabytes = 34
        [log]
        level = "debug"
        [oauth.yandex]
        client_id = "c"
        client_secret_file = "yandex.secret"
        redirect_port = 8765
        authorization_url = "https://id.example/a"
        token_url = "https://id.example/t"
        device_url = "https://id.example/d"
        scope = "mail"

        [[user]]
        name = "anna"
        email = "anna@firma.example"
        [[user]]
        name = "berta"

        [[account]]
        name = "anna-mail"
        user = "anna"
        email = "anna@firma.example"
        preset = "yandex"
        login = "anna"
        password_file = "anna.password"
        password_env = "ANNA"
        imap_host = "imap.x.example"
        imap_port = 1993
        imap_security = "starttls"
        smtp_host = "smtp.x.example"
        smtp_port = 1465
        smtp_security = "tls"
        poll_minutes = 11
        timeout_minutes = 2
        sent_folder = "Отправленные"
        sent_copy = "server"
        folders = ["Клиенты", "Архив"]
        since = "2026-01-31"
        ca_file = "ca.pem"
        pins = ["sha256//AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="]
        proxy = "socks5h://127.0.0.1:1080"
        push = true
        colleagues_see = "people"
        """

    @Test(arguments: ["", "\u{FEFF}"], ["\n", "\r\n"])
    func everyKeyIsRead(mark: String, newline: String) throws {
        let found = try configuration(
            mark + Self.everything.replacingOccurrences(of: "\n", with: newline))
        #expect(found.archiveDirectory == "/etc/data")
        #expect(found.keyFile == "/secure/key")
        #expect(found.packBytes == 3 << 20)
        #expect(found.space == SpaceLimit(minimumFreeBytes: 70 << 20))
        #expect(found.commitMessages == 50)
        #expect(found.parseProcesses == 3)
        #expect(found.matching.leads == .correspondents)
        #expect(found.digests == OwnerDigests.Settings(account: "anna-mail", minutes: 90))
        #expect(found.matching.threads == .link && found.matching.unverified == .review)
        #expect(found.matching.authorities(ofPreset: "custom").contains("a.relay.example"))
        #expect(!found.matching.authorities(ofPreset: "gmail").contains("mx.firma.example"))
        #expect(found.matching.authorities(ofPreset: "gmail").contains("mx.google.com"))
        #expect(
            found.allowedNetworks == (try NetworkAllowList(["127.0.0.0/8", "fd00::/8"], ports: [143, 1993])))
        #expect(found.nameServers == [try #require(DNSClient.Server("192.0.2.53"))])
        #expect(found.autoconfigURLs == ["https://config.example/{domain}"])
        #expect(found.pollMinutes == 7)
        #expect(found.pollConcurrency == 9)
        #expect(found.pollHostConnections == 11 && found.pollHostWatches == 12)
        #expect(found.timeoutSeconds == 180)
        #expect(found.compression.rawValue == "always")
        #expect(found.limits.messageBytes == 20 << 20)
        #expect(found.receivingBytes == 64 << 20)
        #expect(found.parseProcesses == 3)
        #expect(found.submission.undoSeconds == 60 && found.submission.userHourlyRecipients == 70)
        #expect(found.bounces.mails == 5 && found.bounces.days == 45)
        #expect(found.undoDays == 12 && found.undoBytes == 34 << 20)
        #expect(found.logLevel == "debug")
        #expect(found.oauthClients.map(\.redirectPort) == [8_765])
        #expect(found.oauthClients.first?.endpoints.deviceAuthorization == "https://id.example/d")
        #expect(
            found.users == [
                Configuration.DeclaredUser(name: "anna", email: "anna@firma.example"),
                Configuration.DeclaredUser(name: "berta", email: nil),
            ])
        let account = try #require(found.accounts.first)
        #expect(account.passwordFile == "/etc/firma/anna.password")
        #expect(account.passwordEnvironment == "ANNA")
        let options = account.options
        #expect(options.name == "anna-mail" && options.user == "anna")
        #expect(options.email == "anna@firma.example" && options.preset == "yandex")
        #expect(options.login == "anna")
        #expect(options.imapHost == "imap.x.example" && options.imapPort == 1993)
        #expect(options.imapSecurity == .starttls)
        #expect(options.smtpHost == "smtp.x.example" && options.smtpPort == 1465)
        #expect(options.smtpSecurity == .tls)
        #expect(options.pollMinutes == 11 && options.timeoutMinutes == 2)
        #expect(options.sentFolder == "Отправленные" && options.folders == ["Клиенты", "Архив"])
        #expect(options.since == UnixTime(1_769_817_600))
        #expect(options.caFile == "/etc/firma/ca.pem" && options.proxy == "socks5h://127.0.0.1:1080")
        #expect(options.pins?.map(\.text) == ["sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="])
        #expect(options.push == true && options.colleaguesSee == .people)
    }

    @Test func theTestAboveNamesEveryKey() {
        for key in ConfigurationKey.allCases {
            #expect(
                Self.everything.split(separator: "\n").contains { $0.hasPrefix(key.name + " =") },
                "\(key.rawValue)")
        }
    }
}
