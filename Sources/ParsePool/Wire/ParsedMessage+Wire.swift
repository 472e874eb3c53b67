import Foundation
import MIMEParse
import MailModel

/// A reading as bytes. Every stored property goes over; a test counts them, so that a new
/// one cannot be forgotten here.
extension WireWriter {
    mutating func write(_ message: ParsedMessage) {
        write(message.contentDigest)
        write(message.formDigest)
        write(message.messageID?.rawValue)
        write(message.subject)
        for mailboxes in [
            message.from, message.sender, message.replyTo, message.to, message.cc, message.bcc,
            message.followupTo,
        ] {
            write(mailboxes) { $0.write($1) }
        }
        write(message.date != nil)
        write(message.date?.rawValue ?? 0)
        write(message.inReplyTo) { $0.write($1.rawValue) }
        write(message.references) { $0.write($1.rawValue) }
        write(message.authenticationResults) { $0.write($1) }
        write(message.text)
        write(message.furtherText)
        write(message.split)
        write(Self.number(of: message.textSource))
        write(message.hasHTML)
        write(message.attachments) { $0.write($1) }
        write(message.automation)
        write(message.special)
        write(message.defects) { $0.write(Self.numbers[$1] ?? 0) }
    }

    private mutating func write(_ split: TextSplit?) {
        write(split != nil)
        guard let split else { return }
        write(split.quoted + (split.signature.map { [$0] } ?? [])) { writer, range in
            writer.write(Int64(range.lowerBound))
            writer.write(Int64(range.upperBound))
        }
        write(split.signature != nil)
    }

    private mutating func write(_ mailbox: Mailbox) {
        write(mailbox.displayName)
        write(mailbox.address.localPart)
        write(mailbox.address.domain)
    }

    private mutating func write(_ attachment: Attachment) {
        write(attachment.filename)
        write(attachment.declaredName)
        write(attachment.contentType)
        write(Int64(attachment.size))
        write(attachment.sha256)
        write(attachment.isInline)
        write(attachment.contentID)
        write(attachment.isUnpacked)
    }

    private mutating func write(_ automation: Automation) {
        write(automation.isAutoSubmitted)
        write(automation.listID)
        write(automation.listPost?.localPart)
        write(automation.listPost?.domain)
        write(automation.isBulk)
        write(automation.unsubscribe != nil)
        write(automation.unsubscribe?.urls ?? []) { $0.write($1) }
        write(automation.unsubscribe?.isOneClick ?? false)
        write(automation.isDeliveryReport)
        write(automation.isCalendar)
        write(automation.signs.rawValue)
    }

    private mutating func write(_ digest: Digest256) {
        digest.bytes.withUnsafeBytes { write(raw: $0) }
    }

    private mutating func write(_ special: SpecialContent?) {
        write(special != nil)
        guard var special else { return }
        // Signed mail is common.
        write(special.protection != nil)
        if let protection = special.protection { write(protection) }
        special.protection = nil
        write(rare: special == SpecialContent() ? nil : special)
    }

    private mutating func write(_ protection: Protection) {
        write(protection.kind.rawValue)
        write(protection.isSigned)
        write(protection.isEncrypted)
        write(protection.signatureAttachments) { $0.write(Int64($1)) }
    }

    /// What few messages have, as JSON: its many parts are not worth a coding of their own.
    private mutating func write(rare value: (some Encodable)?) {
        guard let value else { return write(UInt32(0)) }
        // The child is lost then, and the message read more carefully: no value is left out silently.
        guard let json = try? JSONEncoder().encode(value) else { preconditionFailure("no JSON") }
        write(UInt32(json.count))
        json.withUnsafeBytes { write(raw: $0) }
    }

    private static func number(of source: ParsedMessage.TextSource) -> UInt8 {
        switch source {
        case .none: 0
        case .plain: 1
        case .html: 2
        }
    }

    private static let numbers: [Defect: UInt8] = Dictionary(
        uniqueKeysWithValues: Defect.allCases.enumerated().map { ($1, UInt8($0)) })
}

extension WireReader {
    mutating func readMessage() throws(MalformedAnswer) -> ParsedMessage {
        var message = ParsedMessage(contentDigest: try readDigest())
        message.formDigest = try readDigest()
        message.messageID = try readOptionalText().map(MessageID.init(rawValue:))
        message.subject = try readOptionalText()
        message.from = try readMailboxes()
        message.sender = try readMailboxes()
        message.replyTo = try readMailboxes()
        message.to = try readMailboxes()
        message.cc = try readMailboxes()
        message.bcc = try readMailboxes()
        message.followupTo = try readMailboxes()
        let hasDate = try readBool()
        let date: Int64 = try readInteger()
        message.date = hasDate ? UnixTime(date) : nil
        message.inReplyTo = try readIdentifiers()
        message.references = try readIdentifiers()
        message.authenticationResults = try readList { reader throws(MalformedAnswer) in try reader.readText()
        }
        message.text = try readOptionalText()
        message.furtherText = try readOptionalText()
        message.split = try readSplit(of: message.text)
        message.textSource = try readTextSource()
        message.hasHTML = try readBool()
        message.attachments = try readList { reader throws(MalformedAnswer) in try reader.readAttachment() }
        message.automation = try readAutomation()
        message.special = try readSpecial()
        message.defects = try readList { reader throws(MalformedAnswer) in try reader.readDefect() }
        return message
    }

    private mutating func readSplit(of text: String?) throws(MalformedAnswer) -> TextSplit? {
        guard try readBool() else { return nil }
        let length = Int64(text?.utf8.count ?? 0)
        var ranges = try readList { reader throws(MalformedAnswer) -> Range<Int> in
            let lower: Int64 = try reader.readInteger()
            let upper: Int64 = try reader.readInteger()
            guard 0 <= lower, lower <= upper, upper <= length else { throw MalformedAnswer() }
            return Int(lower)..<Int(upper)
        }
        guard try readBool() else { return TextSplit(quoted: ranges, signature: nil) }
        guard let signature = ranges.popLast() else { throw MalformedAnswer() }
        return TextSplit(quoted: ranges, signature: signature)
    }

    private mutating func readMailboxes() throws(MalformedAnswer) -> [Mailbox] {
        try readList { reader throws(MalformedAnswer) in
            let name = try reader.readOptionalText()
            let localPart = try reader.readText()
            return Mailbox(
                displayName: name,
                address: EmailAddress(localPart: localPart, domain: try reader.readText()))
        }
    }

    private mutating func readIdentifiers() throws(MalformedAnswer) -> [MessageID] {
        try readList { reader throws(MalformedAnswer) in MessageID(rawValue: try reader.readText()) }
    }

    private mutating func readAttachment() throws(MalformedAnswer) -> Attachment {
        let filename = try readOptionalText()
        let declaredName = try readOptionalText()
        let contentType = try readText()
        guard let size = Int(exactly: try readInteger(Int64.self)), size >= 0 else { throw MalformedAnswer() }
        var attachment = Attachment(
            filename: filename, declaredName: declaredName, contentType: contentType, size: size,
            sha256: try readDigest(),
            isInline: try readBool(), contentID: try readOptionalText())
        attachment.isUnpacked = try readBool()
        return attachment
    }

    private mutating func readAutomation() throws(MalformedAnswer) -> Automation {
        var automation = Automation()
        automation.isAutoSubmitted = try readBool()
        automation.listID = try readOptionalText()
        let (localPart, domain) = (try readOptionalText(), try readOptionalText())
        if let localPart, let domain {
            automation.listPost = EmailAddress(localPart: localPart, domain: domain)
        }
        automation.isBulk = try readBool()
        let hasUnsubscribe = try readBool()
        let urls = try readList { reader throws(MalformedAnswer) in try reader.readText() }
        let isOneClick = try readBool()
        if hasUnsubscribe {
            automation.unsubscribe = Automation.Unsubscribe(urls: urls, isOneClick: isOneClick)
        }
        automation.isDeliveryReport = try readBool()
        automation.isCalendar = try readBool()
        automation.signs = AutomationSigns(rawValue: try readInteger())
        return automation
    }

    private mutating func readSpecial() throws(MalformedAnswer) -> SpecialContent? {
        guard try readBool() else { return nil }
        let protection = try readBool() ? try readProtection() : nil
        var special = try readRare(SpecialContent.self) ?? SpecialContent()
        special.protection = protection
        return special
    }

    private mutating func readProtection() throws(MalformedAnswer) -> Protection {
        guard let kind = Protection.Kind(rawValue: try readText()) else { throw MalformedAnswer() }
        var protection = Protection(kind, isSigned: try readBool(), isEncrypted: try readBool())
        protection.signatureAttachments = try readList { reader throws(MalformedAnswer) -> Int in
            guard let index = Int(exactly: try reader.readInteger(Int64.self)) else {
                throw MalformedAnswer()
            }
            return index
        }
        return protection
    }

    private mutating func readRare<Value: Decodable>(_ type: Value.Type) throws(MalformedAnswer) -> Value? {
        let count: UInt32 = try readInteger()
        let json = try readRaw(Int(count))
        guard count > 0 else { return nil }
        guard let value = try? JSONDecoder().decode(type, from: Data(json)) else { throw MalformedAnswer() }
        return value
    }

    private mutating func readDigest() throws(MalformedAnswer) -> Digest256 {
        guard let digest = Digest256(bytes: try readRaw(32)) else { throw MalformedAnswer() }
        return digest
    }

    private mutating func readTextSource() throws(MalformedAnswer) -> ParsedMessage.TextSource {
        switch try readByte() {
        case 0: .none
        case 1: .plain
        case 2: .html
        default: throw MalformedAnswer()
        }
    }

    private mutating func readDefect() throws(MalformedAnswer) -> Defect {
        let number = Int(try readByte())
        guard Self.defects.indices.contains(number) else { throw MalformedAnswer() }
        return Self.defects[number]
    }

    private static let defects = Defect.allCases
}
