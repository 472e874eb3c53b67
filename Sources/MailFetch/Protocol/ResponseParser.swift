import MailModel

/// Makes typed responses out of framed ones. Total: whatever comes in, a response comes out.
enum ResponseParser {
    static func parse(_ text: [UInt8], literals: [(end: Int, content: Literal)]) -> Response {
        text.withUnsafeBufferPointer { bytes in
            if bytes.first == UInt8(ascii: "+") { return .continuation }
            guard bytes.count > 2, bytes[0] == UInt8(ascii: "*"), bytes[1] == 0x20 else {
                return tagged(bytes)
            }
            var scanner = ResponseScanner(bytes, literals: literals, from: 2)
            scanner.skipSpaces()
            if scanner.peek?.decimalDigit != nil { return numbered(&scanner, bytes, literals) }
            let word = scanner.word()
            if let kind = StatusKind.allCases.first(where: { $0.matches(word) }) {
                return .status(statusReply(kind, &scanner, bytes))
            }
            scanner.skipSpaces()
            return named(word, &scanner)
        }
    }

    private static func tagged(_ bytes: UnsafeBufferPointer<UInt8>) -> Response {
        var scanner = ResponseScanner(bytes, literals: [])
        let tag = Array(scanner.word())
        scanner.skipSpaces()
        let word = scanner.word()
        guard !tag.isEmpty, let kind = [StatusKind.ok, .no, .bad].first(where: { $0.matches(word) }) else {
            return .unknown
        }
        return .tagged(tag: tag, statusReply(kind, &scanner, bytes))
    }

    private static func statusReply(
        _ kind: StatusKind, _ scanner: inout ResponseScanner, _ bytes: UnsafeBufferPointer<UInt8>
    ) -> StatusReply {
        scanner.skipSpaces()
        var reply = StatusReply(kind: kind)
        var start = scanner.position
        if scanner.peek == UInt8(ascii: "["), let end = bytes[start...].firstIndex(of: UInt8(ascii: "]")) {
            reply.code = String(
                decoding: bytes[(start + 1)..<end].prefix(IMAPLimits.responseBytes), as: UTF8.self)
            start = end + 1
            while start < bytes.count, bytes[start] == 0x20 { start += 1 }
        }
        reply.text = String(decoding: bytes[start...].prefix(IMAPLimits.replyTextBytes), as: UTF8.self)
        return reply
    }

    /// `* 12 EXISTS`, `* 12 FETCH (...)`.
    private static func numbered(
        _ scanner: inout ResponseScanner, _ bytes: UnsafeBufferPointer<UInt8>,
        _ literals: [(end: Int, content: Literal)]
    ) -> Response {
        guard let number = scanner.number32() else { return .unknown }
        scanner.skipSpaces()
        let word = scanner.word()
        if word.equalsIgnoringCase("FETCH") {
            scanner.skipSpaces()
            return .fetch(fetch(number, &scanner, bytes, literals))
        }
        if word.equalsIgnoringCase("EXISTS") { return .exists(number) }
        if word.equalsIgnoringCase("RECENT") { return .recent(number) }
        if word.equalsIgnoringCase("EXPUNGE") { return .expunge(number) }
        return .unknown
    }

    private static func named(
        _ word: some Collection<UInt8>, _ scanner: inout ResponseScanner
    ) -> Response {
        if word.equalsIgnoringCase("CAPABILITY") {
            return .capability(words(&scanner).map { $0.uppercased() })
        }
        if word.equalsIgnoringCase("LIST") || word.equalsIgnoringCase("XLIST") {
            return list(&scanner).map { .list($0) } ?? .unknown
        }
        if word.equalsIgnoringCase("STATUS") { return mailboxStatus(&scanner) ?? .unknown }
        if word.equalsIgnoringCase("SEARCH") { return search(&scanner) }
        if word.equalsIgnoringCase("ESEARCH") { return extendedSearch(&scanner) }
        if word.equalsIgnoringCase("VANISHED") { return vanished(&scanner) }
        if word.equalsIgnoringCase("NAMESPACE") { return namespaces(&scanner) }
        if word.equalsIgnoringCase("ID") { return identification(&scanner) }
        return .unknown
    }

    private static func words(_ scanner: inout ResponseScanner) -> [String] {
        var words: [String] = []
        while !scanner.isAtEnd {
            let word = scanner.word()
            if word.isEmpty { _ = scanner.accept(scanner.peek ?? 0) }
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            scanner.skipSpaces()
        }
        return words
    }

    // MARK: FETCH

    private static func fetch(
        _ number: UInt32, _ scanner: inout ResponseScanner, _ bytes: UnsafeBufferPointer<UInt8>,
        _ literals: [(end: Int, content: Literal)]
    ) -> FetchedData {
        var data = FetchedData(sequenceNumber: number)
        if !scanner.accept(0x28) || !attributes(&scanner, &data) {
            // Yandex's BODYSTRUCTURE is unbalanced at times; what we asked for can still be found,
            // since nothing in `bytes` is a message's content.
            salvage(bytes, literals, &data)
        }
        return data
    }

    /// False when the list breaks before its end.
    private static func attributes(_ scanner: inout ResponseScanner, _ data: inout FetchedData) -> Bool {
        while true {
            scanner.skipSpaces()
            if scanner.accept(0x29) { return true }
            guard !scanner.isAtEnd else { return false }
            let name = scanner.attributeName()
            // Mail.ru puts a stray NIL between the attributes.
            if name.equalsIgnoringCase("NIL") { continue }
            guard !name.isEmpty else { return false }
            scanner.skipSpaces()
            if name.equalsIgnoringCase("UID") {
                guard let uid = scanner.number32() else { return false }
                data.uid = uid > 0 ? UID(uid) : nil
            } else if name.equalsIgnoringCase("RFC822.SIZE") {
                guard let size = scanner.number() else { return false }
                data.size = Int(clamping: size)
            } else if name.equalsIgnoringCase("INTERNALDATE") {
                guard let value = scanner.value() else { return false }
                data.internalDate = value.content.flatMap { InternalDate.parse($0) }
            } else if name.equalsIgnoringCase("BODY[]") || name.equalsIgnoringCase("RFC822") {
                guard let value = scanner.value() else { return false }
                data.body = literal(value)
                if case .literal = value { data.isTorn = !scanner.isAtSeparator }
            } else if name.starts(with: "BODY[]<".utf8) {
                let offset = name.dropFirst(7).prefix { $0.decimalDigit != nil }
                guard let value = scanner.value() else { return false }
                data.piece = literal(value).map {
                    (Int(String(decoding: offset, as: UTF8.self)) ?? -1, $0)
                }
                if case .literal = value { data.isTorn = !scanner.isAtSeparator }
            } else if name.equalsIgnoringCase("MODSEQ") {
                guard scanner.accept(0x28) else { return false }
                data.modSequence = scanner.number()
                guard scanner.accept(0x29) else { return false }
            } else if name.starts(with: "X-GM-".utf8) {
                guard gmail(name, &scanner, &data) else { return false }
            } else if !scanner.skipValue() {
                return false
            }
        }
    }

    private static func literal(_ value: ResponseScanner.Value) -> Literal? {
        switch value {
        case .literal(let literal): literal
        case .bytes(let content): .bytes(MessageBytes(content))
        case .null: nil
        }
    }

    private static func gmail(
        _ name: Slice<UnsafeBufferPointer<UInt8>>, _ scanner: inout ResponseScanner, _ data: inout FetchedData
    ) -> Bool {
        var marks = data.gmail ?? GmailMarks()
        if name.equalsIgnoringCase("X-GM-MSGID") || name.equalsIgnoringCase("X-GM-THRID") {
            guard let number = scanner.number() else { return false }
            if name.equalsIgnoringCase("X-GM-MSGID") {
                marks.messageID = number
            } else {
                marks.threadID = number
            }
        } else {
            guard scanner.accept(0x28) else { return scanner.skipValue() }
            while !scanner.accept(0x29) {
                scanner.skipSpaces()
                guard let label = scanner.value() else {
                    if scanner.accept(0x29) { break }
                    return false
                }
                if let content = label.content, content.count <= IMAPLimits.labelBytes,
                    marks.labels.count < IMAPLimits.labels
                {
                    marks.labels.append(
                        ModifiedUTF7.decode(content) ?? String(decoding: content, as: UTF8.self))
                }
            }
        }
        data.gmail = marks
        return true
    }

    /// The message that a response is about which broke off within a literal: its UID, and whether the literal
    /// is its content.
    static func broken(_ text: [UInt8]) -> (uid: UID, isBody: Bool)? {
        text.withUnsafeBufferPointer { bytes in
            var data = FetchedData(sequenceNumber: 0)
            salvage(bytes, [], &data)
            guard let uid = data.uid,
                let brace = bytes.lastIndex(of: UInt8(ascii: "{"))
            else { return nil }
            return (uid, bytes[..<brace].suffix(7).equalsIgnoringCase("BODY[] "))
        }
    }

    private static func salvage(
        _ bytes: UnsafeBufferPointer<UInt8>, _ literals: [(end: Int, content: Literal)],
        _ data: inout FetchedData
    ) {
        if data.body == nil {
            for literal in literals {
                var start = literal.end
                while start > 0, bytes[start - 1] != UInt8(ascii: "{") { start -= 1 }
                guard bytes[..<max(0, start - 1)].suffix(7).equalsIgnoringCase("BODY[] ") else { continue }
                data.body = literal.content
                let next = literal.end < bytes.count ? bytes[literal.end] : 0
                data.isTorn = next != 0x20 && next != 0x29
                break
            }
        }
        guard data.uid == nil else { return }
        var index = 0
        while index + 5 < bytes.count {
            defer { index += 1 }
            guard bytes[index] == 0x20 || bytes[index] == 0x28,
                bytes[(index + 1)..<(index + 5)].equalsIgnoringCase("UID ")
            else { continue }
            var scanner = ResponseScanner(bytes, literals: [], from: index + 5)
            if let uid = scanner.number32(), uid > 0 {
                data.uid = UID(uid)
                return
            }
        }
    }

    // MARK: Folders

    private static func list(_ scanner: inout ResponseScanner) -> ListedName? {
        guard scanner.accept(0x28) else { return nil }
        var attributes: [String] = []
        while !scanner.accept(0x29) {
            guard !scanner.isAtEnd else { return nil }
            let word = scanner.word()
            if word.isEmpty {
                guard scanner.peek == 0x20 else { return nil }
                scanner.skipSpaces()
            } else {
                attributes.append(String(decoding: word, as: UTF8.self))
            }
        }
        scanner.skipSpaces()
        guard let delimiter = scanner.value() else { return nil }
        scanner.skipSpaces()
        guard let name = folderName(&scanner) else { return nil }
        return ListedName(attributes: attributes, delimiter: delimiter.content?.first, wireName: name)
    }

    /// A folder may be called NIL; here that is a name.
    private static func folderName(_ scanner: inout ResponseScanner) -> [UInt8]? {
        let start = scanner.position
        guard let value = scanner.value() else { return nil }
        return value.content ?? (scanner.position == start + 3 ? Array("NIL".utf8) : nil)
    }

    private static func mailboxStatus(_ scanner: inout ResponseScanner) -> Response? {
        guard let name = folderName(&scanner) else { return nil }
        scanner.skipSpaces()
        guard scanner.accept(0x28) else { return nil }
        var items: [String: UInt64] = [:]
        while !scanner.accept(0x29) {
            scanner.skipSpaces()
            let item = scanner.word()
            guard !item.isEmpty else { return nil }
            scanner.skipSpaces()
            if scanner.peek == 0x28 {
                guard scanner.skipValue() else { return nil }
            } else {
                guard let number = scanner.number() else { return nil }
                items[String(decoding: item, as: UTF8.self).uppercased()] = number
            }
            scanner.skipSpaces()
        }
        return .mailboxStatus(name, items)
    }

    private static func namespaces(_ scanner: inout ResponseScanner) -> Response {
        func prefixes() -> [[UInt8]] {
            scanner.skipSpaces()
            guard scanner.accept(0x28) else {
                _ = scanner.value()
                return []
            }
            var found: [[UInt8]] = []
            while scanner.accept(0x28) {
                if let prefix = scanner.value()?.content { found.append(prefix) }
                scanner.skipSpaces()
                _ = scanner.value()
                scanner.skipSpaces()
                // Namespace extensions.
                while !scanner.isAtEnd, scanner.peek != 0x29 {
                    guard scanner.skipValue() else { return found }
                    scanner.skipSpaces()
                }
                _ = scanner.accept(0x29)
                scanner.skipSpaces()
            }
            _ = scanner.accept(0x29)
            return found
        }
        return .namespace(Namespaces(personal: prefixes(), otherUsers: prefixes(), shared: prefixes()))
    }

    private static func identification(_ scanner: inout ResponseScanner) -> Response {
        var fields: [String: String] = [:]
        guard scanner.accept(0x28) else { return .identification([:]) }
        while !scanner.isAtEnd, !scanner.accept(0x29), fields.count < 30 {
            scanner.skipSpaces()
            guard let key = scanner.value()?.content else { break }
            scanner.skipSpaces()
            guard let value = scanner.value() else { break }
            if let content = value.content {
                fields[String(decoding: key.prefix(100), as: UTF8.self).lowercased()] =
                    String(decoding: content.prefix(1000), as: UTF8.self)
            }
            scanner.skipSpaces()
        }
        return .identification(fields)
    }

    // MARK: Search

    private static func search(_ scanner: inout ResponseScanner) -> Response {
        var ranges: [ClosedRange<UInt32>] = []
        while let number = scanner.number32() {
            append(number...number, to: &ranges)
            scanner.skipSpaces()
        }
        return .search(ranges)
    }

    private static func extendedSearch(_ scanner: inout ResponseScanner) -> Response {
        var ranges: [ClosedRange<UInt32>] = []
        if scanner.peek == 0x28, !scanner.skipValue() { return .unknown }
        scanner.skipSpaces()
        while !scanner.isAtEnd {
            let name = scanner.word()
            scanner.skipSpaces()
            if name.equalsIgnoringCase("UID") { continue }
            guard name.equalsIgnoringCase("ALL") else {
                guard !name.isEmpty, scanner.skipValue() else { return .search(ranges) }
                scanner.skipSpaces()
                continue
            }
            sequenceSet(&scanner, into: &ranges)
            scanner.skipSpaces()
        }
        return .search(ranges)
    }

    private static func vanished(_ scanner: inout ResponseScanner) -> Response {
        var isEarlier = false
        if scanner.accept(0x28) {
            isEarlier = scanner.word().equalsIgnoringCase("EARLIER")
            guard scanner.accept(0x29) else { return .unknown }
            scanner.skipSpaces()
        }
        var ranges: [ClosedRange<UInt32>] = []
        sequenceSet(&scanner, into: &ranges)
        return .vanished(ranges, earlier: isEarlier)
    }

    private static func sequenceSet(
        _ scanner: inout ResponseScanner, into ranges: inout [ClosedRange<UInt32>]
    ) {
        while let first = scanner.number32() {
            var last = first
            if scanner.accept(UInt8(ascii: ":")) { last = scanner.number32() ?? first }
            append(min(first, last)...max(first, last), to: &ranges)
            guard scanner.accept(UInt8(ascii: ",")) else { break }
        }
    }

    /// Neighbours become one range, so that a dense mailbox of a million costs one.
    private static func append(_ range: ClosedRange<UInt32>, to ranges: inout [ClosedRange<UInt32>]) {
        guard range.lowerBound > 0 else { return }
        if let last = ranges.last, last.upperBound < .max, range.lowerBound == last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...range.upperBound
        } else {
            ranges.append(range)
        }
    }
}
