import Foundation
import MailFetch
import MailModel
import MailTransport
import Testing

/// The table of providers, row by row.
@Suite struct ProviderTableTests {
    @Test(arguments: ["firma.example", "mail.ru.example", "notgmail.com", "yandex.example", ""])
    func anOrdinaryDomainIsNoProviders(_ domain: String) { #expect(ProviderPreset(domain: domain) == nil) }

    @Test(arguments: [
        "mx.firma.example", "mx.yandex.net.evil.example", "fakemx.yandex.net", "l.google.com.evil.example",
        "evil-smtp.google.com", "mail.protection.outlook.com.evil.example", "",
    ]) func anOrdinaryMailServerIsNoProviders(_ host: String) {
        #expect(ProviderPreset(mailExchanger: host) == nil)
    }

    @Test(arguments: [
        ("gmail.com", "gmail"), ("GoogleMail.com", "gmail"), ("ya.ru", "yandex"), ("Yandex.Com.", "yandex"),
        ("mail.ru", "mailru"), ("bk.ru", "mailru"), ("rambler.ru", "rambler"), ("icloud.com", "icloud"),
        ("me.com", "icloud"), ("fastmail.com", "fastmail"), ("hotmail.com", "outlook"),
    ]) func aProvidersOwnDomainIsKnown(_ domain: String, _ preset: String) {
        #expect(ProviderPreset(domain: domain)?.rawValue == preset)
    }

    @Test(arguments: [
        ("mx.yandex.net", "yandex"), ("MX.Yandex.Net.", "yandex"), ("aspmx.l.google.com", "gmail"),
        ("alt2.aspmx.l.google.com", "gmail"), ("aspmx3.googlemail.com", "gmail"),
        ("smtp.google.com", "gmail"),
        ("emx.mail.ru", "mailru"), ("mxs.mail.ru", "mailru"), ("mx01.mail.icloud.com", "icloud"),
        ("in1-smtp.messagingengine.com", "fastmail"),
        ("firma-example.mail.protection.outlook.com", "outlook"),
        ("firma-example.a-v1.mx.microsoft", "outlook"), ("inmx.rambler.ru", "rambler"),
    ]) func aCompanysMailServerTellsItsProvider(_ host: String, _ preset: String) {
        #expect(ProviderPreset(mailExchanger: host)?.rawValue == preset)
    }

    @Test(arguments: ProviderPreset.allCases) func aRowIsWhole(_ preset: ProviderPreset) throws {
        let profile = preset.profile
        #expect(!profile.title.isEmpty)
        guard preset != .custom else {
            #expect(profile.domains.isEmpty && profile.mailExchangers.isEmpty && profile.imap == nil)
            return
        }
        #expect(!profile.domains.isEmpty && !profile.mailExchangers.isEmpty)
        let imap = try #require(profile.imap)
        let smtp = try #require(profile.smtp)
        #expect(imap.port == 993 && imap.security == .tls)
        #expect((smtp.port, smtp.security) == (465, .tls) || (smtp.port, smtp.security) == (587, .starttls))
        #expect(profile.passwordHelp?.isEmpty == false)
        // Where a password of its own has to be made, the page is named.
        if [.gmail, .yandex, .mailru, .icloud].contains(preset) {
            #expect(profile.passwordHelp?.contains("https://") == true)
        }
        #expect(preset.pollMinutes == 5 && preset.timeoutMinutes == 1)
        for name in profile.domains + profile.mailExchangers
            + profile.authorities.map({ $0.replacing("*.", with: "") })
        {
            #expect(name == DomainName.canonical(name), "\(name) is not in its canonical form")
        }
        // A row that hides behind another one would never be found.
        for domain in profile.domains { #expect(ProviderPreset(domain: domain) == preset) }
        for host in profile.mailExchangers { #expect(ProviderPreset(mailExchanger: host) == preset) }
    }

    @Test func theLoginIsTheFullAddress() {
        let address = EmailAddress(localPart: "Ivan.Petrov", domain: "yandex.ru")
        #expect(ProviderPreset.yandex.login(for: address) == "Ivan.Petrov@yandex.ru")
    }

    @Test func onlyTroubleWithThePasswordGetsTheProvidersRemedy() {
        let wrong = MailFailure(.loginRefused, kind: .credential, "refused", detail: "words", remedy: "check")
        #expect(ProviderPreset.yandex.explaining(wrong).remedy?.contains("id.yandex.ru") == true)
        #expect(ProviderPreset.yandex.explaining(wrong).detail == "words")
        #expect(ProviderPreset.custom.explaining(wrong) == wrong)
        let slow = MailFailure(.timedOut, kind: .transient, "slow", remedy: "wait")
        #expect(ProviderPreset.gmail.explaining(slow) == slow)
    }

    @Test(arguments: ProviderPreset.allCases) func idlingIsRenewedBeforeAnybodyEndsIt(
        _ preset: ProviderPreset
    ) {
        // RFC 2177 promises 29 minutes; routers and some servers are done with silence after ten.
        #expect((60..<600).contains(preset.profile.idleSeconds))
    }

    @Test func factsThatOurUsersWereTold() {
        #expect(ProviderProfile.known("gmail")?.dailyDownloadBytes == 2_500 << 20)
        #expect(ProviderProfile.known("gmail")?.connectionLimit == 15)
        for preset in ["gmail", "outlook"] {
            #expect(ProviderProfile.known(preset)?.filesSentItself == true)
        }
        #expect(ProviderProfile.known("yandex")?.delimiter == "|")
        #expect(ProviderProfile.known("yandex")?.recipientsPerMessage == 35)
        #expect(ProviderPreset.allCases.filter(\.profile.hasLabels) == [.gmail])
    }

    /// docs/QUIRKS.md shows the same rows.
    @Test(arguments: ProviderPreset.allCases.filter { $0 != .custom })
    func theDocumentHasTheRow(_ preset: ProviderPreset) throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/QUIRKS.md"), encoding: .utf8)
        let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(preset.rawValue)` |") })
        let profile = preset.profile
        for endpoint in [profile.imap, profile.smtp].compactMap({ $0 }) {
            #expect(row.contains("\(endpoint.host):\(endpoint.port)"))
        }
        if let limit = profile.connectionLimit { #expect(row.contains("\(limit) connections")) }
        for host in profile.mailExchangers { #expect(row.contains("`\(host)`"), "\(host) is not in the row") }
    }
}

extension ProviderProfile {
    fileprivate static func known(_ name: String) -> ProviderProfile? {
        ProviderPreset(rawValue: name)?.profile
    }
}
