import MailModel

extension MessageFields {
    /// Signs that a program wrote or forwarded the message.
    func automation(of message: ParsedMessage, tree: EntityTree) -> Automation {
        var automation = Automation()
        readReplies(&automation)
        readLists(&automation)
        let root = tree.entities[0].contentType
        var isReport = false
        for entity in tree.entities {
            switch entity.contentType.name {
            case "text/calendar", "application/ics": automation.isCalendar = true
            case "message/delivery-status", "message/global-delivery-status": isReport = true
            case "message/disposition-notification": automation.isAutoSubmitted = true
            default: break
            }
        }
        if root.name == "multipart/report" {
            let kind = root.parameters?.raw("report-type")?.bytes ?? []
            let isDelivery = kind.withUnsafeBytes {
                let kind = $0.trimmed()
                return kind.isEmpty || kind.equalsIgnoringCase("delivery-status")
                    || kind.equalsIgnoringCase("global-delivery-status")
            }
            if isDelivery { isReport = true } else { automation.isAutoSubmitted = true }
        }
        if isReport || header.contains(.failedRecipients) || isFromDaemon(message) {
            automation.isDeliveryReport = true
        }
        return automation
    }

    private func readReplies(_ automation: inout Automation) {
        if let word = word(of: .autoSubmitted), !word.equalsIgnoringCase("no"), !word.isEmpty {
            automation.isAutoSubmitted = true
        }
        for name in [FieldName.autoreply, .autoResponseSuppress] {
            guard let word = word(of: name), !word.isEmpty else { continue }
            if !word.equalsIgnoringCase("no"), !word.equalsIgnoringCase("none") {
                automation.isAutoSubmitted = true
            }
        }
    }

    private func readLists(_ automation: inout Automation) {
        if let word = word(of: .precedence) {
            if word.equalsIgnoringCase("bulk") || word.equalsIgnoringCase("junk")
                || word.equalsIgnoringCase("list")
            {
                automation.isBulk = true
            } else if word.equalsIgnoringCase("auto_reply") || word.equalsIgnoringCase("auto-reply") {
                automation.isAutoSubmitted = true
            }
        }
        if header.contains(.listUnsubscribe) { automation.isBulk = true }
        for name in [FieldName.listID, .mailingList] {
            guard automation.listID == nil, let value = header.first(name) else { continue }
            if let identifier = MessageIdentifiers.first(in: bytes.slice(value)) {
                automation.listID = identifier.lowercased()
            }
        }
    }

    /// A bounce in free text: from the mail system, with a null return path (RFC 5321, 4.5.5).
    private func isFromDaemon(_ message: ParsedMessage) -> Bool {
        let locals = message.from.map { $0.address.localPart.lowercased() }
        guard locals.contains(where: { $0 == "mailer-daemon" || $0 == "postmaster" }) else { return false }
        if locals.contains("mailer-daemon"), !header.contains(.returnPath) { return true }
        guard let value = header.first(.returnPath) else { return false }
        let path = bytes.slice(value).filter { !Octet.isSpace($0) }
        return path == [Octet.less, Octet.greater] || path.isEmpty
    }

    /// The first word of a field's value.
    private func word(of name: FieldName) -> UnsafeRawBufferPointer? {
        guard let value = header.first(name) else { return nil }
        let text = bytes.slice(value).trimmed()
        var end = 0
        while end < text.count, !Octet.isSpace(text[end]), text[end] != Octet.semicolon,
            text[end] != Octet.comma, text[end] != Octet.openParenthesis
        {
            end += 1
        }
        return text.slice(0..<end)
    }
}
