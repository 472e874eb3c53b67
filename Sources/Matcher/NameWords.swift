import Foundation

/// A person's or company's name as a set of words that is the same in Cyrillic and Latin
/// letters, in either order, with or without the patronymic.
///
/// It is coarse on purpose: equal keys suggest that two names mean one, they never prove it.
public struct NameWords: Sendable, Hashable {
    /// In Latin letters, sorted, each once.
    public let words: [String]

    /// The words with spaces between them; empty for a name without letters.
    public var key: String { words.joined(separator: " ") }

    public init(_ name: some StringProtocol) {
        var words = Self.pieces(of: name).map(Self.latin)
        if words.count >= 3 {
            words.removeAll(where: Self.isPatronymic)
        }
        self.words = Set(words.filter { !$0.isEmpty }).sorted()
    }

    /// Whether two names mean one person or company as far as names can say: in any order and alphabet the same words,
    /// with the same numbers, and with no two patronymics. Shops and branches differ in a number, cousins in a patronymic.
    public static func agree(_ one: some StringProtocol, _ other: some StringProtocol) -> Bool {
        let words = NameWords(one)
        guard !words.words.isEmpty, words == NameWords(other), numbers(in: one) == numbers(in: other) else {
            return false
        }
        let (first, second) = (patronymics(in: one), patronymics(in: other))
        return first.isEmpty || second.isEmpty || first == second
    }

    private static func numbers(in name: some StringProtocol) -> [String] {
        name.lowercased().split { !$0.isNumber }.map(String.init).sorted()
    }

    private static func patronymics(in name: some StringProtocol) -> [String] {
        pieces(of: name).map(latin).filter(isPatronymic).sorted()
    }

    private static func isPatronymic(_ word: String) -> Bool {
        patronymicEndings.contains { word.hasSuffix($0) }
    }

    /// Runs of letters in lower case; everything else separates.
    private static func pieces(of text: some StringProtocol) -> [String] {
        text.lowercased().split { !$0.isLetter }.map(String.init)
    }

    private static let patronymicEndings = ["ovich", "evich", "ovna", "evna", "ichna", "inichna"]

    /// One spelling for the many ways in which Russian names are written in Latin letters.
    private static func latin(_ word: String) -> String {
        var text = ""
        for scalar in word.decomposedStringWithoutMarks.unicodeScalars {
            if let letters = cyrillic[scalar] {
                text += letters
            } else if scalar == "y" || scalar == "j" {
                text += "i"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var letters = Array(text.utf8)
        for spelling in consonants { spelling.replace(in: &letters) }
        var single: [UInt8] = []
        for letter in letters where letter != single.last { single.append(letter) }
        for spelling in vowels { spelling.replace(in: &single) }
        return String(decoding: single, as: UTF8.self)
    }

    /// One of several ways to write a sound, in ASCII letters.
    private struct Spelling {
        let letters, plain: [UInt8]

        init(_ letters: String, _ plain: String) {
            self.letters = Array(letters.utf8)
            self.plain = Array(plain.utf8)
        }

        /// Puts the plain way in its place, wherever it stands.
        func replace(in text: inout [UInt8]) {
            var index = 0
            while let first = text[index...].firstIndex(of: letters[0]) {
                index = first + 1
                guard text[first...].starts(with: letters) else { continue }
                text.replaceSubrange(first..<first + letters.count, with: plain)
                index = first + plain.count
            }
        }
    }

    private static let consonants = [
        Spelling("shch", "sch"), Spelling("kh", "h"), Spelling("zh", "z"), Spelling("ck", "k"),
        Spelling("ts", "c"), Spelling("tz", "c"), Spelling("x", "ks"), Spelling("ph", "f"),
        Spelling("w", "v"),
        Spelling("th", "t"),
    ]
    private static let vowels = [
        Spelling("iu", "u"), Spelling("ia", "a"), Spelling("ie", "e"), Spelling("io", "o"),
    ]

    private static let cyrillic: [Unicode.Scalar: String] = [
        "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "ё": "e", "є": "e", "ж": "zh",
        "з": "z", "и": "i", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
        "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ў": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch",
        "ш": "sh", "щ": "sch", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    ]
}

extension String {
    /// Accents taken off letters: `é` is `e`, and `й` stays what it is.
    var decomposedStringWithoutMarks: String {
        guard utf8.contains(where: { $0 >= 0x80 }) else { return self }
        var result = String.UnicodeScalarView()
        for character in precomposedStringWithCanonicalMapping.unicodeScalars {
            if (0x400...0x52F).contains(character.value) {
                result.append(character)
                continue
            }
            let parts = String(character).decomposedStringWithCompatibilityMapping.unicodeScalars
            result.append(contentsOf: parts.filter { $0.properties.generalCategory != .nonspacingMark })
        }
        return String(result)
    }
}
