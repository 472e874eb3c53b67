import MailModel

extension MessageBuilder {
    /// Fills in what the special kinds of content say, and what follows from it for the
    /// message as a whole.
    mutating func readKinds(
        _ tree: EntityTree, _ plan: LeafPlan, _ fields: MessageFields, into message: inout ParsedMessage
    ) {
        let reader = SpecialContentReader(bytes: bytes, tree: tree, plan: plan, limits: limits)
        // What cost a full reading its life there would cost the careful one its own.
        var special = mode == .full ? reader.read(message) : SpecialContent()
        if message.textSource != .none, let text = message.text, let read = InlinePGP.read(text) {
            message.text = read.text
            special.protection = special.protection ?? read.protection
        }
        if mode == .full, let enclosed = EnclosedContent.read(tree, plan, bytes: bytes) {
            if enclosed.isDamaged { defects.note(.damagedFile) }
            special.protection = special.protection ?? enclosed.protection
            if let octets = enclosed.octets {
                let isInFront = plan.textLeaves.first.map { enclosed.entity < $0 } ?? true
                adopt(octets, isInFront: isInFront, into: &message, &special)
            }
        }
        message.automation = fields.automation(of: message, tree: tree)
        if special.deliveryReport == nil, special.readReceipt == nil {
            special.deliveryReport = fields.freeTextBounce(of: message)
            if special.deliveryReport == nil { special.readReceipt = ReadReceipt(freeText: message) }
        }
        if special.deliveryReport != nil {
            if !message.automation.isDeliveryReport { message.automation.signs.insert(.text) }
            message.automation.isDeliveryReport = true
        }
        if special.readReceipt != nil || special.abuseReport != nil {
            if !message.automation.isAutoSubmitted { message.automation.signs.insert(.text) }
            message.automation.isAutoSubmitted = true
        }
        if special.calendar != nil { message.automation.isCalendar = true }
        message.special = special.isEmpty ? nil : special
    }

    /// The text of a winmail.dat, where the message has none of its own.
    func readPackedBody(_ plan: LeafPlan, into message: inout ParsedMessage) {
        guard let body = plan.packedBody, message.text?.allSatisfy(\.isWhitespace) ?? true else { return }
        let utf8 = Array(body.text.utf8)
        let end = UTF8Text.prefixLength(utf8, limit: limits.textBytes)
        message.text = String(decoding: utf8[..<end], as: UTF8.self)
        message.textSource = body.isHTML ? .html : .plain
        if body.isHTML { message.hasHTML = true }
    }

    /// The text of a message that is another message as a whole, which is what every program shows. The
    /// files in it stay in the one attachment.
    func readWholeMessage(_ root: Entity, into message: inout ParsedMessage) {
        guard message.textSource == .none, root.contentType.kind == .message,
            root.contentType.name == "message/rfc822" || root.contentType.name == "message/global",
            mode == .full, nesting < EnclosedContent.maximumNesting
        else { return }
        let body = bytes.slice(root.body)
        var log = DefectLog()
        let decoded =
            root.encoding == .identity
            ? nil : LeafContent(bytes: body, encoding: root.encoding).decoded(defects: &log)
        func read(_ bytes: UnsafeRawBufferPointer) -> ParsedMessage {
            MessageBuilder.message(bytes, limits: limits, mode: mode, nesting: nesting + 1)
        }
        let inner = decoded.map { $0.withUnsafeBytes(read) } ?? read(body)
        message.text = inner.text
        message.textSource = inner.textSource
        message.furtherText = inner.furtherText
        message.hasHTML = message.hasHTML || inner.hasHTML
    }

    /// Reads an enclosed entity as the message's own content; its files follow the message's.
    /// Text behind it, a list's footer, follows its own.
    private mutating func adopt(
        _ octets: [UInt8], isInFront: Bool, into message: inout ParsedMessage, _ special: inout SpecialContent
    ) {
        guard nesting < EnclosedContent.maximumNesting else { return }
        let inner = octets.withUnsafeBytes { bytes in
            MessageBuilder.message(bytes, limits: limits, mode: mode, nesting: nesting + 1)
        }
        for defect in inner.defects where !Self.headerDefects.contains(defect) { defects.note(defect) }
        if message.text?.allSatisfy(\.isWhitespace) ?? true {
            message.text = inner.text
            message.textSource = inner.textSource
            message.furtherText = inner.furtherText
        } else if isInFront, let text = inner.text, !text.allSatisfy(\.isWhitespace) {
            let further = [inner.furtherText, message.text, message.furtherText].compactMap(\.self)
            let utf8 = Array(further.joined(separator: "\n\n").utf8)
            let end = UTF8Text.prefixLength(utf8, limit: limits.textBytes)
            message.furtherText = String(decoding: utf8[..<end], as: UTF8.self)
            message.text = text
            message.textSource = inner.textSource
        }
        message.hasHTML = message.hasHTML || inner.hasHTML
        let room = max(0, limits.parts - message.attachments.count)
        message.attachments += inner.attachments.prefix(room).map { attachment in
            var attachment = attachment
            attachment.isUnpacked = true
            return attachment
        }
        guard let found = inner.special else { return }
        special.calendar = special.calendar ?? found.calendar
        special.contacts += found.contacts
        special.deliveryReport = special.deliveryReport ?? found.deliveryReport
        special.readReceipt = special.readReceipt ?? found.readReceipt
        special.abuseReport = special.abuseReport ?? found.abuseReport
        if found.protection?.isEncrypted ?? false { special.protection?.isEncrypted = true }
        if found.protection?.isSigned ?? false { special.protection?.isSigned = true }
    }

    /// What an entity that is no message of its own lacks by nature.
    private static let headerDefects: Set<Defect> = [
        .missingMessageID, .missingDate, .missingFrom, .emptyMessage,
    ]

    /// The content of a file of an enclosed entity.
    func enclosedAttachmentContent(_ index: Int, _ tree: EntityTree, _ plan: LeafPlan) -> [UInt8]? {
        guard mode == .full, nesting < EnclosedContent.maximumNesting,
            let octets = EnclosedContent.read(tree, plan, bytes: bytes)?.octets
        else { return nil }
        return octets.withUnsafeBytes { bytes in
            MessageBuilder.attachmentContent(
                index, of: bytes, limits: limits, mode: mode, nesting: nesting + 1)
        }
    }
}
