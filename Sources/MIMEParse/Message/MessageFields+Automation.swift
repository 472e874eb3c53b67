import MailModel

extension MessageFields {
    /// Signs that a program wrote or forwarded the message.
    func automation(of message: ParsedMessage, tree: EntityTree) -> Automation {
        var automation = Automation()
        readReplies(&automation)
        if AutomaticSubjects.match(message.subject) {
            automation.isAutoSubmitted = true
            automation.signs.insert(.subject)
        }
        readLists(&automation)
        if hasNullReturnPath { automation.signs.insert(.nullReturnPath) }
        let root = tree.entities[0].contentType
        var isReport = false
        for entity in tree.entities {
            switch entity.contentType.name {
            case "text/calendar", "application/ics": automation.isCalendar = true
            case "message/delivery-status", "message/global-delivery-status":
                isReport = true
                automation.signs.insert(.part)
            case "message/disposition-notification":
                automation.isAutoSubmitted = true
                automation.signs.insert(.part)
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
            automation.signs.insert(.part)
        }
        if header.contains(.failedRecipients) { automation.signs.insert(.failedRecipients) }
        if isFromDaemon(message) { automation.signs.insert(.author) }
        if isReport || !automation.signs.isDisjoint(with: [.failedRecipients, .author]) {
            automation.isDeliveryReport = true
        }
        return automation
    }

    private func readReplies(_ automation: inout Automation) {
        if let word = word(of: .autoSubmitted), !word.equalsIgnoringCase("no"), !word.isEmpty {
            automation.isAutoSubmitted = true
            automation.signs.insert(.autoSubmitted)
        }
        for (name, sign) in [
            (FieldName.autoreply, AutomationSigns.autoreply), (.autoResponseSuppress, .autoResponseSuppress),
        ] {
            guard let word = word(of: name), !word.isEmpty else { continue }
            if !word.equalsIgnoringCase("no"), !word.equalsIgnoringCase("none") {
                automation.isAutoSubmitted = true
                automation.signs.insert(sign)
            }
        }
    }

    private func readLists(_ automation: inout Automation) {
        if let word = word(of: .precedence) {
            if word.equalsIgnoringCase("bulk") || word.equalsIgnoringCase("junk")
                || word.equalsIgnoringCase("list")
            {
                automation.isBulk = true
                automation.signs.insert(.precedence)
            } else if word.equalsIgnoringCase("auto_reply") || word.equalsIgnoringCase("auto-reply") {
                automation.isAutoSubmitted = true
                automation.signs.insert(.precedence)
            }
        }
        if let value = header.first(.listUnsubscribe) {
            automation.isBulk = true
            automation.signs.insert(.listUnsubscribe)
            automation.unsubscribe = unsubscribe(bytes.slice(value))
        }
        if let value = header.first(.listPost) {
            automation.listPost =
                MessageIdentifiers.all(in: bytes.slice(value)).lazy
                .filter { $0.lowercased().hasPrefix("mailto:") }
                .compactMap { EmailAddress($0.dropFirst(7).prefix { $0 != "?" }) }.first
        }
        for name in [FieldName.listID, .mailingList] {
            guard automation.listID == nil, let value = header.first(name) else { continue }
            if let identifier = MessageIdentifiers.first(in: bytes.slice(value)) {
                automation.listID = identifier.lowercased()
                automation.signs.insert(name == .listID ? .listID : .mailingList)
            }
        }
    }

    private func unsubscribe(_ value: UnsafeRawBufferPointer) -> Automation.Unsubscribe? {
        let urls = MessageIdentifiers.all(in: value).filter {
            let url = $0.lowercased()
            return url.hasPrefix("https:") || url.hasPrefix("http:") || url.hasPrefix("mailto:")
        }
        guard !urls.isEmpty else { return nil }
        let isOneClick = header.first(.listUnsubscribePost).map {
            bytes.slice($0).containsIgnoringCase("list-unsubscribe=one-click")
        }
        return Automation.Unsubscribe(urls: Array(urls.prefix(10)), isOneClick: isOneClick ?? false)
    }

    /// What a bounce in free text says; nil unless a mail system sent the message.
    ///
    /// An absence note is sent by a program as well, and may speak of mail that is not
    /// delivered: where only the automatic sending is known, a bounce must give a code.
    func freeTextBounce(of message: ParsedMessage) -> DeliveryReport? {
        let isSystem = isFromDaemon(message) || header.contains(.failedRecipients) || hasSystemName(message)
        let isPostmaster = !header.contains(.returnPath) && isFromPostmaster(message)
        guard isSystem || message.automation.isAutoSubmitted || hasNullReturnPath || isPostmaster
        else { return nil }
        var defects = DefectLog()
        let failed = header.fields.filter { $0.name == .failedRecipients }.flatMap {
            AddressList(limit: 100).parse(bytes.slice($0.value), defects: &defects)
        }
        let bounce = FreeTextBounce(message: message, failedRecipients: failed.map(\.address.addrSpec))
        return bounce?.report(isSystem ? .none : isPostmaster ? .anywhere : .besideRecipient)
    }

    private var hasNullReturnPath: Bool {
        guard let value = header.first(.returnPath) else { return false }
        let path = bytes.slice(value).filter { !Octet.isSpace($0) }
        return path == [Octet.less, Octet.greater] || path.isEmpty
    }

    /// The names under which mail systems write that give no address of their own.
    private func hasSystemName(_ message: ParsedMessage) -> Bool {
        guard hasNullReturnPath || message.automation.isAutoSubmitted else { return false }
        let names: Set<String> = [
            "system administrator", "системный администратор", "mail delivery system",
            "mail delivery subsystem", "система доставки", "mail system", "microsoft outlook",
        ]
        return message.from.contains { names.contains($0.displayName?.lowercased() ?? "") }
    }

    /// A bounce in free text: from the mail system, with a null return path (RFC 5321, 4.5.5).
    private func isFromDaemon(_ message: ParsedMessage) -> Bool {
        if isFrom("mailer-daemon", message) { return !header.contains(.returnPath) || hasNullReturnPath }
        return isFromPostmaster(message) && hasNullReturnPath
    }

    /// The addresses of Exchange's bounces among them. Exports and some servers' mail have no
    /// Return-Path; people write as postmaster too, so that a bounce must give a code then.
    private func isFromPostmaster(_ message: ParsedMessage) -> Bool {
        isFrom("postmaster", message)
            || message.from.contains { mailbox in
                let local = mailbox.address.localPart.lowercased()
                return local.hasPrefix("microsoftexchange") && local.utf8.count == 17 + 32
                    && local.dropFirst(17).allSatisfy(\.isHexDigit)
            }
    }

    private func isFrom(_ name: StaticString, _ message: ParsedMessage) -> Bool {
        message.from.contains { mailbox in
            var local = mailbox.address.localPart
            return local.withUTF8 { UnsafeRawBufferPointer($0).equalsIgnoringCase(name) }
        }
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

/// Subjects that programs write in front of the one they answer, in lower case: data, to be
/// added to. An answer to such a message has `Re:` in front, and is a person's.
enum AutomaticSubjects {
    private static let beginnings = PhraseList([
        "автоответ:", "автоответ ", "автоматический ответ:", "автоматический ответ ", "автоответчик:",
        "отсутствие на работе:", "вне офиса:", "нет на месте:", "в отпуске:", "я в отпуске",
        "automatic reply:", "auto reply:", "auto-reply:", "autoreply:", "auto response:", "autoresponse:",
        "out of office:", "out of the office:", "out-of-office:", "out of office autoreply:",
        "away from the office:", "on vacation:", "vacation reply:", "abwesenheitsnotiz:",
    ])
    private static let whole = PhraseList(["автоответ", "out of office"])

    static func match(_ subject: String?) -> Bool {
        guard let subject else { return false }
        return LowercasedOctets.with(startOf: subject, limit: 120) {
            beginnings.hasBeginning(of: $0) || whole.contains($0)
        }
    }
}
