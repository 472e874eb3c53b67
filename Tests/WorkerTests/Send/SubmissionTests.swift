import Crypto
import Foundation
import MIMEParse
import MailModel
import MailSend
import MailTransport
import Matcher
import Testing

@testable import Archive
@testable import Worker

/// Who may send what to whom, and when it goes.
@Suite struct SubmissionTests {
    private static func fixture() throws -> WorkerFixture {
        try WorkerFixture { $0.smtp = ServerEndpoint(host: "127.0.0.1", port: 2525, security: .none) }
    }

    private static func submit(
        _ fixture: WorkerFixture, hourly: Int = 500, isImmediate: Bool = false,
        _ change: (inout MailRequest) -> Void = { _ in }
    ) async throws -> MailSubmission.Outcome {
        var request = MailRequest(account: "anna", to: [WorkerFixture.client])
        request.text = "Text"
        change(&request)
        var settings = MailSubmission.Settings()
        settings.userHourlyRecipients = hourly
        return try await MailSubmission(
            archive: fixture.archive, parsing: InProcessParsing(parser: MIMEParser()), settings: settings
        ).submit(request, by: "anna", isImmediate: isImmediate)
    }

    private static func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? MailFailure)?.code.rawValue
        }
    }

    private static func due(_ fixture: WorkerFixture) throws -> [OutboxID] {
        var found: [OutboxID] = []
        _ = try fixture.archive.claimOutbox(fixture.account) { facts, _ in
            found = facts.due.map(\.id)
            return []
        }
        return found
    }

    private static func text(_ fixture: WorkerFixture, _ item: OutboxID) throws -> String {
        String(decoding: try fixture.archive.outboxPiece(item, 0), as: UTF8.self)
    }

    // MARK: - Who may

    @Test(arguments: ["boss@firma.example", "Anna <maria@client.example>", "anna@firma.example.evil.example"])
    func nobodySendsUnderAnAddressThatIsNotTheirs(from: String) async throws {
        let fixture = try Self.fixture()
        #expect(await Self.code { _ = try await Self.submit(fixture) { $0.from = from } } == "send.identity")
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func theHourlyCapHoldsForEveryUser() async throws {
        let fixture = try Self.fixture()
        _ = try await Self.submit(fixture, hourly: 1)
        #expect(await Self.code { _ = try await Self.submit(fixture, hourly: 1) } == "send.cap")
        fixture.clock.advance(3601)
        _ = try await Self.submit(fixture, hourly: 1)
    }

    @Test(arguments: [OutboxKind.automatic, .mass])
    func doNotEmailStopsWhatProgramsSend(kind: OutboxKind) async throws {
        let fixture = try Self.fixture()
        try fixture.archive.suppress(
            EmailAddress(WorkerFixture.client)!, reason: .person, evidence: "asked", until: nil, by: "anna")
        #expect(
            await Self.code { _ = try await Self.submit(fixture) { $0.kind = kind } } == "send.suppressed")
        // A person is warned, and decides.
        #expect(try await Self.submit(fixture).warnings.count == 1)
    }

    @Test func whatProgramsSendSaysSo() async throws {
        let fixture = try Self.fixture()
        let automatic = try await Self.submit(fixture) { $0.kind = .automatic }.receipt.item
        let single = try await Self.submit(fixture).receipt.item
        #expect(try Self.text(fixture, automatic).contains("\r\nAuto-Submitted: auto-generated\r\n"))
        #expect(try !Self.text(fixture, single).contains("Auto-Submitted"))
    }

    @Test func aKeyIsThatOfOneMail() async throws {
        let fixture = try Self.fixture()
        let keyed = { (change: @escaping @Sendable (inout MailRequest) -> Void) in
            try await Self.submit(fixture) {
                $0.idempotencyKey = "k"
                change(&$0)
            }
        }
        let first = try await keyed { _ in }
        #expect(try await keyed { _ in }.receipt.item == first.receipt.item)
        // A client's mistake is said, and no mail is lost without a word.
        #expect(await Self.code { _ = try await keyed { $0.text = "Other" } } == "send.key-reused")
        #expect(await Self.code { _ = try await keyed { $0.account = "nosuch" } } == "send.key-reused")
        #expect(await Self.code { _ = try await keyed { $0.to = ["b@client.example"] } } == "send.key-reused")
        #expect(try await keyed { $0.keyStandsForAnyWords = true }.receipt.wasThere)
        #expect(try fixture.archive.outboxItems().count == 1)
    }

    @Test func aKeyIsThatOfTheFilesContentToo() async throws {
        let fixture = try Self.fixture()
        let path = try fixture.directory.write("offer.txt", "One")
        let picture = try fixture.directory.write("logo.png", "picture")
        let keyed = {
            try await Self.submit(fixture) {
                $0.idempotencyKey = "k"
                $0.html = "<img src=\"cid:logo.png\">"
                $0.attachments = [path]
                $0.inlineImages = [picture]
            }
        }
        let first = try await keyed()
        #expect(try await keyed().receipt.item == first.receipt.item)
        for (file, other, before) in [("offer.txt", "Two", "One"), ("logo.png", "drawing", "picture")] {
            try fixture.directory.write(file, other)
            #expect(await Self.code { _ = try await keyed() } == "send.key-reused")
            try fixture.directory.write(file, before)
        }
        // What is gone since is no other mail.
        try FileManager.default.removeItem(atPath: path)
        #expect(try await keyed().receipt.item == first.receipt.item)
        #expect(try fixture.archive.outboxItems().count == 1)
    }

    /// Earlier versions looked at the words alone.
    @Test func aKeyOfAnEarlierVersionIsThatOfItsWords() throws {
        let words = Array("words".utf8)
        let files = [Array(SHA256.hash(data: Array("file".utf8)))]
        let stored = Data(SHA256.hash(data: words))
        #expect(AskedMail(words: words, files: files).isThat(of: stored))
        #expect(AskedMail(words: words, files: nil).isThat(of: stored))
        #expect(AskedMail(words: words).digest == stored)
        #expect(!AskedMail(words: Array("other".utf8), files: files).isThat(of: stored))
        let present = AskedMail(words: words, files: files).digest
        #expect(present.count == 32 && !AskedMail(words: words, files: files + files).isThat(of: present))
    }

    @Test func eachAddressIsWrittenToOnceWithTheFirstFieldsRole() async throws {
        let fixture = try Self.fixture()
        let item = try await Self.submit(fixture) {
            $0.to = ["Maria@Client.example"]
            $0.cc = ["MARIA@client.EXAMPLE", "Вера <vera@почта.рф>"]
            $0.bcc = ["maria@client.example", "VERA@почта.рф", "blind@кто.рф"]
        }.receipt.item
        let recipients = try fixture.archive.outboxItem(item).recipients
        #expect(recipients.map(\.role) == [.to, .cc, .bcc])
        #expect(recipients.map { String($0.address.prefix { $0 != "@" }) } == ["Maria", "vera", "blind"])
    }

    @Test func bytesThatAreNoTextAreNoAddress() {
        let written = String(
            decoding: Array("ok".utf8) + [0xC0, 0x8A] + Array("RCPT@client.example".utf8), as: UTF8.self)
        let failure = #expect(throws: MailFailure.self) { _ = try Mailbox(written: written) }
        #expect(failure?.code.rawValue == "compose.address")
    }

    /// Only the last of several would get the mail, and nobody would hear of it.
    @Test(
        arguments: [
            ("Anna <a@client.example>, Boris <b@client.example>", false),
            ("a@client.example, Boris <b@client.example>", false),
            ("a@client.example; <b@client.example>", false), ("<a@client.example> <b@client.example>", false),
            ("Petrov, Boris <b@client.example>", true), ("b@client.example <b@client.example>", true),
            ("\"Anna <a@client.example>, Boris\" <b@client.example>", true),
            ("\"Anna\" <a@client.example>, \"Boris\" <b@client.example>", false),
            ("\"Anna\" <a@client.example>; \"Boris\" <b@client.example>", false),
            ("\"A \\\"B\\\" <x@y>\" <b@client.example>", true),
            ("\"Anna\\\" <a@client.example>, \"Boris\" <b@client.example>", false),
            ("a@client.example c@client.example <b@client.example>", false),
            ("\"a\"@client.example, \"b\"@client.example", false),
            ("\"Anna\" <a@client.example>, \"b\"@client.example", false),
        ]) func onePlaceHoldsOnePerson(written: String, isTaken: Bool)
    {
        let found = try? Mailbox(written: written)
        #expect(found?.address.addrSpec == (isTaken ? "b@client.example" : nil))
    }

    @Test func aNameInQuotesIsWhatTheyHold() throws {
        let written = #""Boris \"Bob\" Petrov" <b@client.example>"#
        #expect(try Mailbox(written: written).displayName == #"Boris "Bob" Petrov"#)
        #expect(try Mailbox(written: "\"\" <b@client.example>").displayName == nil)
        #expect(try Mailbox(written: #"Boris "Bob" <b@client.example>"#).displayName == #"Boris "Bob""#)
    }

    // MARK: - When

    @Test func aMailCanBeTakenBackForAMoment() async throws {
        let fixture = try Self.fixture()
        let item = try await Self.submit(fixture).receipt.item
        fixture.clock.advance(4)
        #expect(try Self.due(fixture).isEmpty)
        try fixture.archive.cancelOutbox(item, by: "anna")
        fixture.clock.advance(10)
        #expect(try Self.due(fixture).isEmpty)
        #expect(try fixture.archive.outboxItem(item).state == .cancelled)
        let kept = try await Self.submit(fixture).receipt.item
        fixture.clock.advance(5)
        #expect(try Self.due(fixture) == [kept])
    }

    @Test func laterIsNotEarlier() async throws {
        let fixture = try Self.fixture()
        let time = fixture.clock.now.advanced(bySeconds: 3600)
        let item = try await Self.submit(fixture) { $0.at = time }.receipt.item
        fixture.clock.advance(3599)
        #expect(try Self.due(fixture).isEmpty)
        fixture.clock.advance(1)
        #expect(try Self.due(fixture) == [item])
        try fixture.archive.holdOutbox(item, by: "anna")
        #expect(try Self.due(fixture).isEmpty)
        try fixture.archive.releaseOutbox(item)
        #expect(try Self.due(fixture) == [item])
    }

    @Test func aMailForLaterHasTheDateOfThatTime() async throws {
        let fixture = try Self.fixture()
        try fixture.archive.storeTemplate("t", subject: "Day", text: "{{date}}", html: nil, by: "anna")
        let time = fixture.clock.now.advanced(bySeconds: 3 * 86_400)
        let item = try await Self.submit(fixture) {
            $0.at = time
            $0.text = nil
            $0.template = "t"
        }.receipt.item
        let read = try fixture.archive.outboxPiece(item, 0).withUnsafeBytes { MIMEParser().parse($0) }
        // 6 May 2024 and three days.
        #expect(read.date == time && read.text == "09.05.2024")
        let past = try await Self.submit(fixture) { $0.at = fixture.clock.now.advanced(bySeconds: -300) }
            .receipt.item
        let now = try fixture.archive.outboxPiece(past, 0).withUnsafeBytes { MIMEParser().parse($0) }
        #expect(now.date == fixture.clock.now)
    }

    @Test(arguments: [-301, .min, 366 * 86_400 + 1, .max] as [Int64])
    func `a time long past or far away is refused`(seconds: Int64) async throws {
        let fixture = try Self.fixture()
        let time = fixture.clock.now.advanced(bySeconds: seconds)
        #expect(await Self.code { _ = try await Self.submit(fixture) { $0.at = time } } == "send.time")
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func `nobody's mail passes for a digest`() async throws {
        let fixture = try Self.fixture()
        let code = await Self.code {
            _ = try await Self.submit(fixture) { $0.idempotencyKey = "owner-digest:1" }
        }
        #expect(code == "value.invalid")
        #expect(try fixture.archive.outboxItems().isEmpty)
    }

    @Test func oneTextToSeveralContactsIsMassMail() {
        func kind(_ contacts: Int, _ named: OutboxKind?, of kind: OutboxKind = .single) -> OutboxKind {
            var request = MailRequest(account: "anna", to: [])
            request.kind = kind
            request.goes(toContacts: contacts, as: named)
            return request.kind
        }
        #expect(kind(0, nil) == .single && kind(1, nil) == .single && kind(2, nil) == .mass)
        #expect(kind(2, .single) == .single && kind(0, .mass) == .mass)
        #expect(kind(2, nil, of: .automatic) == .automatic && kind(1, nil, of: .mass) == .mass)
    }

    @Test func singleMailGoesBeforeWhatProgramsSend() async throws {
        let fixture = try Self.fixture()
        var items: [OutboxKind: OutboxID] = [:]
        for kind in [OutboxKind.mass, .automatic, .single] {
            items[kind] = try await Self.submit(fixture) { $0.kind = kind }.receipt.item
        }
        fixture.clock.advance(60)
        #expect(try Self.due(fixture) == [items[.single], items[.automatic], items[.mass]].compactMap { $0 })
    }

    // MARK: - What stands in it

    @Test func aSignatureStandsUnderSingleMailOnly() async throws {
        let fixture = try Self.fixture()
        let account = try fixture.archive.account(fixture.account)
        try fixture.archive.setSignature(Signature(text: "Anna\n+7 000\n", html: nil), of: account)
        let single = try await Self.submit(fixture).receipt.item
        let read = try fixture.archive.outboxPiece(single, 0).withUnsafeBytes { MIMEParser().parse($0) }
        // The blank behind the dashes is part of the line (RFC 3676, 4.3), and survives the way.
        #expect(read.text == "Text\n\n-- \nAnna\n+7 000")
        #expect(read.split?.signature != nil)
        let without = try await Self.submit(fixture) { $0.signature = false }.receipt.item
        #expect(try Self.text(fixture, without).hasSuffix("\r\nText\r\n"))
    }

    @Test func aTemplateIsFilledInForTheContactOfTheAddress() async throws {
        let fixture = try Self.fixture()
        try fixture.archive.storeTemplate(
            "t", subject: "For {{contact.name}}", text: "Dear {{contact.name}}", html: nil, by: "anna")
        let item = try await Self.submit(fixture) {
            $0.text = nil
            $0.template = "t"
        }.receipt.item
        #expect(try fixture.archive.outboxItem(item).subject == "For Maria")
        #expect(try Self.text(fixture, item).hasSuffix("\r\nDear Maria\r\n"))
        // Words of one's own beside a template would be lost.
        #expect(
            await Self.code { _ = try await Self.submit(fixture) { $0.template = "t" } }
                == "send.template-and-text")
    }

    @Test func aTemplateLeavesNoNameOutWhereSeveralContactsHaveTheAddress() async throws {
        let fixture = try Self.fixture()
        let archive = fixture.archive
        let other = try archive.addContact(
            ContactDraft(name: "Boris", emails: [EmailAddress(WorkerFixture.client)!]))
        try archive.storeTemplate("named", subject: "", text: "Dear {{contact.name}}", html: nil, by: "anna")
        try archive.storeTemplate("plain", subject: "", text: "To {{contact.email}}", html: nil, by: "anna")
        let send = { (template: String, contact: String?) in
            try await Self.submit(fixture) {
                $0.text = nil
                $0.template = template
                $0.contact = contact
            }.receipt.item
        }
        #expect(await Self.code { _ = try await send("named", nil) } == "ambiguous.contact")
        #expect(try archive.outboxItems().isEmpty)
        let meant = try await send("named", other.id.description)
        #expect(try Self.text(fixture, meant).hasSuffix("\r\nDear Boris\r\n"))
        // Nobody's name is in it.
        let plain = try await send("plain", nil)
        #expect(try Self.text(fixture, plain).hasSuffix("\r\nTo \(WorkerFixture.client)\r\n"))
    }

    @Test func aNamedContactHasTheMailWithATemplateAndWithout() async throws {
        let fixture = try Self.fixture()
        try fixture.archive.storeTemplate(
            "t", subject: "", text: "Dear {{contact.name}}", html: nil, by: "anna")
        for name in [nil, "t"] {
            let item = try await Self.submit(fixture) {
                $0.to = []
                $0.cc = ["b@client.example"]
                $0.contact = "Maria"
                $0.template = name
                if name != nil { $0.text = nil }
            }.receipt.item
            let recipients = try fixture.archive.outboxItem(item).recipients.map(\.address)
            #expect(recipients == [WorkerFixture.client, "b@client.example"])
        }
        _ = try fixture.archive.addContact(ContactDraft(name: "Silent"))
        for (contact, code) in [("Silent", "send.contact-without-address"), ("Nobody", "unknown.contact")] {
            let refusal = await Self.code {
                _ = try await Self.submit(fixture) {
                    $0.to = []
                    $0.cc = ["b@client.example"]
                    $0.contact = contact
                }
            }
            #expect(refusal == code)
        }
    }

    @Test func picturesAreShownByTheNamesOfTheirFilesInAnyScript() async throws {
        let fixture = try Self.fixture()
        let paths = try ["Кот и пёс.png", "a&b.png"].map { try fixture.directory.write($0, [0x89, 0x50]) }
        let item = try await Self.submit(fixture) {
            $0.html = "<img src='cid:Кот и пёс.png'><img src=\"cid:a&amp;b.png\">"
            $0.inlineImages = paths
        }.receipt.item
        let read = try fixture.archive.outboxPiece(item, 0).withUnsafeBytes { MIMEParser().parse($0) }
        #expect(read.attachments.map(\.filename) == ["Кот и пёс.png", "a&b.png"])
        #expect(
            read.attachments.allSatisfy { $0.isInline && $0.contentID?.hasSuffix("@firma.example") == true })
        #expect(Set(read.attachments.compactMap(\.contentID)).count == 2)
        #expect(
            await Self.code {
                _ = try await Self.submit(fixture) {
                    $0.html = "<img src=cid:x>"
                    $0.inlineImages = [paths[0], paths[0]]
                }
            } == "send.inline-images")
    }

    @Test(arguments: [
        "<img src=\"cid:Кот и пёс.png\">", "<IMG SRC='CID:Кот и пёс.png'>",
        "<img src=cid:%D0%9A%D0%BE%D1%82%20%D0%B8%20%D0%BF%D1%91%D1%81.png>",
        "<img src=\"cid:%D0%9A%D0%BE%D1%82%20%D0%B8%20%D0%BF%D1%91%D1%81.png\">",
        // As macOS writes names.
        "<img src='cid:Кот и пёс.png'>",
    ])
    func aPictureIsFoundHoweverItsNameIsWritten(html: String) throws {
        let picture = Enclosure(.bytes([1]), filename: "Кот и пёс.png")
        let pictures = try InlineImages(
            [picture], of: MessageID(rawValue: "n.t@\(String(repeating: "x", count: 200))"))
        let named = pictures.naming(in: html)
        let identifier = try #require(pictures.images[0].contentID)
        #expect(identifier == "image1.n.t@mailworker.invalid")
        #expect(named.lowercased().hasPrefix("<img src=") && named.contains(identifier))
        #expect(!named.contains("png") && named.hasSuffix(">"))
        // What names no file of the mail stays, and so do words.
        for other in ["<img src='cid:other.png'>", "acid: rain", "<a href=cid:>x</a>"] {
            #expect(pictures.naming(in: other) == other)
        }
    }

    // MARK: - Signing in

    @Test func smtpIsSignedInToAsForIMAPUnlessItHasALoginOfItsOwn() async throws {
        let fixture = try Self.fixture()
        let account = try fixture.archive.account(fixture.account)
        let signIn = AccountSignIn(
            archive: fixture.archive, loop: try NetworkLoop(),
            settings: PollSettings(allowedNetworks: try NetworkAllowList(["127.0.0.0/8"])))
        let smtp = try #require(account.settings.smtp)
        let imap = try #require(account.settings.imap)
        #expect(try await signIn.connection(to: smtp, for: account).login == "anna")
        try fixture.archive.setSMTPSignIn("relay", Secret("other"), of: fixture.account)
        let own = try await signIn.connection(to: smtp, for: account)
        #expect(own.login == "relay" && own.secret == Secret("other"))
        let unchanged = try await signIn.connection(to: imap, for: account)
        #expect(unchanged.login == "anna" && unchanged.secret == Secret("geheim"))
        let revision = try fixture.archive.account(fixture.account).revision
        try fixture.archive.setSMTPSignIn(nil, nil, of: fixture.account)
        #expect(try await signIn.connection(to: smtp, for: account).login == "anna")
        #expect(try fixture.archive.account(fixture.account).revision > revision)
    }
}
