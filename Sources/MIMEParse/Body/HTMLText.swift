import CXML2
import MailModel

/// HTML to readable text through libxml2's HTML parser in its event form: no tree,
/// no network, no entities from outside.
public enum HTMLText {
    /// `html` in UTF-8. Blocks and <br> become lines, scripts and styles are dropped,
    /// links keep their text. At most `limit` octets come out; false when the
    /// document was too odd for the parser, or too long, and was read only in part.
    public static func convert(_ html: [UInt8], limit: Int, into result: inout [UInt8]) -> Bool {
        guard !html.isEmpty else { return true }
        var html = html
        HTMLAttributeLimit.bound(&html)
        HTMLEndTagLimit.bound(&html)
        let (isComplete, hasHidden) = convert(html, limit: limit, showsHidden: false, into: &result)
        // A mail of nothing but hidden text says at least that.
        guard result.isEmpty, hasHidden else { return isComplete }
        return convert(html, limit: limit, showsHidden: true, into: &result).isComplete
    }

    /// libxml2 makes its locks at its first use, and loses one of them when two threads are the first.
    private static let parserIsReady: Void = xmlInitParser()

    private static func convert(
        _ html: [UInt8], limit: Int, showsHidden: Bool, into result: inout [UInt8]
    ) -> (isComplete: Bool, hasHidden: Bool) {
        let input = min(html.count, 4 * limit, 1 << 26)
        _ = parserIsReady
        // The context holds its own copy of the octets.
        let context = html.withUnsafeBytes { bytes in
            htmlCreateMemoryParserCtxt(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(input))
        }
        guard let context else { return (false, false) }
        var events = xmlSAXHandler()
        events.startElement = { data, name, attributes in
            if let name { Collector.of(data)?.pointee.start(name, HTMLAttributes(attributes)) }
        }
        events.endElement = { data, name in
            if let name { Collector.of(data)?.pointee.end(name) }
        }
        let characters: charactersSAXFunc = { data, text, count in
            guard let text else { return }
            Collector.of(data)?.pointee.characters(UnsafeRawBufferPointer(start: text, count: Int(count)))
        }
        events.characters = characters
        events.cdataBlock = characters
        events.ignorableWhitespace = characters
        var collector = Collector(limit: limit, showsHidden: showsHidden, context: context)
        withUnsafeMutablePointer(to: &events) { events in
            withUnsafeMutablePointer(to: &collector) { collector in
                let original = context.pointee.sax
                context.pointee.sax = events
                context.pointee.userData = UnsafeMutableRawPointer(collector)
                htmlCtxtUseOptions(
                    context,
                    Int32(
                        HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
                            | HTML_PARSE_NONET.rawValue
                            | HTML_PARSE_RECOVER.rawValue | HTML_PARSE_IGNORE_ENC.rawValue))
                xmlSwitchEncoding(context, XML_CHAR_ENCODING_UTF8)
                htmlParseDocument(context)
                context.pointee.sax = original
            }
        }
        htmlFreeParserCtxt(context)
        collector.finish(into: &result)
        return (!collector.isStopped && input == html.count, collector.hasHidden)
    }

    /// Builds the text from the parser's events, which come through a pointer.
    private struct Collector {
        private var text: [UInt8] = []
        private let limit: Int
        private var depth = 0
        /// Depth inside elements whose content is not text.
        private var hidden = 0
        private var preformatted = 0
        private let showsHidden: Bool
        /// Depth of the element whose style hides it and all within.
        private var hiddenFrom: Int?
        private(set) var hasHidden = false
        /// Depths of the quotations of earlier mail around.
        private var quotes: [Int] = []
        /// For each list around, the number of its last item; nil in lists with bullets.
        private var lists: [Int?] = []
        private var pendingSpace = false
        private var pendingLines = 0
        private(set) var isStopped = false
        private let context: htmlParserCtxtPtr

        /// libxml2 searches its stack of open elements at each end tag. Browsers nest no deeper.
        private static let maximumDepth = 512

        init(limit: Int, showsHidden: Bool, context: htmlParserCtxtPtr) {
            self.limit = limit
            self.showsHidden = showsHidden
            self.context = context
        }

        @inline(__always)
        static func of(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Collector>? {
            data?.assumingMemoryBound(to: Collector.self)
        }

        mutating func start(_ name: UnsafePointer<UInt8>, _ attributes: HTMLAttributes) {
            depth += 1
            if depth > Self.maximumDepth || text.count >= limit {
                isStopped = true
                xmlStopParser(context)
            }
            if hiddenFrom == nil, !showsHidden, attributes.areHidden {
                hiddenFrom = depth
                hasHidden = true
            }
            if hiddenFrom != nil { return }
            switch Element(name) {
            case .hidden: hidden += 1
            case .list(let isNumbered):
                breakLine(lists.isEmpty ? 2 : 1)
                lists.append(isNumbered ? 0 : nil)
            case .item:
                breakLine(1)
                mark()
            case .quotation:
                breakLine(2)
                if attributes.areOfQuotedMail { quotes.append(depth) }
            case .lineBreak: text.append(contentsOf: lines(1, forced: true))
            case .preformatted:
                preformatted += 1
                breakLine(1)
            case .paragraph: breakLine(2)
            case .block: breakLine(1)
            case .cell: pendingSpace = true
            case .inline: break
            }
        }

        mutating func end(_ name: UnsafePointer<UInt8>) {
            depth -= 1
            if let from = hiddenFrom {
                if depth < from { hiddenFrom = nil }
                return
            }
            switch Element(name) {
            case .hidden: hidden = max(0, hidden - 1)
            case .list:
                _ = lists.popLast()
                breakLine(lists.isEmpty ? 2 : 1)
            case .item: breakLine(1)
            case .quotation:
                breakLine(2)
                while let last = quotes.last, last > depth { quotes.removeLast() }
            case .preformatted:
                preformatted = max(0, preformatted - 1)
                breakLine(1)
            case .paragraph: breakLine(2)
            case .block: breakLine(1)
            case .cell: pendingSpace = true
            case .inline, .lineBreak: break
            }
        }

        mutating func characters(_ bytes: UnsafeRawBufferPointer) {
            guard hidden == 0, hiddenFrom == nil, text.count < limit else { return }
            var index = 0
            while index < bytes.count {
                let start = index
                while index < bytes.count, bytes[index] > 0x20, bytes[index] != 0xC2 { index += 1 }
                if index > start {
                    flush()
                    text.append(contentsOf: bytes.slice(start..<index))
                    continue
                }
                let byte = bytes[index]
                // A no-break space is a space to a reader.
                let isNoBreak = byte == 0xC2 && index + 1 < bytes.count && bytes[index + 1] == 0xA0
                index += isNoBreak ? 2 : 1
                if preformatted > 0, byte == Octet.lf {
                    text.append(contentsOf: lines(1, forced: true))
                } else if isNoBreak || Octet.isSpace(byte) {
                    if preformatted > 0, byte != Octet.cr {
                        flush()
                        text.append(Octet.space)
                    } else {
                        pendingSpace = true
                    }
                } else if byte >= 0x20 {
                    flush()
                    text.append(byte)
                }
            }
        }

        mutating func finish(into result: inout [UInt8]) {
            while let last = text.last, Octet.isSpace(last) { text.removeLast() }
            result.append(contentsOf: text[..<UTF8Text.prefixLength(text, limit: limit)])
        }

        private mutating func breakLine(_ count: Int) {
            pendingSpace = false
            if !text.isEmpty { pendingLines = max(pendingLines, count) }
        }

        /// Writes the white space that is due before the next character.
        private mutating func flush() {
            guard pendingLines > 0 || pendingSpace || !quotes.isEmpty else { return }
            if pendingLines > 0 {
                text.append(contentsOf: lines(pendingLines, forced: false))
            } else if pendingSpace, let last = text.last, last != Octet.lf, last != Octet.space {
                text.append(Octet.space)
            }
            pendingSpace = false
            pendingLines = 0
            // Quoted mail keeps its mark, as in plain text.
            if !quotes.isEmpty, text.isEmpty || text.last == Octet.lf {
                for _ in 0..<min(quotes.count, 8) { text.append(Octet.greater) }
                text.append(Octet.space)
            }
        }

        /// A bullet or the next number in front of a list's item.
        private mutating func mark() {
            guard hidden == 0, let list = lists.last, text.count < limit else { return }
            flush()
            if let number = list {
                lists[lists.count - 1] = number + 1
                text.append(contentsOf: "\(number + 1). ".utf8)
            } else {
                text.append(contentsOf: "- ".utf8)
            }
        }

        /// Line ends so that at least `count` (or, forced, one more) stand at the end.
        private mutating func lines(_ count: Int, forced: Bool) -> [UInt8] {
            pendingSpace = false
            while let last = text.last, last == Octet.space { text.removeLast() }
            if forced {
                let due = pendingLines
                pendingLines = 0
                return [UInt8](repeating: Octet.lf, count: min(2, max(due, 0)) + count)
            }
            var present = 0
            for byte in text.reversed() {
                guard byte == Octet.lf, present < count else { break }
                present += 1
            }
            return [UInt8](repeating: Octet.lf, count: count - present)
        }
    }

    /// What an element does to the text.
    private enum Element {
        case inline, block, paragraph, lineBreak, cell, hidden, preformatted, item, quotation
        case list(isNumbered: Bool)

        init(_ name: UnsafePointer<UInt8>) {
            var key: UInt64 = 0
            var length = 0
            while name[length] != 0, length < 9 {
                key = key << 8 | UInt64(Octet.lowercased(name[length]))
                length += 1
            }
            self = length <= 8 ? Self.table[key] ?? .inline : Self.long(name)
        }

        private static func long(_ name: UnsafePointer<UInt8>) -> Element {
            let text = String(cString: name).lowercased()
            return text == "blockquote" ? .quotation : text == "figcaption" ? .paragraph : .inline
        }

        private static let table: [UInt64: Element] = {
            var table: [UInt64: Element] = [:]
            func add(_ element: Element, _ names: String) {
                for name in names.split(separator: " ") {
                    table[name.utf8.reduce(0) { $0 << 8 | UInt64($1) }] = element
                }
            }
            add(.hidden, "script style title template")
            add(.lineBreak, "br")
            add(.preformatted, "pre listing xmp")
            add(.paragraph, "p h1 h2 h3 h4 h5 h6 dl table hr")
            add(.list(isNumbered: false), "ul menu dir")
            add(.list(isNumbered: true), "ol")
            add(.item, "li")
            add(
                .block,
                "div tr dt dd address article aside center details dialog fieldset figure footer form "
                    + "header legend main nav section summary caption tbody thead tfoot body html")
            add(.cell, "td th")
            return table
        }()
    }
}
