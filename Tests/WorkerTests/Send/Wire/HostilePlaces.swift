import Archive
import Foundation
import MailModel
import MailSend

@testable import Worker

/// A place of a mail into which somebody can write, and the way of a mail with something there to the outbox.
struct HostilePlace: Sendable {
    let name: String
    /// Addresses that the envelope may have, when this stands in the place; nil where a stranger's mail names them.
    var recipients: @Sendable (Hostile) -> [String]? = { _ in [WorkerFixture.client] }
    var sender: @Sendable (Hostile) -> String = { _ in WorkerFixture.own }
    /// Fields that are left out where what should stand in them cannot be written.
    var optional: Set<String> = []
    /// A stranger's mail may break itself with it, and then has other parts.
    var breaksParts = false
    let queue: @Sendable (WireFixture, Hostile) async throws -> OutboxID

    /// What somebody asks for with `send`.
    private static func asked(
        _ name: String, recipients: (@Sendable (Hostile) -> [String]?)? = nil,
        _ change: @escaping @Sendable (inout MailRequest, Hostile, WireFixture) throws -> Void
    ) -> HostilePlace {
        var place = HostilePlace(name: name) { fixture, hostile in
            var request = MailRequest(account: "anna", to: ["Maria <\(WorkerFixture.client)>"])
            request.subject = "Offer"
            request.text = "Hello\n"
            request.from = WorkerFixture.own
            request.signature = false
            try change(&request, hostile, fixture)
            return try await fixture.submit(request)
        }
        if let recipients { place.recipients = recipients }
        return place
    }

    /// What a stranger wrote, and is now answered or forwarded.
    private static func received(
        _ name: String,
        _ letter: @escaping @Sendable (Hostile) -> [UInt8],
        _ change: @escaping @Sendable (inout MailRequest, ArchivedMessageID) -> Void
    ) -> HostilePlace {
        var place = asked(name) { request, hostile, fixture in
            change(&request, try fixture.received(letter(hostile)))
        }
        // It may have lost its own Message-ID and References by it.
        place.optional = ["In-Reply-To", "References"]
        place.breaksParts = true
        return place
    }

    /// What the composer would have refused, as a row of the outbox.
    private static func row(
        _ name: String, _ queue: @escaping @Sendable (WireFixture, Hostile) throws -> OutboxID
    ) -> HostilePlace { HostilePlace(name: name) { try queue($0, $1) } }

    static let all = people + words + files + templates + strangers + rows

    /// What ends in an address in brackets is one, whatever stands before it; and others go as A-labels.
    private static let domain: @Sendable (Hostile) -> [String]? = { hostile in
        hostile.text.hasSuffix(">") || !hostile.text.utf8.allSatisfy { $0 < 0x80 }
            ? nil : ["maria@\(hostile.text)"]
    }

    // MARK: - Places of a request

    private static let people: [HostilePlace] = [
        asked("from, name") { request, hostile, _ in request.from = "\(hostile.text) <\(WorkerFixture.own)>"
        },
        asked("from, address") { request, hostile, _ in
            request.from =
                "Anna <anna\(hostile.text == Hostile.harmless.text ? "" : hostile.text)@firma.example>"
        },
        asked("the user's name") { request, hostile, fixture in
            request.from = nil
            try fixture.archive.editUser(
                fixture.worker.user, displayName: hostile.text, email: EmailAddress(WorkerFixture.own))
        },
        asked("to, name") { request, hostile, _ in
            request.to = ["\(hostile.text) <\(WorkerFixture.client)>"]
        },
        asked("to, local part", recipients: { ["\($0.text)@x.example"] }) { request, hostile, _ in
            request.to = ["\(hostile.text)@x.example"]
        },
        asked("to, quoted local part", recipients: { ["\($0.text)@x.example"] }) { request, hostile, _ in
            request.to = ["Maria <\"\(hostile.text)\"@x.example>"]
        },
        asked("to, domain", recipients: domain) { request, hostile, _ in
            request.to = ["maria@\(hostile.text)"]
        },
        asked("cc, name", recipients: { _ in [WorkerFixture.client, "cc@x.example"] }) {
            request, hostile, _ in
            request.cc = ["\(hostile.text) <cc@x.example>"]
        },
        asked("cc, address", recipients: { [WorkerFixture.client, "\($0.text)@x.example"] }) {
            request, hostile, _ in request.cc = ["\"\(hostile.text)\"@x.example"]
        },
        asked("bcc, name", recipients: { _ in [WorkerFixture.client, "bcc@x.example"] }) {
            request, hostile, _ in
            request.bcc = ["\(hostile.text) <bcc@x.example>"]
        },
        asked("bcc, address", recipients: { [WorkerFixture.client, "\($0.text)@x.example"] }) {
            request, hostile, _ in request.bcc = ["\"\(hostile.text)\"@x.example"]
        },
    ]

    private static let words: [HostilePlace] = [
        asked("subject") { request, hostile, _ in request.subject = hostile.text },
        asked("text") { request, hostile, _ in request.text = hostile.text },
        asked("html") { request, hostile, _ in request.html = "<p title='\(hostile.text)'>\(hostile.text)</p>"
        },
        asked("signature") { request, hostile, fixture in
            request.signature = true
            request.html = "<p>Hello</p>"
            try fixture.archive.setSignature(
                Signature(text: hostile.text, html: hostile.text), of: fixture.worker.polled())
        },
        asked("idempotency key") { request, hostile, _ in
            request.idempotencyKey = hostile.text + UUID().uuidString
        },
        asked("account") { request, hostile, _ in
            if hostile.text != Hostile.harmless.text { request.account += hostile.text }
        },
        asked("answered message") { request, hostile, _ in
            if hostile.text != Hostile.harmless.text { request.replyToMessage = hostile.text }
        },
    ]

    /// A file of that name, as far as a name can be it: no NUL, no slash, no more than 255 octets.
    private static func file(_ hostile: Hostile, _ fixture: WireFixture, _ name: (String) -> String) -> String
    {
        let letters = hostile.text.unicodeScalars.filter { $0 != "\0" && $0 != "/" }.prefix(60)
        let path = fixture.worker.directory.path + "/" + name(String(String.UnicodeScalarView(letters)))
        _ = FileManager.default.createFile(atPath: path, contents: Data("content".utf8))
        return path
    }

    private static let files: [HostilePlace] = [
        asked("file, name") { request, hostile, fixture in
            request.attachments = [file(hostile, fixture) { "\($0).txt" }]
        },
        asked("file, type") { request, hostile, fixture in
            request.attachments = [file(hostile, fixture) { "file.\($0)" }]
        },
        asked("picture, name") { request, hostile, fixture in
            request.html = "<img src='cid:x'>"
            request.inlineImages = [file(hostile, fixture) { $0 }]
        },
        asked("path") { request, hostile, fixture in
            if hostile.text != Hostile.harmless.text { request.attachments = ["/nowhere/" + hostile.text] }
        },
    ]

    private static let templates: [HostilePlace] = [
        asked("variables of a template", recipients: { _ in nil }) { request, hostile, fixture in
            let id = UUID().uuidString
            var company = ContactDraft(kind: .organisation, name: hostile.text)
            company.externalID = "o\(id)\(hostile.text)"
            var person = ContactDraft(name: hostile.text, emails: [EmailAddress("\(id)@x.example")!])
            person.externalID = "p\(id)\(hostile.text)"
            person.organisation = try fixture.archive.addContact(company).id
            request.contact = "\(try fixture.archive.addContact(person).id)"
            try fixture.archive.storeTemplate(
                "variables", subject: "For {{contact.name}}, {{contact.external_id}}, {{organisation.name}}",
                text: "{{contact.name}} {{organisation.external_id}}",
                html: "<p title=\"{{contact.name}}\">{{organisation.name}}</p>", by: "anna")
            request.template = "variables"
            request.to = []
            request.subject = nil
            request.text = nil
        },
        asked("a template") { request, hostile, fixture in
            try fixture.archive.storeTemplate(
                "words", subject: hostile.text, text: hostile.text, html: "<p>\(hostile.text)</p>", by: "anna"
            )
            request.template = "words"
            request.subject = nil
            request.text = nil
        },
    ]

    // MARK: - Places of a stranger's mail

    private static func letter(
        from: [UInt8] = Array("Maria <maria@client.example>".utf8), subject: [UInt8] = Array("Question".utf8),
        id: [UInt8]? = nil, references: [UInt8] = Array("<zero@client.example>".utf8),
        file: [UInt8] = Array("application/pdf; name=offer.pdf".utf8), text: [UInt8] = Array("Hello".utf8)
    ) -> [UInt8] {
        let id = id ?? Array("<\(UUID().uuidString)@client.example>".utf8)
        var bytes: [UInt8] = []
        for (name, value) in [
            ("From: ", from), ("\r\nSubject: ", subject), ("\r\nMessage-ID: ", id),
            ("\r\nReferences: ", references),
            ("\r\nTo: anna@firma.example\r\nDate: Mon, 06 May 2024 10:00:00 +0000\r\nMIME-Version: 1.0", []),
            ("\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\n\r\n", text),
            ("\r\n--xx\r\nContent-Type: ", file), ("\r\n\r\ncontent\r\n--xx--\r\n", []),
        ] { bytes += Array(name.utf8) + value }
        return bytes
    }

    private static let strangers: [HostilePlace] = [
        received("answered, subject", { letter(subject: $0.bytes) }) { request, id in
            request.subject = nil
            request.replyToMessage = "\(id)"
        },
        received(
            "answered, Message-ID",
            { letter(id: Array("<".utf8) + $0.bytes + Array("\(UUID().uuidString)@x.example>".utf8)) }
        ) { request, id in request.replyToMessage = "\(id)" },
        received(
            "answered, References",
            { letter(references: Array("<a@x.example> <".utf8) + $0.bytes + Array("@x.example>".utf8)) }
        ) { request, id in request.replyToMessage = "\(id)" },
        {
            var place = received(
                "answered, From", { letter(from: $0.bytes + Array(" <maria@client.example>".utf8)) }
            ) { request, id in
                request.replyToMessage = "\(id)"
                request.to = []
            }
            place.recipients = { _ in nil }
            return place
        }(),
        received("answered, text", { letter(text: $0.bytes) }) { request, id in
            request.replyToMessage = "\(id)"
            request.html = "<p>Hello</p>"
        },
        received(
            "forwarded, subject and From",
            { letter(from: $0.bytes + Array(" <m@x.example>".utf8), subject: $0.bytes) }
        ) {
            request, id in
            request.subject = nil
            request.forward = "\(id)"
        },
        received(
            "forwarded, file name",
            { hostile in
                let escaped = hostile.bytes.prefix(400).map {
                    "%" + String(UInt16($0) + 0x100, radix: 16).dropFirst()
                }
                return letter(
                    file: Array("application/pdf; name*=utf-8''\(escaped.joined())".utf8))
            }
        ) { request, id in request.forward = "\(id)" },
        received(
            "forwarded, file type",
            {
                letter(
                    file: Array("application/".utf8) + $0.bytes + Array("; name=\"".utf8) + $0.bytes + [0x22])
            }
        ) { request, id in request.forward = "\(id)" },
        received(
            "forwarded, enclosed mail",
            {
                letter(
                    file: Array("message/rfc822\r\n\r\nSubject: ".utf8) + $0.bytes + Array("\r\n\r\n".utf8)
                        + $0.bytes)
            }
        ) { request, id in request.forward = "\(id)" },
    ]

    // MARK: - Places that the composer guards

    private static let plain = Array("Subject: row\r\n\r\nHello\r\n".utf8)

    private static let rows: [HostilePlace] = [
        {
            var place = row("row, recipient") {
                try $0.queue(plain, to: [EmailAddress(localPart: $1.text, domain: "x.example")])
            }
            place.recipients = { ["\($0.text)@x.example"] }
            return place
        }(),
        {
            var place = row("row, sender") {
                try $0.queue(plain, sender: EmailAddress(localPart: $1.text, domain: "x.example"))
            }
            place.sender = { "\($0.text)@x.example" }
            return place
        }(),
        row("row, envelope id") { try $0.queue(plain, envelopeID: "\($1.text)\(UUID().uuidString)") },
        row("row, bytes") {
            try $0.queue(Array("Subject: row\r\n\r\n".utf8) + $1.bytes + Array("\r\n".utf8))
        },
    ]
}
