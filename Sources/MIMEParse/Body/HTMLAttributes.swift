/// What the attributes of an element say to a reader: libxml2's list of names and
/// values, valid during its event.
struct HTMLAttributes {
    private let list: UnsafeMutablePointer<UnsafePointer<UInt8>?>?

    init(_ list: UnsafeMutablePointer<UnsafePointer<UInt8>?>?) { self.list = list }

    struct Effects {
        /// Not shown by any mail program: preheaders, and text for spam filters.
        var isHidden = false
        /// Line ends are shown as they stand, as in `pre`.
        var keepsLines = false
    }

    var effects: Effects {
        var effects = Effects()
        forEach { name, value in
            if name.equalsIgnoringCase("hidden") { effects.isHidden = true }
            guard name.equalsIgnoringCase("style") else { return }
            let style = value.filter { !Octet.isSpace($0) }
            style.withUnsafeBytes {
                // Not `mso-hide:all`, which hides in Outlook alone, mostly a second drawing of a button.
                if $0.containsIgnoringCase("display:none") || $0.containsIgnoringCase("visibility:hidden") {
                    effects.isHidden = true
                }
                // Not a size of 0 in letters, which newsletters give the cells around their text.
                if Self.isZero("opacity:", in: $0)
                    || Self.isZero("max-height:", in: $0) && $0.containsIgnoringCase("overflow:hidden")
                {
                    effects.isHidden = true
                }
                if $0.containsIgnoringCase("white-space:pre") { effects.keepsLines = true }
            }
        }
        return effects
    }

    /// Whether a property's value is 0, of whichever unit; `name` with its colon, in a style without blanks.
    private static func isZero(_ name: StaticString, in style: UnsafeRawBufferPointer) -> Bool {
        let length = name.utf8CodeUnitCount
        for start in style.indices where start == 0 || style[start - 1] == Octet.semicolon {
            guard style.slice(start..<style.count).hasPrefixIgnoringCase(name) else { continue }
            let value = style.slice((start + length)..<style.count).prefix { $0 != Octet.semicolon }
            let number = value.prefix { Octet.isDigit($0) || $0 == Octet.dot }
            return !number.isEmpty && number.allSatisfy { $0 == 0x30 || $0 == Octet.dot }
        }
        return false
    }

    /// A block quotation that a mail program made; others are mere indents.
    var areOfQuotedMail: Bool {
        var isQuote = false
        forEach { name, value in
            if name.equalsIgnoringCase("cite") { isQuote = true }
            if name.equalsIgnoringCase("type"), value.equalsIgnoringCase("cite") { isQuote = true }
            if name.equalsIgnoringCase("class"), value.containsIgnoringCase("quote") { isQuote = true }
            if name.equalsIgnoringCase("style"), value.containsIgnoringCase("border-left") { isQuote = true }
        }
        return isQuote
    }

    private func forEach(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        guard var cursor = list else { return }
        while let name = cursor[0] {
            body(
                Self.octets(name), cursor[1].map(Self.octets) ?? UnsafeRawBufferPointer(start: nil, count: 0))
            cursor += 2
        }
    }

    /// Up to the longest style that says anything to us.
    private static func octets(_ text: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
        var count = 0
        while count < 4096, text[count] != 0 { count += 1 }
        return UnsafeRawBufferPointer(start: text, count: count)
    }
}
