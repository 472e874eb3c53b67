import Archive
import Foundation
import MailModel
import Testing

@testable import mailworker

struct AccountDeclarationTests {
    let fixture: DeclarationFixture

    init() throws { fixture = try DeclarationFixture() }

    private func settings(_ change: (inout AccountOptions) -> Void = { _ in }) throws -> AccountSettings {
        try fixture.declaration().settings(for: .with(change))
    }

    private func refusal(_ change: (inout AccountOptions) -> Void) -> MailFailure? {
        #expect(throws: MailFailure.self) { try settings(change) }
    }

    // MARK: What is refused

    @Test func whatIsMissingOrUnknownIsNamedWithItsOption() throws {
        #expect(refusal { $0.name = nil }?.remedy?.contains("--name") == true)
        #expect(refusal { $0.name = "" }?.remedy?.contains("--name") == true)
        #expect(refusal { $0.email = nil }?.remedy?.contains("--email") == true)
        #expect(refusal { $0.email = "anna" }?.detail == "anna")
        #expect(refusal { $0.preset = "aol" }?.remedy?.contains("gmail, yandex, mailru, rambler") == true)
        #expect(refusal { _ in }?.remedy?.contains("--imap-host") == true)
        #expect(refusal { $0.imapPort = 993 }?.remedy?.contains("--imap-host") == true)
        #expect(try fixture.archive.accounts().isEmpty)
    }

    @Test func aPortOrSecurityWithoutAHostIsRefusedNotIgnored() throws {
        func change(_ options: inout AccountOptions) { options.imapHost = "h.example" }
        for broken: (inout AccountOptions) -> Void in [{ $0.smtpPort = 25 }, { $0.smtpSecurity = .starttls }]
        {
            let failure = refusal {
                change(&$0)
                broken(&$0)
            }
            #expect(failure?.code == .usage)
            #expect(failure?.remedy?.contains("--smtp-host") == true)
        }
    }

    @Test func aRefusedAccountMakesNoUser() throws {
        _ = refusal { $0.user = "anna" }
        #expect(try fixture.archive.users().isEmpty)
    }

    // MARK: A new account

    @Test(arguments: [
        ("gmail", "imap.gmail.com", "smtp.gmail.com"), ("yandex", "imap.yandex.ru", "smtp.yandex.ru"),
        ("mailru", "imap.mail.ru", "smtp.mail.ru"),
    ])
    func aPresetKnowsItsServers(preset: String, imap: String, smtp: String) throws {
        let settings = try settings { $0.preset = preset }
        #expect(settings.preset == preset)
        #expect(settings.imap == ServerEndpoint(host: imap, port: 993, security: .tls))
        #expect(settings.smtp == ServerEndpoint(host: smtp, port: 465, security: .tls))
        #expect(settings.login == settings.email?.addrSpec)
    }

    static let endpoints: [(port: Int?, security: TransportSecurity?, expected: ServerEndpoint)] = [
        (nil, nil, ServerEndpoint(host: "h", port: 993, security: .tls)),
        (nil, .tls, ServerEndpoint(host: "h", port: 993, security: .tls)),
        (nil, .starttls, ServerEndpoint(host: "h", port: 143, security: .starttls)),
        (nil, TransportSecurity.none, ServerEndpoint(host: "h", port: 143, security: .none)),
        (1143, nil, ServerEndpoint(host: "h", port: 1143, security: .tls)),
        (65_535, .starttls, ServerEndpoint(host: "h", port: 65_535, security: .starttls)),
    ]

    @Test(arguments: endpoints)
    func thePortFollowsTheSecurityUnlessItIsStated(
        port: Int?, security: TransportSecurity?, expected: ServerEndpoint
    ) throws {
        let settings = try settings {
            $0.imapHost = "h"
            $0.imapPort = port
            $0.imapSecurity = security
        }
        #expect(settings.imap == expected)
        #expect(settings.smtp == nil)
    }

    @Test func whatIsNotSaidComesFromTheConfiguration() throws {
        let declaration = try fixture.declaration("[poll]\nminutes = 9\ntimeout_minutes = 4\n")
        let defaults = try declaration.settings(for: .with { $0.preset = "gmail" })
        #expect(defaults.pollMinutes == 9 && defaults.timeoutSeconds == 240)
        let own = try declaration.settings(
            for: .with {
                $0.preset = "gmail"
                $0.pollMinutes = 1
                $0.timeoutMinutes = 2
                $0.login = "other"
                $0.smtpPort = 587
                $0.smtpSecurity = .starttls
            })
        #expect(own.pollMinutes == 1 && own.timeoutSeconds == 120 && own.login == "other")
        #expect(own.smtp == ServerEndpoint(host: "smtp.gmail.com", port: 587, security: .starttls))
    }

    @Test func aMailboxIsTheOneUsersWhoHasItsAddress() throws {
        let email = try #require(EmailAddress("Marker@firma.example"))
        let berta = try fixture.archive.addUser(name: "berta", email: email)
        let own = try settings {
            $0.preset = "gmail"; $0.email = "marker@Firma.example"
        }
        #expect(own.user == berta)
        // Two who share it are no answer.
        _ = try fixture.archive.addUser(name: "boris", email: email)
        let shared = try settings {
            $0.preset = "gmail"; $0.email = "marker@firma.example"
        }
        #expect(shared.user != berta)
    }

    @Test func theUserIsMadeOnceAndNamedAfterTheAccountWhereNobodyIsNamed() throws {
        let first = try settings { $0.preset = "gmail" }
        let again = try settings {
            $0.preset = "gmail"; $0.user = "anna"
        }
        #expect(first.user != nil && first.user == again.user)
        #expect(try fixture.archive.users().map(\.name) == ["anna"])
    }

    // MARK: Editing

    @Test func editingChangesNothingThatIsNotNamed() throws {
        let before = try settings {
            $0.preset = "yandex"
            $0.sentFolder = "Sent"
            $0.folders = ["A"]
            $0.since = UnixTime(5)
            $0.caFile = "/ca"
            $0.proxy = "http://p:1"
            $0.imapPort = 1993
        }
        var after = before
        try fixture.declaration("[poll]\nminutes = 99\n").change(&after, by: AccountOptions())
        #expect(after == before)
        var options = AccountOptions()
        options.preset = "yandex"
        try fixture.declaration().change(&after, by: options)
        #expect(after == before, "naming the preset that it has resets nothing")
    }

    /// One pin of 64 begins with a slash, which curl's spelling has too.
    @Test func aPinMayBeginWithASlash() {
        let digest = "/" + String(repeating: "A", count: 42) + "="
        #expect(KeyPin("sha256/" + digest)?.base64 == digest)
        #expect(KeyPin("sha256//" + digest)?.base64 == digest)
        #expect(KeyPin("sha256/" + digest.dropFirst()) == nil)
    }

    @Test func aPinIsRefusedWhereThereIsNoTLS() throws {
        let pin = try #require(KeyPin("sha256/AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="))
        #expect(throws: MailFailure.self) {
            try settings {
                $0.imapHost = "h"
                $0.imapSecurity = TransportSecurity.none
                $0.pins = [pin]
            }
        }
        var pinned = try settings {
            $0.preset = "gmail"
            $0.pins = [pin]
        }
        var options = AccountOptions()
        options.smtpSecurity = TransportSecurity.none
        #expect(throws: MailFailure.self) { try fixture.declaration().change(&pinned, by: options) }
        options.pins = []
        try fixture.declaration().change(&pinned, by: options)
        #expect(pinned.pins.isEmpty && pinned.smtp?.security == TransportSecurity.none)
    }

    @Test func aKeptPortFitsTheSecurityItWasMeantFor() throws {
        var settings = try settings {
            $0.imapHost = "h"
            $0.imapPort = 10_993
        }
        func edit(_ change: (inout AccountOptions) -> Void) throws {
            var options = AccountOptions()
            change(&options)
            try fixture.declaration().change(&settings, by: options)
        }
        try edit { $0.imapHost = "i" }
        #expect(settings.imap == ServerEndpoint(host: "i", port: 10_993, security: .tls))
        try edit { $0.imapSecurity = .starttls }
        #expect(settings.imap == ServerEndpoint(host: "i", port: 143, security: .starttls))
        try edit { $0.imapPort = 1_143 }
        #expect(settings.imap == ServerEndpoint(host: "i", port: 1_143, security: .starttls))
        try edit { $0.preset = "gmail" }
        #expect(settings.imap?.host == "imap.gmail.com" && settings.smtp?.host == "smtp.gmail.com")
        try edit { $0.preset = "custom" }
        #expect(settings.imap?.host == "imap.gmail.com", "custom takes nothing away")
    }

    @Test func theLoginFollowsTheAddressWhileItIsTheAddress() throws {
        var settings = try settings { $0.preset = "gmail" }
        var options = AccountOptions()
        options.email = "berta@firma.example"
        try fixture.declaration().change(&settings, by: options)
        #expect(settings.login == "berta@firma.example")
        settings.login = "b"
        options.email = "clara@firma.example"
        try fixture.declaration().change(&settings, by: options)
        #expect(settings.login == "b" && settings.email?.addrSpec == "clara@firma.example")
    }

    @Test func anEmptyTextTakesAnOptionalSettingAway() throws {
        var settings = try settings {
            $0.preset = "gmail"
            $0.sentFolder = "Sent"
            $0.caFile = "/ca"
            $0.proxy = "http://p:1"
            $0.folders = ["A", "", "B"]
            $0.since = UnixTime(5)
        }
        #expect(settings.furtherFolders.map(\.rawValue) == ["A", "B"])
        var options = AccountOptions()
        options.folders = [""]
        options.fetchesOlder = true
        options.sentFolder = ""
        options.caFile = ""
        options.proxy = ""
        try fixture.declaration().change(&settings, by: options)
        #expect(settings.sentFolder == nil && settings.caFile == nil && settings.proxy == nil)
        #expect(settings.furtherFolders.isEmpty && settings.since == nil)
    }

    // MARK: Declared accounts

    private func declared(_ lines: String = "") -> String {
        """
        [[account]]
        name = "anna"
        user = "anna"
        email = "anna@firma.example"
        imap_host = "h.example"
        \(lines)
        """
    }

    private func account() throws -> Account { try fixture.archive.account(named: "anna") }

    @Test func aPasswordThatCannotBeHadLeavesNoAccount() throws {
        for lines in ["password_file = \"nowhere\"", "password_env = \"MAILWORKER_TEST_UNSET\""] {
            let failure = #expect(throws: MailFailure.self) { try fixture.apply(declared(lines)) }
            #expect(failure?.code == .passwordUnavailable)
        }
        #expect(try fixture.archive.accounts().isEmpty)
        #expect(try fixture.archive.users().isEmpty)
    }

    @Test func aDeclaredAccountIsBroughtUpToTheFileAtEachStart() throws {
        try fixture.apply(declared("poll_minutes = 7\nfolders = [\"A\"]"))
        let made = try account()
        #expect(made.settings.isDeclared && made.settings.pollMinutes == 7 && !made.hasSecret)
        try fixture.apply(declared("imap_port = 1993"))
        let changed = try account()
        #expect(changed.id == made.id)
        #expect(changed.settings.pollMinutes == 5 && changed.settings.furtherFolders.isEmpty)
        #expect(changed.settings.imap?.port == 1993)
        try fixture.apply(declared("imap_port = 1993"))
        #expect(try account() == changed)
        #expect(try fixture.archive.accounts().count == 1)
        #expect(try fixture.archive.users().count == 1)
    }

    @Test(arguments: ["geheim", "geheim\n", "geheim\r\n", "geheim\nsecond line\n", "geheim\r\nsecond\r\n"])
    func thePasswordIsTheFirstLineOfItsFile(text: String) throws {
        let path = fixture.directory + "/password"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try fixture.apply(declared("password_file = \"\(path)\""))
        #expect(try fixture.archive.secret(of: account().id) == Secret("geheim"))
    }

    @Test(arguments: ["", "\n", "\r\n", "\nsecond\n"])
    func anEmptyFirstLineIsNoPassword(text: String) throws {
        let path = fixture.directory + "/password"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: MailFailure.self) { try PasswordInput.read(path) }
        #expect(failure?.code == .passwordUnavailable && failure?.detail == path)
    }

    @Test func aChangedPasswordIsTakenOverAndAnUnchangedOneForgetsNoRefusals() throws {
        let path = fixture.directory + "/password"
        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        let text = declared("password_file = \"\(path)\"")
        try write("alt")
        try fixture.apply(text)
        let refused = MailFailure(.init("login-refused"), kind: .credential, "refused")
        try fixture.archive.noteAttempt(account().id, startedAt: UnixTime(1), failure: refused, nextPoll: nil)
        try fixture.apply(text)
        #expect(try account().status.state == .stopped)
        try write("neu")
        try fixture.apply(text)
        #expect(try account().status.state == .new)
        #expect(try fixture.archive.secret(of: account().id) == Secret("neu"))
    }

    @Test func anAccountThatLeavesTheConfigurationIsPolledNoMoreUntilItIsBack() throws {
        try fixture.apply(declared())
        try fixture.apply("")
        #expect(try !account().settings.isEnabled)
        try fixture.apply(declared())
        #expect(try account().settings.isEnabled)
    }

    @Test func anAccountMadeByHandBecomesTheDeclaredOne() throws {
        var settings = try settings { $0.preset = "gmail" }
        settings.isEnabled = false
        let id = try fixture.archive.addAccount(settings, secret: Secret("x"))
        try fixture.apply(declared())
        let found = try account()
        #expect(found.id == id && found.settings.isDeclared && found.settings.imap?.host == "h.example")
        #expect(!found.settings.isEnabled, "what a person has switched off stays off")
        #expect(found.hasSecret)
    }
}
