public import MailModel

/// What a person typed to search for, as an expression of the full-text index. Pure.
///
/// Words that stand side by side must all occur, in any of their forms. `"several words"` stand
/// together in this order, `begin*` begins a word, `-word` must not occur, `one OR other` takes
/// either. Nothing else has a meaning: every character may be typed.
public struct SearchQuery: Sendable, Hashable {
    /// In FTS5's language, each term quoted.
    let expression: String

    /// - Throws: `value.invalid` when nothing is left to look for.
    public init(_ text: String) throws(MailFailure) {
        var wanted: [[String]] = []
        var unwanted: [String] = []
        var joins = false
        for term in Self.terms(of: text) {
            if term.isOperator {
                joins = !wanted.isEmpty
                continue
            }
            if term.isUnwanted {
                unwanted.append(term.quoted)
            } else if joins, !wanted.isEmpty {
                wanted[wanted.count - 1].append(term.quoted)
            } else {
                wanted.append([term.quoted])
            }
            joins = false
        }
        guard !wanted.isEmpty else {
            throw .invalid(
                "There is nothing to search for",
                remedy: "Give at least one word that must occur; quotes keep several together.")
        }
        var expression = wanted.map { $0.count == 1 ? $0[0] : "(\($0.joined(separator: " OR ")))" }
            .joined(separator: " AND ")
        if !unwanted.isEmpty { expression = "(\(expression)) NOT (\(unwanted.joined(separator: " OR ")))" }
        self.expression = expression
    }

    /// The expression, looked for in these columns only.
    func within(_ columns: [String]) -> String { "{\(columns.joined(separator: " "))} : (\(expression))" }

    private struct Term {
        var text: String
        var isUnwanted = false
        var isPhrase = false
        var isPrefix = false

        var isOperator: Bool { !isPhrase && !isUnwanted && text == "OR" }

        var quoted: String {
            "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
                + "\""
                + (isPrefix ? " *" : "")
        }
    }

    private static func terms(of text: String) -> [Term] {
        var terms: [Term] = []
        // A NUL ends the text that SQLite sees, in the midst of a term.
        var rest = Substring(text.precomposed.replacing("\0", with: " "))
        while true {
            rest = rest.drop(while: \.isWhitespace)
            guard let first = rest.first else { return terms }
            var term = Term(text: "")
            if first == "-", rest.dropFirst().first.map({ !$0.isWhitespace }) == true {
                term.isUnwanted = true
                rest = rest.dropFirst()
            }
            if rest.first == "\"" {
                term.isPhrase = true
                rest = rest.dropFirst()
                term.text = String(rest.prefix { $0 != "\"" })
                rest = rest.dropFirst(term.text.count + 1)
            } else {
                term.text = String(rest.prefix { !$0.isWhitespace })
                rest = rest.dropFirst(term.text.count)
                while term.text.hasSuffix("*") {
                    term.text.removeLast()
                    term.isPrefix = true
                }
            }
            // Without a letter or digit it would match nothing, and the whole query with it.
            if term.text.contains(where: { $0.isLetter || $0.isNumber }) { terms.append(term) }
        }
    }
}
