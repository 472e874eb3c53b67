import Foundation
import MIMEParse
import MailModel
import Testing

@testable import MailSend

/// What the composer makes, the parser reads back. `scripts/compose-property` runs many more.
@Suite struct ReadBackTests {
    private static let seed = UInt64(ProcessInfo.processInfo.environment["COMPOSED_SEED"] ?? "") ?? 20_261_125
    private static let count = Int(ProcessInfo.processInfo.environment["COMPOSED_MAILS"] ?? "") ?? 400

    @Test func randomDraftsAreReadBackAsTheyWere() throws {
        var drafts = RandomDrafts(seed: Self.seed)
        var wrong = 0
        for number in 0..<Self.count {
            let differences = try Self.differences(drafts.next())
            guard !differences.isEmpty else { continue }
            wrong += 1
            if wrong <= 5 { Issue.record("draft \(number) of seed \(Self.seed): \(differences)") }
        }
        #expect(wrong == 0)
        print("composed and read back: \(Self.count) mails, \(wrong) different")
    }

    /// Their pieces and values are strangers'; what becomes of them is known piece by piece.
    @Test func randomTemplatesAreFilledInAndReadBack() throws {
        var templates = RandomTemplates(seed: Self.seed)
        var wrong = 0
        for number in 0..<Self.count {
            let made = templates.next()
            var differences: [String] = []
            let filled = try made.template.fill(made.values)
            if filled != made.filled { differences.append("filled: \(filled), meant \(made.filled)") }
            let own = draft {
                $0.subject = filled.subject
                $0.text = filled.text
                $0.html = filled.html
            }
            differences += try Self.differences(own)
            guard !differences.isEmpty else { continue }
            wrong += 1
            if wrong <= 5 { Issue.record("template \(number) of seed \(Self.seed): \(differences)") }
        }
        #expect(wrong == 0)
        print("filled in and read back: \(Self.count) templates, \(wrong) different")
    }

    /// What is not as the draft says it.
    private static func differences(_ draft: MailDraft) throws -> [String] {
        let mail = try Composer.compose(draft)
        let bytes = try mail.bytes()
        var found: [String] = []
        func check(_ name: String, _ isRight: Bool) { if !isRight { found.append(name) } }
        func same<Value: Equatable>(_ name: String, _ read: Value, _ meant: Value) {
            if read != meant { found.append("\(name): read \(read), meant \(meant)") }
        }
        checkOctets(bytes, mail, &found)
        check("size", mail.size == bytes.count)

        let message = reading(bytes)
        check("defects \(message.defects)", message.defects.isEmpty)
        same("message id", message.messageID, draft.messageID)
        same("date", message.date, draft.date)
        same("subject", message.subject.map(exact), line(draft.subject).map(exact))
        same("from", message.from.map(mailbox), [draft.from].map(meant))
        same("reply-to", message.replyTo.map(mailbox), draft.replyTo.map(meant))
        same("to", message.to.map(mailbox), draft.to.map(meant))
        same("cc", message.cc.map(mailbox), draft.cc.map(meant))
        same("bcc", message.bcc, [])
        same("in-reply-to", message.inReplyTo, draft.thread.inReplyTo)
        same("references", message.references, draft.thread.references)
        same("html", message.hasHTML, draft.html != nil)
        if let html = draft.html { same("html's words", htmlPart(of: bytes).map(exact), exact(lines(html))) }
        let text = draft.text ?? draft.html.map(readable) ?? ""
        same("text", message.text.map(exact), exact(lines(text)))
        same(
            "automatic", message.automation.isAutoSubmitted, draft.fields.contains(.autoSubmitted(.generated))
        )
        same(
            "unsubscribe", message.automation.unsubscribe?.isOneClick ?? false,
            draft.fields.contains { if case .listUnsubscribe = $0 { true } else { false } })

        let files = draft.inlineImages + draft.attachments
        let inline = draft.html == nil ? 0 : draft.inlineImages.count
        same("files", message.attachments.count, files.count)
        for (index, (read, file)) in zip(message.attachments, files).enumerated() {
            var name = file.filename.flatMap { FileName.cleaned($0, limit: 200) }
            if case .message = file.kind, read.contentType != "message/rfc822" {
                name = name ?? "message.eml"
            }
            same("name", read.filename.map(exact), name.map(exact))
            if case .file(let type) = file.kind { same("type", read.contentType, type.name) }
            same("inline", read.isInline, index < inline)
            same("content id", read.contentID, file.contentID)
            guard case .bytes(let octets) = file.content else { continue }
            let content = bytes.withUnsafeBytes { MIMEParser().attachmentContent(index, of: $0) } ?? []
            let isWhole = read.contentType == "message/rfc822" ? lf(content) == lf(octets) : content == octets
            check("content of file \(index)", isWhole)
        }
        let people = (draft.to + draft.cc + draft.bcc).map { meant($0).address }
        var seen: Set<EmailAddress> = []
        same("envelope", mail.envelope.recipients.map(\.address), people.filter { seen.insert($0).inserted })
        same(
            "sender", mail.envelope.sender?.address,
            draft.returnPath == .null ? nil : meant(draft.from).address)
        return found
    }

    /// The HTML as a reader decodes it: the parser hands out files only, so the part is made one.
    private static func htmlPart(of bytes: [UInt8]) -> String? {
        let type = Array("\r\nContent-Type: text/html;".utf8)
        guard let place = bytes.firstRange(of: type) else { return nil }
        let other = Array("\r\nContent-Type: application/x-html;".utf8)
        let changed = bytes[..<place.lowerBound] + other + bytes[place.upperBound...]
        return Array(changed).withUnsafeBytes { bytes in
            let parser = MIMEParser()
            let index = parser.parse(bytes).attachments.firstIndex { $0.contentType == "application/x-html" }
            guard let index, let octets = parser.attachmentContent(index, of: bytes) else { return nil }
            return lines(String(decoding: octets, as: UTF8.self))
        }
    }

    private static func readable(_ html: String) -> String {
        var text: [UInt8] = []
        _ = HTMLText.convert(Array(html.utf8), limit: 1 << 20, into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// What every relay may rely on.
    private static func checkOctets(_ bytes: [UInt8], _ mail: ComposedMail, _ found: inout [String]) {
        var length = 0
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == 10, previous != 13 { found.append("LF by itself") }
            if previous == 13, byte != 10 { found.append("CR by itself") }
            if byte == 0 { found.append("NUL") }
            if byte >= 0x80, !mail.needsSMTPUTF8 { found.append("8-bit octet") }
            length = byte == 10 ? 0 : length + 1
            if length > 999 { found.append("long line") }
            previous = byte
        }
        if previous != 10 { found.append("no line end") }
    }

    private static func exact(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

    private struct Read: Equatable {
        var name: [Unicode.Scalar]?
        var address: EmailAddress
    }

    private static func mailbox(_ mailbox: Mailbox) -> Read {
        Read(name: mailbox.displayName.map(exact), address: mailbox.address)
    }

    private static func meant(_ mailbox: Mailbox) -> Read {
        let isLiteral = mailbox.address.domain.hasPrefix("[")
        return Read(
            name: line(mailbox.displayName ?? "").map(exact),
            address: EmailAddress(
                localPart: mailbox.address.localPart,
                domain: isLiteral ? mailbox.address.domain : DomainName.canonical(mailbox.address.domain)))
    }

    /// White space collapsed; nil when nothing is left.
    private static func line(_ text: String) -> String? {
        let words = text.unicodeScalars.split { $0 == " " || $0 == "\t" }.map {
            String(String.UnicodeScalarView($0))
        }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private static func lf(_ octets: [UInt8]) -> [UInt8] { octets.filter { $0 != 13 } }

    /// Line ends as LF, and no white space behind the last word.
    private static func lines(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if !(scalar == "\n" && previous == "\r") { scalars.append(scalar == "\r" ? "\n" : scalar) }
            previous = scalar
        }
        while let last = scalars.last, last == " " || last == "\t" || last == "\n" { scalars.removeLast() }
        return String(scalars)
    }
}
