import MailModel

/// Reads the special kinds of content out of the leaves that hold them.
struct SpecialContentReader {
    /// A calendar or report that is larger is read up to here.
    private static let maximumInput = 4 << 20
    private static let maximumContacts = 1000
    /// Leaves of one kind that are asked for a report, a calendar or cards; a message has one or two.
    private static let maximumLeaves = 16

    private enum LeafKind {
        case calendar, contacts, deliveryStatus, disposition, feedback, returned
    }

    let bytes: UnsafeRawBufferPointer
    let tree: EntityTree
    let plan: LeafPlan
    let limits: MailLimits

    /// What the leaves say; `message` has its attachments in the order of the plan.
    func read(_ message: ParsedMessage) -> SpecialContent {
        var special = SpecialContent()
        var returnedSources: [LeafPlan.Source] = []
        var opened: LeafPlan.OpenedLeaf?
        var leaves: [LeafKind: Int] = [:]
        var cardBytes = 0
        for (source, attachment) in zip(plan.attachments, message.attachments) {
            guard let kind = Self.kind(of: attachment) else { continue }
            if kind == .returned {
                returnedSources.append(source)
                continue
            }
            if kind != .contacts {
                leaves[kind, default: 0] += 1
                guard leaves[kind, default: 0] <= Self.maximumLeaves else { continue }
            }
            let octets = content(of: source, &opened)
            octets.withUnsafeBytes { bytes in
                switch kind {
                case .calendar: readCalendar(octets, source, into: &special)
                case .contacts:
                    // Cards of one leaf after the other, as far as one leaf would be read.
                    let room =
                        cardBytes < Self.maximumInput ? Self.maximumContacts - special.contacts.count : 0
                    cardBytes += octets.count
                    special.contacts += VCard.read(octets, charset: charset(of: source), limit: room)
                case .deliveryStatus:
                    special.deliveryReport = special.deliveryReport ?? DeliveryReport(fields: bytes)
                case .disposition: special.readReceipt = special.readReceipt ?? ReadReceipt(fields: bytes)
                case .feedback: special.abuseReport = special.abuseReport ?? AbuseReport(fields: bytes)
                case .returned: break
                }
            }
        }
        // Ordinary mail may carry a message too; only a report returns one, in front of it or behind.
        var returned: ReportedMessage?
        if special.isReport {
            for source in returnedSources where returned == nil {
                returned = content(of: source, &opened).withUnsafeBytes {
                    ReportedMessage(returned: $0, limits: limits)
                }
            }
        }
        special.adopt(returned, answering: message.inReplyTo.first)
        special.protection = protection(message)
        return special
    }

    private static func kind(of attachment: Attachment) -> LeafKind? {
        switch attachment.contentType {
        case "text/calendar", "application/ics", "text/x-vcalendar": return .calendar
        case "text/vcard", "text/x-vcard", "text/directory", "application/vcard": return .contacts
        case "message/delivery-status", "message/global-delivery-status": return .deliveryStatus
        case "message/disposition-notification", "message/global-disposition-notification":
            return .disposition
        case "message/feedback-report": return .feedback
        case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
            "message/global-headers":
            return .returned
        default:
            guard let name = attachment.filename?.lowercased() else { return nil }
            return name.hasSuffix(".ics") ? .calendar : name.hasSuffix(".vcf") ? .contacts : nil
        }
    }

    private func content(of source: LeafPlan.Source, _ opened: inout LeafPlan.OpenedLeaf?) -> [UInt8] {
        // The same leaf was measured before; its defects are known.
        var defects = DefectLog()
        return source.withContent(in: bytes, opened: &opened) {
            $0.decoded(inputLimit: Self.maximumInput, defects: &defects)
        }
    }

    private func charset(of source: LeafPlan.Source) -> [UInt8]? {
        source.embedded == nil ? tree.entities[source.entity].contentType.charsetLabel : nil
    }

    /// An invitation stands in the message twice, as a version of the text and as a file; the
    /// first that names an event counts.
    private func readCalendar(
        _ octets: [UInt8], _ source: LeafPlan.Source, into special: inout SpecialContent
    ) {
        guard special.calendar?.events.isEmpty ?? true else { return }
        var calendar = CalendarContent.read(octets, charset: charset(of: source))
        if calendar.method == nil, source.embedded == nil,
            let method = tree.entities[source.entity].contentType.parameters?.raw("method")
        {
            calendar.method = String(decoding: method.bytes, as: UTF8.self).uppercased().nonEmpty
        }
        guard !calendar.events.isEmpty || calendar.method != nil else { return }
        if special.calendar == nil || !calendar.events.isEmpty { special.calendar = calendar }
    }

    // MARK: - Signed and encrypted

    private func protection(_ message: ParsedMessage) -> Protection? {
        var protection: Protection?
        for entity in tree.entities {
            let type = entity.contentType
            switch type.name {
            case "multipart/signed":
                protection = merged(protection, signing(type, message), isSigned: true, isEncrypted: false)
            case "multipart/encrypted":
                protection = merged(protection, .pgp, isSigned: false, isEncrypted: true)
            default: break
            }
        }
        if protection == nil {
            // A list or a server took the multipart away and left its parts.
            for attachment in message.attachments {
                switch attachment.contentType {
                case "application/pkcs7-signature", "application/x-pkcs7-signature":
                    protection = merged(protection, .smime, isSigned: true, isEncrypted: false)
                case "application/pgp-signature" where Self.isOfMessage(attachment):
                    protection = merged(protection, .pgp, isSigned: true, isEncrypted: false)
                case "application/pgp-encrypted":
                    protection = merged(protection, .pgp, isSigned: false, isEncrypted: true)
                default: break
                }
            }
        }
        guard var protection else { return nil }
        protection.signatureAttachments = Self.signatures(in: message)
        return protection
    }

    private func merged(
        _ known: Protection?, _ kind: Protection.Kind, isSigned: Bool, isEncrypted: Bool
    ) -> Protection {
        Protection(
            known?.kind ?? kind, isSigned: isSigned || known?.isSigned ?? false,
            isEncrypted: isEncrypted || known?.isEncrypted ?? false)
    }

    /// The protocol parameter says which; where it is missing, the signature's type does.
    private func signing(_ type: ContentType, _ message: ParsedMessage) -> Protection.Kind {
        if let name = type.parameters?.raw("protocol")?.bytes {
            return name.withUnsafeBytes { $0.containsIgnoringCase("pgp") } ? .pgp : .smime
        }
        return message.attachments.contains { $0.contentType == "application/pgp-signature" } ? .pgp : .smime
    }

    private static func signatures(in message: ParsedMessage) -> [Int] {
        let types: Set<String> = [
            "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
            "application/pgp-encrypted",
        ]
        return message.attachments.indices.filter { index in
            let attachment = message.attachments[index]
            if types.contains(attachment.contentType) { return true }
            // As gateways relabel it (RFC 8551, 3.2.2).
            return attachment.contentType == "application/octet-stream"
                && attachment.filename?.lowercased() == "smime.p7s"
        }
    }

    /// A file may have a signature of its own, which bears the file's name.
    private static func isOfMessage(_ signature: Attachment) -> Bool {
        signature.filename?.lowercased().contains("signature") ?? true
    }
}

extension SpecialContent {
    fileprivate var isReport: Bool { deliveryReport != nil || readReceipt != nil || abuseReport != nil }

    /// The returned message says which one it was; else the identifier that the report's
    /// fields name, else the one that it answers.
    fileprivate mutating func adopt(_ returned: ReportedMessage?, answering: MessageID?) {
        if var report = deliveryReport {
            let named = report.original?.messageID
            report.original = returned ?? report.original ?? answering.map(ReportedMessage.init(messageID:))
            if report.original?.messageID == nil { report.original?.messageID = named ?? answering }
            deliveryReport = report
        }
        if readReceipt?.originalMessageID == nil {
            readReceipt?.originalMessageID = returned?.messageID ?? answering
        }
        if abuseReport != nil { abuseReport?.original = returned }
    }
}
