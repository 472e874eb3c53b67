import MailModel
import MailTestKit
import MailTransport
import Testing

@testable import MailFetch

@Suite struct RenumberingServerTests {
    /// What servers offer that keep their UIDs, and servers that offer next to nothing.
    static let others = [
        "IMAP4rev1",
        "IMAP4rev1 ACL IDLE NAMESPACE QUOTA",
        "IMAP4rev1 NAMESPACE IDLE LITERAL+ UNSELECT",
        "IMAP4 IMAP4rev1 IDLE LOGIN-REFERRALS MAILBOX-REFERRALS NAMESPACE LITERAL+ UIDPLUS CHILDREN UNSELECT",
        "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT UIDPLUS CONDSTORE ESEARCH LITERAL+ NOTIFY",
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE MOVE",
        "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE",
        "IMAP4rev1 CHILDREN UNSELECT LITERAL+ NAMESPACE XLIST UIDPLUS ENABLE ID IDLE MOVE",
    ]

    /// What GNU imap4d says when a folder is opened for reading.
    static let imap4d: Set = ["UID validity status", "Predicted next uid", "No permanent flags"]

    @Test(arguments: others) func aServerIsNotRecognisedByWhatItLacks(_ capabilities: String) {
        #expect(recognised(offered(capabilities), id: [:]) == nil)
    }

    @Test(arguments: [
        "", "Dovecot", "GNU", "Mailutils", "Cyrus IMAP", "Courier", "not GNU Mailutils", "GImap",
    ]) func anotherNameIsNotRecognised(_ name: String) {
        #expect(recognised(offered("IMAP4rev1"), id: ["name": name]) == nil)
    }

    @Test func anotherNameOutweighsCapabilities() {
        let courier = offered("IMAP4rev1 ACL ACL2=UNION")
        #expect(recognised(courier, id: ["name": "Dovecot"]) == nil)
        #expect(recognised(courier, id: ["version": "5"])?.make == "Courier IMAP")
    }

    @Test(arguments: [
        ("IMAP4rev1 UIDPLUS ACL ACL2=UNION", "Courier IMAP"),
        ("IMAP4rev1 UIDPLUS xmagictrash", "Courier IMAP"),
        ("IMAP4rev1 XCOURIEROUTBOX=INBOX.Outbox", "Courier IMAP"),
    ]) func aServerIsRecognisedByWhatItAloneOffers(_ capabilities: String, _ make: String) {
        #expect(recognised(offered(capabilities), id: [:])?.make == make)
        #expect(recognised(offered(capabilities), id: ["name": ""])?.make == make)
    }

    @Test(arguments: [
        [], ["UID validity status", "Predicted next UID", "No permanent flags"],
        ["UIDs valid", "Predicted next uid", "No permanent flags"],
        ["UID validity status", "Predicted next uid"],
    ]) func likePhrasesDoNotTell(_ phrases: [String]) {
        #expect(recognised(offered("IMAP4rev1 UNSELECT"), id: [:], saying: Set(phrases)) == nil)
    }

    @Test func aServerIsRecognisedByWhatItSays() {
        let plain = offered("IMAP4rev1")
        #expect(recognised(plain, id: [:], saying: Self.imap4d.union(["Ok"]))?.make == "GNU Mailutils imap4d")
        #expect(recognised(plain, id: ["name": "Dovecot"], saying: Self.imap4d) == nil)
    }

    @Test(arguments: [
        ("GNU Mailutils", "GNU Mailutils imap4d"), ("gnu mailutils", "GNU Mailutils imap4d"),
        ("Courier-IMAP", "Courier IMAP"),
    ]) func aServerIsRecognisedByItsName(_ name: String, _ make: String) {
        #expect(recognised(offered("IMAP4rev1"), id: ["name": name])?.make == make)
    }

    @Test(arguments: others) func aServerThatIsNotRecognisedSeesExamineOnly(_ capabilities: String)
        async throws
    {
        let server = try ScriptedIMAPServer(
            IMAPScript([
                .opening(capabilities: capabilities), .expect("EXAMINE"), .send("* 3 EXISTS"),
                .send("* 3 RECENT"), .send("* OK [UIDVALIDITY 7] UID validity status"),
                .send("$T OK [READ-ONLY] done"),
                .expect("NOOP"), .send("$T OK done"),
            ]))
        defer { server.stop() }
        let session = try await IMAPSession.connect(
            ConnectionSettings(
                endpoint: ServerEndpoint(host: "127.0.0.1", port: server.port, security: .none),
                login: "user", secret: Secret("secret"),
                allowedNetworks: NetworkAllowList(["127.0.0.0/8"])), loop: NetworkLoop())
        let state = try await session.examine(.inbox)
        try await session.noop()
        #expect(state.exists == 3 && state.uidNext == nil)
        #expect(server.violations.isEmpty)
        #expect(server.received.contains { $0.contains("EXAMINE") })
        #expect(!server.received.contains { $0.uppercased().contains("SELECT") })
    }

    private func recognised(
        _ offered: Capabilities, id: [String: String], saying phrases: Set<String> = []
    ) -> RenumberingServer? {
        RenumberingServer.recognised(by: offered, id: id, saying: phrases)
    }

    private func offered(_ capabilities: String) -> Capabilities {
        Capabilities(capabilities.split(separator: " ").map(String.init))
    }
}
