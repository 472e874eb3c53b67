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
        if html.count > Self.inputLimit(limit) { HTMLPictures.remove(from: &html) }
        HTMLDeclarations.remove(from: &html)
        HTMLAttributeLimit.bound(&html)
        HTMLEndTagLimit.bound(&html)
        let (isComplete, hasHidden) = convert(html, limit: limit, showsHidden: false, into: &result)
        // A mail of nothing but hidden text says at least that.
        guard result.isEmpty, hasHidden else { return isComplete }
        return convert(html, limit: limit, showsHidden: true, into: &result).isComplete
    }

    /// Octets of HTML that are read for `limit` octets of text.
    private static func inputLimit(_ limit: Int) -> Int { min(4 * limit, 1 << 26) }

    /// libxml2 makes its locks at its first use, and loses one of them when two threads are the first.
    private static let parserIsReady: Void = xmlInitParser()

    private static func convert(
        _ html: [UInt8], limit: Int, showsHidden: Bool, into result: inout [UInt8]
    ) -> (isComplete: Bool, hasHidden: Bool) {
        let input = min(html.count, inputLimit(limit))
        _ = parserIsReady
        var collector = Collector(limit: limit, showsHidden: showsHidden)
        var start = 0
        var rounds = 0
        repeat {
            guard parse(html, start..<input, into: &collector) else { return (false, false) }
            guard let place = collector.tooDeepAt, rounds < maximumRounds else { break }
            // The tag that lay too deep is read again: it may be a script's.
            start = html.withUnsafeBytes { tagStart($0, before: start + place, notBefore: start) }
            rounds += 1
            collector.goOn()
        } while start < input
        collector.finish(into: &result)
        return (!collector.isStopped && input == html.count, collector.hasHidden)
    }

    /// How often the reading begins anew below elements that lie too deep.
    private static let maximumRounds = 16

    /// Where the tag begins in which, or behind which, a place lies.
    private static func tagStart(_ bytes: UnsafeRawBufferPointer, before place: Int, notBefore limit: Int)
        -> Int
    {
        var cursor = min(place, bytes.count) - 1
        while cursor > limit, bytes[cursor] != Octet.less { cursor -= 1 }
        return cursor > limit ? cursor : place
    }

    /// One run of libxml2 over a range of the octets; false where it could not begin.
    private static func parse(_ html: [UInt8], _ range: Range<Int>, into collector: inout Collector) -> Bool {
        // The context holds its own copy of the octets.
        let context = html.withUnsafeBytes { bytes in
            htmlCreateMemoryParserCtxt(
                bytes.slice(range).baseAddress?.assumingMemoryBound(to: CChar.self), Int32(range.count))
        }
        guard let context else { return false }
        collector.context = context
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
        collector.context = nil
        return true
    }

    /// Builds the text from the parser's events, which come through a pointer.
    private struct Collector {
        private var text: [UInt8] = []
        private let limit: Int
        private var depth = 0
        /// Depth inside elements whose content is not text.
        private var hidden = 0
        private var preformatted = 0
        /// Depths of the elements whose style makes them so.
        private var keepingLines: [Int] = []
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
        /// Quotations that were open where the reading began anew.
        private var outerQuotes = 0
        private(set) var isStopped = false
        /// Octets that libxml2 had read when it was stopped because elements lay too deep; nil where it was not.
        private(set) var tooDeepAt: Int?
        /// Of the run that is going on.
        var context: htmlParserCtxtPtr?

        /// libxml2 searches its stack of open elements at each end tag. Browsers nest no deeper: they close the
        /// innermost ones. Lines with a `<font>` each that nobody closes, and long chains of answers, get there.
        private static let maximumDepth = 512

        init(limit: Int, showsHidden: Bool) {
            self.limit = limit
            self.showsHidden = showsHidden
        }

        /// Goes on with what follows, as if all elements but the quotations were closed.
        mutating func goOn() {
            tooDeepAt = nil
            isStopped = false
            depth = 0
            hidden = 0
            preformatted = 0
            keepingLines = []
            hiddenFrom = nil
            lists = []
            outerQuotes += quotes.count
            quotes = []
        }

        @inline(__always)
        static func of(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Collector>? {
            data?.assumingMemoryBound(to: Collector.self)
        }

        mutating func start(_ name: UnsafePointer<UInt8>, _ attributes: HTMLAttributes) {
            if isStopped { return }
            depth += 1
            if depth > Self.maximumDepth || text.count >= limit {
                isStopped = true
                if text.count < limit { tooDeepAt = max(0, xmlByteConsumed(context)) }
                xmlStopParser(context)
                if tooDeepAt != nil { return }
            }
            if hiddenFrom != nil { return }
            let effects = attributes.effects
            if effects.isHidden, !showsHidden {
                hiddenFrom = depth
                hasHidden = true
                return
            }
            if effects.keepsLines {
                preformatted += 1
                keepingLines.append(depth)
            }
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
            if tooDeepAt != nil { return }
            depth -= 1
            if let from = hiddenFrom {
                if depth < from { hiddenFrom = nil }
                return
            }
            while let last = keepingLines.last, last > depth {
                keepingLines.removeLast()
                preformatted = max(0, preformatted - 1)
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
            guard hidden == 0, hiddenFrom == nil, tooDeepAt == nil, text.count < limit else { return }
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
                if byte == 0xC2, index + 1 < bytes.count, bytes[index + 1] < 0xA0 {
                    // Entities such as `&#150;` mean windows-1252 (HTML 5, 13.2.5.80).
                    flush()
                    withUnsafeBytes(of: bytes[index + 1]) { _ = Charset.windows1252.decode($0, into: &text) }
                    index += 2
                    continue
                }
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
            let marks = outerQuotes + quotes.count
            guard pendingLines > 0 || pendingSpace || marks > 0 else { return }
            if pendingLines > 0 {
                text.append(contentsOf: lines(pendingLines, forced: false))
            } else if pendingSpace, let last = text.last, last != Octet.lf, last != Octet.space {
                text.append(Octet.space)
            }
            pendingSpace = false
            pendingLines = 0
            // Quoted mail keeps its mark, as in plain text.
            if marks > 0, text.isEmpty || text.last == Octet.lf {
                for _ in 0..<min(marks, 8) { text.append(Octet.greater) }
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
