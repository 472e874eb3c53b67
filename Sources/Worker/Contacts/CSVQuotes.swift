/// Finds quotes that a CSV file (RFC 4180) must not have.
enum CSVQuotes {
    private enum State {
        case cellBegins, plain, plainQuote, quoted, quotedQuote
    }

    /// The row, counted from 1, whose quoted cell is never closed or goes on behind its
    /// closing quote, or whose bare cell holds a single quote; nil when there is none.
    static func firstBrokenRow(of text: String, delimiter: Character) -> Int? {
        let delimiter = delimiter.asciiValue ?? UInt8(ascii: ",")
        let quote = UInt8(ascii: "\"")
        var state = State.cellBegins
        var row = 1
        for byte in text.utf8 {
            switch (state, byte) {
            case (.quoted, quote): state = .quotedQuote
            case (.quoted, _): break
            case (.quotedQuote, quote): state = .quoted
            case (.plainQuote, quote): state = .plain
            case (.plainQuote, _): return row
            case (_, UInt8(ascii: "\n")):
                row += 1
                state = .cellBegins
            case (_, delimiter): state = .cellBegins
            case (.cellBegins, quote): state = .quoted
            case (.plain, quote): state = .plainQuote
            case (.cellBegins, 0x20), (.cellBegins, 0x0D), (.quotedQuote, 0x20), (.quotedQuote, 0x0D): break
            case (.quotedQuote, _): return row
            case (.cellBegins, _), (.plain, _): state = .plain
            }
        }
        return state == .quoted || state == .plainQuote ? row : nil
    }
}
