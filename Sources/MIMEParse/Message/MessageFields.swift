import MailModel

/// Reads the fields of a message's own header.
struct MessageFields {
    let bytes: UnsafeRawBufferPointer
    let header: HeaderBlock
    let limits: MailLimits
    let fallbackLabel: [UInt8]?
    let defects: DefectLog

    func read() -> (value: ParsedMessage, log: DefectLog) {
        var log = defects
        var message = ParsedMessage(contentDigest: .zero)
        let text = HeaderText(fallbackLabel: fallbackLabel)
        if let value = header.first(.messageID) {
            message.messageID = MessageIdentifiers.first(in: bytes.slice(value)).map(
                MessageID.init(rawValue:))
        }
        if message.messageID == nil { log.note(.missingMessageID) }
        if let value = header.first(.subject) {
            message.subject = text.decode(bytes.slice(value), defects: &log)
        }
        var room = limits.addresses
        message.from = mailboxes(.from, &room, &log)
        message.sender = mailboxes(.sender, &room, &log)
        message.replyTo = mailboxes(.replyTo, &room, &log)
        message.to = mailboxes(.to, &room, &log)
        message.cc = mailboxes(.cc, &room, &log)
        message.bcc = mailboxes(.bcc, &room, &log)
        message.followupTo = mailboxes(.followupTo, &room, &log)
        let hasFrom = header.fields.contains { $0.name == .from && !bytes.slice($0.value).trimmed().isEmpty }
        if !hasFrom { log.note(.missingFrom) }
        if let value = header.first(.date) {
            message.date = MailDate.parse(bytes.slice(value))
            if message.date == nil { log.note(.unreadableDate) }
        } else {
            log.note(.missingDate)
        }
        message.inReplyTo = identifiers(.inReplyTo)
        message.references = identifiers(.references)
        message.authenticationResults = authenticationResults()
        noteDuplicates(&log)
        return (message, log)
    }

    /// The addresses of all fields of that name, in order.
    private func mailboxes(_ name: FieldName, _ room: inout Int, _ log: inout DefectLog) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        for field in header.fields where field.name == name {
            let list = AddressList(fallbackLabel: fallbackLabel, limit: room)
            let found = list.parse(bytes.slice(field.value), defects: &log)
            room -= found.count
            mailboxes = mailboxes.isEmpty ? found : mailboxes + found
        }
        return mailboxes
    }

    private func identifiers(_ name: FieldName) -> [MessageID] {
        header.first(name).map { MessageIdentifiers.all(in: bytes.slice($0)).map(MessageID.init(rawValue:)) }
            ?? []
    }

    /// A field that is too long keeps its place, so that the one below it does not become the topmost.
    private func authenticationResults() -> [String] {
        header.all(.authenticationResults).prefix(limits.authenticationResults).map { value in
            value.count > limits.authenticationResultBytes
                ? "" : String(decoding: bytes.slice(value), as: UTF8.self)
        }
    }

    private func noteDuplicates(_ log: inout DefectLog) {
        var seen: UInt32 = 0
        for field in header.fields {
            switch field.name {
            case .messageID, .subject, .from, .to, .cc, .date, .replyTo, .sender:
                let bit = UInt32(1) << UInt32(field.name.rawValue)
                if seen & bit != 0 {
                    log.note(.duplicateField)
                    return
                }
                seen |= bit
            default: break
            }
        }
    }
}

extension Digest256 {
    /// Stands in until the digest is known.
    static let zero: Digest256 = {
        guard let digest = Digest256(bytes: [UInt8](repeating: 0, count: 32)) else {
            preconditionFailure("32 octets make a digest")
        }
        return digest
    }()
}

/// Message identifiers (RFC 5322, 3.6.4) as they stand in fields.
enum MessageIdentifiers {
    /// Enough for any thread; a longer list is an attack.
    private static let maximum = 1000
    /// RFC 5322, 2.1.1: no line is longer. Ten thousand longer ones fill the memory.
    private static let maximumOctets = 998

    /// The first identifier; without angle brackets, the first word.
    static func first(in value: UnsafeRawBufferPointer) -> String? {
        if let identifier = next(in: value, from: 0) { return identifier.text }
        let text = value.trimmed()
        let word = stripped(text).split(separator: " ", maxSplits: 1).first.map(String.init)
        return word.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// All that stand in angle brackets, each once.
    static func all(in value: UnsafeRawBufferPointer) -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        var cursor = 0
        while found.count < maximum, let identifier = next(in: value, from: cursor) {
            if seen.insert(identifier.text).inserted { found.append(identifier.text) }
            cursor = identifier.end
        }
        return found
    }

    private static func next(in value: UnsafeRawBufferPointer, from start: Int) -> (text: String, end: Int)? {
        var cursor = start
        while let open = value.offset(of: Octet.less, from: cursor, to: value.count) {
            guard let close = value.offset(of: Octet.greater, from: open, to: value.count) else { return nil }
            let text = withoutSpace(value.slice((open + 1)..<close))
            if !text.isEmpty { return (text, close + 1) }
            cursor = close + 1
        }
        return nil
    }

    private static func withoutSpace(_ bytes: UnsafeRawBufferPointer) -> String {
        String(
            decoding: bytes.lazy.filter { !Octet.isSpace($0) && $0 >= 0x20 && $0 != Octet.less }
                .prefix(maximumOctets),
            as: UTF8.self)
    }

    /// Control characters as blanks, brackets dropped.
    private static func stripped(_ bytes: UnsafeRawBufferPointer) -> String {
        let octets = bytes.lazy.filter { $0 != Octet.less && $0 != Octet.greater }
        return String(
            decoding: octets.map { $0 <= 0x20 ? Octet.space : $0 }.prefix(maximumOctets), as: UTF8.self)
    }
}
