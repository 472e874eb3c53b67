import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import MailFetch

/// From an address to its servers, with a name server and a web server that say what the test wants.
@Suite struct SettingsDiscoveryTests {
    private let loop: NetworkLoop

    init() throws { loop = try NetworkLoop() }

    private func discover(
        _ text: String, names: [String: [StubNameServer.Record]] = [:],
        pages: [String: StubWebServer.Page] = [:],
        answering: Bool = true
    ) async throws -> FoundSettings {
        let nameServer = try StubNameServer { question in
            guard answering else { return .silence }
            return names[question.name].map { .records($0) } ?? .code(3)
        }
        let webServer = try StubWebServer(pages)
        defer {
            nameServer.stop()
            webServer.stop()
        }
        var discovery = SettingsDiscovery(
            dns: DNSClient(
                servers: [DNSClient.Server(nameServer.address)].compactMap { $0 }, tries: 1,
                tryMilliseconds: answering ? 3_000 : 100), loop: loop,
            allowedNetworks: try NetworkAllowList(["127.0.0.0/8"]))
        discovery.autoconfigURLs = [
            "http://127.0.0.1:\(webServer.port)/{domain}/first.xml",
            "http://127.0.0.1:\(webServer.port)/{domain}/second.xml",
        ]
        return try await discovery.settings(of: try #require(EmailAddress(text)))
    }

    private func failure(
        _ text: String, names: [String: [StubNameServer.Record]] = [:],
        pages: [String: StubWebServer.Page] = [:],
        answering: Bool = true
    ) async throws -> MailFailure? {
        do {
            _ = try await discover(text, names: names, pages: pages, answering: answering)
            return nil
        } catch let failure as MailFailure {
            return failure
        }
    }

    private static func file(_ servers: String) -> StubWebServer.Page {
        StubWebServer.Page(
            """
            <?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="firma.example">
            <domain>firma.example</domain>\(servers)</emailProvider></clientConfig>
            """)
    }

    private static let whole = """
        <incomingServer type="pop3"><hostname>pop.firma.example</hostname><port>995</port>
        <socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
        <incomingServer type="imap"><hostname>plain.firma.example</hostname><port>143</port>
        <socketType>plain</socketType><username>%EMAILADDRESS%</username></incomingServer>
        <incomingServer type="imap"><hostname> IMAP.%EMAILDOMAIN% </hostname><port>993</port>
        <socketType>SSL</socketType><username>%EMAILLOCALPART%</username></incomingServer>
        <outgoingServer type="smtp"><hostname>smtp.firma.example</hostname><port>587</port>
        <socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></outgoingServer>
        """

    // MARK: What is not taken

    @Test func whatNothingTellsOfIsSaidToBeSo() async throws {
        let found = try await failure("anna@firma.example")
        #expect(found?.code == .settingsNotFound && found?.remedy?.contains("--imap-host") == true)
    }

    @Test func aNameServerThatIsSilentIsTheReason() async throws {
        #expect(try await failure("anna@firma.example", answering: false)?.code == .nameLookupFailed)
    }

    @Test(arguments: [
        "", "<html/>", "<clientConfig/>", "{}",
        "<!DOCTYPE x [<!ENTITY a \"imap.evil.example\">]><clientConfig><emailProvider>"
            + "<incomingServer type=\"imap\"><hostname>&a;</hostname><port>993</port><socketType>SSL</socketType>"
            + "</incomingServer></emailProvider></clientConfig>",
    ]) func aFileThatIsNoneTellsNothing(_ text: String) async throws {
        let pages = ["/firma.example/first.xml": StubWebServer.Page(text)]
        #expect(try await failure("anna@firma.example", pages: pages)?.code == .settingsNotFound)
    }

    @Test(arguments: [
        "<hostname>imap.firma.example</hostname><port>143</port><socketType>plain</socketType>",
        "<hostname>imap.firma.example</hostname><port>0</port><socketType>SSL</socketType>",
        "<hostname>imap.firma.example</hostname><port>22</port><socketType>SSL</socketType>",
        "<hostname>imap firma.example</hostname><port>993</port><socketType>SSL</socketType>",
        "<hostname>a@imap.example/x</hostname><port>993</port><socketType>SSL</socketType>",
        "<hostname></hostname><port>993</port><socketType>SSL</socketType>", "<port>993</port>",
    ]) func aServerThatMayNotBeSpokenToIsLeftOut(_ inner: String) async throws {
        let pages = [
            "/firma.example/first.xml": Self.file("<incomingServer type=\"imap\">\(inner)</incomingServer>")
        ]
        #expect(try await failure("anna@firma.example", pages: pages)?.code == .settingsNotFound)
    }

    @Test func anAnswerThatLeadsElsewhereIsNotFollowed() async throws {
        let elsewhere = try StubWebServer(["/x": Self.file(Self.whole)])
        defer { elsewhere.stop() }
        let pages = [
            "/firma.example/first.xml": StubWebServer.Page(
                "", status: 302, headers: "Location: http://127.0.0.1:\(elsewhere.port)/x\r\n")
        ]
        #expect(try await failure("anna@firma.example", pages: pages)?.code == .settingsNotFound)
        #expect(elsewhere.paths.isEmpty)
    }

    @Test func aServiceAtAPortThatIsShutIsLeftOut() async throws {
        let names: [String: [StubNameServer.Record]] = [
            "_imaps._tcp.firma.example": [.srv(priority: 0, weight: 0, port: 22, "ssh.firma.example")]
        ]
        #expect(try await failure("anna@firma.example", names: names)?.code == .settingsNotFound)
    }

    // MARK: What is found

    @Test func aProvidersOwnAddressNeedsNoNetwork() async throws {
        let found = try await discover("anna@YA.ru", answering: false)
        #expect(found.preset == .yandex && found.imap.host == "imap.yandex.ru" && found.login == "anna@YA.ru")
        #expect(found.source == .domain("ya.ru"))
    }

    @Test(arguments: [
        ("mx.yandex.net", ProviderPreset.yandex), ("aspmx.l.google.com", .gmail), ("smtp.google.com", .gmail),
        ("emx.mail.ru", .mailru),
    ]) func aCompanysMailServerLeadsToItsProvider(_ host: String, _ preset: ProviderPreset) async throws {
        let found = try await discover(
            "anna@firma.example",
            names: ["firma.example": [.mx(20, "backup.example"), .mx(10, host)]])
        #expect(found.preset == preset && found.source == .mailExchanger(host))
        #expect(found.smtp == preset.smtp && found.login == "anna@firma.example" && !found.notes.isEmpty)
    }

    @Test func aProviderThatOnlyKeepsABackupDecidesNothing() async throws {
        let found = try await discover(
            "anna@firma.example",
            names: [
                "firma.example": [.mx(20, "mx.yandex.net"), .mx(10, "mail.firma.example")],
                "_imaps._tcp.firma.example": [
                    .srv(priority: 0, weight: 0, port: 993, "imap.firma.example")
                ],
            ])
        #expect(found.source == .serviceRecords && found.imap.host == "imap.firma.example")
    }

    @Test func everyServerOfAnotherDomainIsPointedOut() async throws {
        let found = try await discover(
            "anna@firma.example",
            names: [
                "_imaps._tcp.firma.example": [.srv(priority: 0, weight: 0, port: 993, "imap.evil.example")],
                "_submissions._tcp.firma.example": [
                    .srv(priority: 0, weight: 0, port: 465, "smtp.other.example")
                ],
            ])
        for host in ["imap.evil.example", "smtp.other.example"] {
            #expect(found.notes.contains { $0.contains("\(host) does not belong to firma.example") })
        }
    }

    @Test func serviceRecordsPreferTLSFromTheFirstByte() async throws {
        let found = try await discover(
            "anna@firma.example",
            names: [
                "firma.example": [.mx(10, "mail.firma.example")],
                "_imap._tcp.firma.example": [.srv(priority: 0, weight: 9, port: 143, "a.firma.example")],
                "_imaps._tcp.firma.example": [
                    .srv(priority: 5, weight: 0, port: 993, "late.firma.example"),
                    .srv(priority: 1, weight: 0, port: 993, "imap.firma.example"),
                ],
                "_submission._tcp.firma.example": [
                    .srv(priority: 0, weight: 0, port: 587, "smtp.firma.example")
                ],
            ])
        #expect(found.imap == ServerEndpoint(host: "imap.firma.example", port: 993, security: .tls))
        #expect(found.smtp == ServerEndpoint(host: "smtp.firma.example", port: 587, security: .starttls))
        #expect(found.source == .serviceRecords && found.preset == .custom && found.notes.isEmpty)
    }

    @Test(arguments: ["203.0.113.7", "127.1", "2130706433", "0x7f000001"])
    func aServiceRecordThatNamesAnAddressIsPassedOver(_ target: String) async throws {
        let found = try await discover(
            "anna@firma.example",
            names: [
                "_imaps._tcp.firma.example": [
                    .srv(priority: 0, weight: 0, port: 993, target),
                    .srv(priority: 1, weight: 0, port: 993, "imap.firma.example"),
                ]
            ])
        #expect(found.imap.host == "imap.firma.example")
    }

    @Test func aServerOfAnotherDomainIsPointedOut() async throws {
        let found = try await discover(
            "anna@firma.example",
            names: [
                "_imaps._tcp.firma.example": [.srv(priority: 0, weight: 0, port: 993, "imap.evil.example")]
            ])
        #expect(found.notes.contains { $0.contains("imap.evil.example does not belong to firma.example") })
        #expect(found.smtp == nil && found.notes.contains { $0.contains("--smtp-host") })
    }

    @Test func aDomainsFileIsReadWithItsPlaceholdersFilled() async throws {
        let found = try await discover(
            "anna@firma.example", pages: ["/firma.example/second.xml": Self.file(Self.whole)])
        #expect(found.imap == ServerEndpoint(host: "imap.firma.example", port: 993, security: .tls))
        #expect(found.smtp == ServerEndpoint(host: "smtp.firma.example", port: 587, security: .starttls))
        #expect(found.login == "anna" && found.source.name == "autoconfig")
    }

    @Test func aFileWorksWithoutNameServers() async throws {
        let found = try await discover(
            "anna@firma.example", pages: ["/firma.example/first.xml": Self.file(Self.whole)], answering: false
        )
        #expect(found.imap.host == "imap.firma.example")
    }

    @Test func aFileThatNamesAProvidersServerIsThatProviders() async throws {
        let server = """
            <incomingServer type="imap"><hostname>imap.fastmail.com</hostname><port>993</port>
            <socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
            """
        let found = try await discover(
            "anna@firma.example", pages: ["/firma.example/first.xml": Self.file(server)])
        #expect(found.preset == .fastmail && found.smtp?.host == "smtp.fastmail.com")
    }

    @Test func anInternationalDomainIsAskedForInItsWireForm() async throws {
        let found = try await discover(
            "anna@фирма.рф", names: ["xn--80apmps.xn--p1ai": [.mx(10, "mx.yandex.net")]])
        #expect(found.preset == .yandex && found.login == "anna@фирма.рф")
    }
}
