import Archive
import Foundation
import MailModel
import OAuth
import Testing

@testable import mailworker

struct OAuthConfigurationTests {
    @Test(arguments: [
        ("[oauth.aol]\nclient_id = \"c\"", "oauth.aol: there is no such table"),
        ("[oauth]\nclient_id = \"c\"", "oauth.client_id: there is no such table"),
        ("[oauth]\ngoogle = 1", "oauth.google: is not a table"),
        ("[oauth.google]\nscope = \"mail\"", "oauth.google.client_id: is missing"),
        ("[oauth.google]\nclient_id = \"\"", "oauth.google.client_id: is missing"),
        (
            "[oauth.google]\nclient_id = \"c\"\nclient_secret = \"s\"",
            "oauth.google.client_secret: there is no such key"
        ),
        ("[oauth.google]\nclient_id = \"c\"\nredirect_port = 70000", "oauth.google.redirect_port"),
        (
            "[oauth.google]\nclient_id = \"c\"\ntoken_url = \"accounts\"",
            "oauth.google.token_url: is not the address"
        ),
    ])
    func whatIsWrongIsNamedWithItsTable(text: String, words: String) {
        let found = complaint(about: text)
        #expect(found?.code == .configuration)
        #expect(found?.detail?.contains(words) == true, "\(found?.detail ?? "no complaint")")
    }

    @Test func aClientIdIsAllThatAKnownProviderNeeds() throws {
        let client = try #require(configuration("[oauth.google]\nclient_id = \"c\"").oauthClients.first)
            .client()
        #expect(client == OAuthClient(provider: .google, id: "c"))
        #expect(client.secret == nil)
        #expect(client.endpoints.deviceAuthorization == nil)
    }

    @Test func everyEndpointMayBeOverridden() throws {
        let declared = try #require(
            configuration(
                """
                [oauth.yandex]
                client_id = "c"
                client_secret_file = "yandex.secret"
                redirect_port = 8765
                authorization_url = "https://id.example/a"
                token_url = "https://id.example/t"
                device_url = ""
                scope = "mail"
                """
            ).oauthClients.first)
        #expect(declared.secretFile == "/etc/firma/yandex.secret")
        #expect(declared.redirectPort == 8_765)
        #expect(declared.endpoints.authorization == "https://id.example/a")
        #expect(declared.endpoints.token == "https://id.example/t")
        #expect(declared.endpoints.deviceAuthorization == nil)
        #expect(declared.endpoints.scope == "mail")
        let failure = #expect(throws: MailFailure.self) { try declared.client() }
        #expect(failure?.code == .passwordUnavailable)
    }

    @Test func theKeysOfAProviderAreListedForEach() {
        let names = ConfigurationKey.allCases.flatMap(\.names)
        #expect(names.contains("oauth.google.client_id") && names.contains("oauth.custom.token_url"))
        #expect(!names.contains("oauth.client_id"))
        #expect(Set(names).count == names.count)
    }

    @Test func anAccountWithADeclaredPasswordIsNotAuthorizedBesides() throws {
        let fixture = try DeclarationFixture()
        let text = """
            [[account]]
            name = "anna"
            user = "anna"
            email = "anna@gmail.com"
            preset = "gmail"
            """
        try fixture.apply(text)
        let account = try fixture.archive.account(named: "anna")
        try fixture.declaration(text).demandNoDeclaredPassword(account)
        let failure = #expect(throws: MailFailure.self) {
            try fixture.declaration(text + "\npassword_env = \"P\"").demandNoDeclaredPassword(account)
        }
        #expect(failure?.remedy?.contains("password_env") == true)
        // What the user has authorized is still there after the next start.
        try fixture.archive.setCredential(.refreshToken(Secret("r")), of: account.id)
        try fixture.apply(text)
        #expect(try fixture.archive.credential(of: account.id) == .refreshToken(Secret("r")))
    }
}
