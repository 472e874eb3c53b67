import MailModel

/// How a domain or a local part looks to somebody who reads quickly: letters that are taken
/// for one another are one letter here.
///
/// It warns and never links: two people may have addresses that look alike.
public struct Look: Hashable, Sendable {
    /// Small Latin letters and whatever resembles none of them.
    public let text: String

    /// - Parameter name: a domain in A-labels or in Unicode, or a local part.
    public init(_ name: some StringProtocol) {
        text = String(String.UnicodeScalarView(Self.joined(Self.letters(of: name))))
    }

    /// Each by itself: a pair that is read as one letter is two here.
    static func letters(of name: some StringProtocol) -> [Unicode.Scalar] {
        asciiLetters(of: name)
            ?? unicode(name).decomposedStringWithoutMarks.unicodeScalars.map { alike[$0] ?? $0 }
    }

    /// The same for most names that there are, for a fraction of the time: hundreds are read for a message.
    /// Nil when the name has other letters, or may have them in an A-label.
    private static func asciiLetters(of name: some StringProtocol) -> [Unicode.Scalar]? {
        var letters: [Unicode.Scalar] = []
        letters.reserveCapacity(name.utf8.count)
        var hyphens = 0
        for byte in name.utf8 {
            guard byte < 0x80 else { return nil }
            hyphens = byte == UInt8(ascii: "-") ? hyphens + 1 : 0
            guard hyphens < 2 else { return nil }
            letters.append(asciiAlike[Int(byte)])
        }
        return letters
    }

    /// With pairs that are read as one letter.
    static func joined(_ letters: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var scalars = letters
        for (first, second, letter) in pairs { join(first, second, into: letter, in: &scalars) }
        return scalars
    }

    private static let pairs: [(Unicode.Scalar, Unicode.Scalar, Unicode.Scalar)] = [
        ("r", "n", "m"), ("v", "v", "w"), ("c", "l", "d"),
    ]

    private static func join(
        _ first: Unicode.Scalar, _ second: Unicode.Scalar, into letter: Unicode.Scalar,
        in scalars: inout [Unicode.Scalar]
    ) {
        guard scalars.contains(first) else { return }
        var kept = 0
        var index = 0
        while index < scalars.count {
            let isPair =
                scalars[index] == first && index + 1 < scalars.count && scalars[index + 1] == second
            scalars[kept] = isPair ? letter : scalars[index]
            kept += 1
            index += isPair ? 2 : 1
        }
        scalars.removeLast(scalars.count - kept)
    }

    /// What two names have in common, seen by a hasty reader.
    public enum Resemblance: String, Sendable, Hashable, Codable {
        /// Letters that look the same: `0` for `o`, `rn` for `m`, Cyrillic for Latin.
        case sameLetters = "same-letters"
        /// One letter is added, left out, another one, or changed places with its neighbour.
        case oneLetter = "one-letter"
        /// Cyrillic and Latin letters in one word.
        case mixedAlphabets = "mixed-alphabets"
        /// The same name under another ending: `acme.com` for `acme.ru`.
        case otherEnding = "other-ending"
        /// The known domain stands in it, before another one: `acme.ru.evil.com`.
        case enclosedName = "enclosed-name"
        /// A word stands behind or before the known name: `acme-support.ru`.
        case addedWord = "added-word"
        /// The known address is written as the name of its owner.
        case addressAsName = "address-as-name"
    }

    /// Nil when nobody would take one for the other, or when they are equal.
    public static func resemblance(of name: some StringProtocol, to known: some StringProtocol)
        -> Resemblance?
    {
        resemblance(of: Reading(name), to: Reading(known))
    }

    /// Names that are shorter differ in one letter too often to mean anything.
    public static let minimumLength = 7

    /// Whether a label or local part has Cyrillic and Latin letters side by side.
    public static func mixesAlphabets(_ name: some StringProtocol) -> Bool {
        Self.unicode(name).split { $0 == "." || $0 == "-" || $0 == "_" }.contains { label in
            var latin = false
            var cyrillic = false
            for scalar in label.unicodeScalars {
                if (0x400...0x52F).contains(scalar.value) { cyrillic = true }
                if scalar.isASCII, scalar.properties.isAlphabetic { latin = true }
            }
            return latin && cyrillic
        }
    }

    /// A-labels read back into letters, all in lower case.
    static func unicode(_ name: some StringProtocol) -> String {
        let lower = name.lowercased()
        guard lower.contains("xn--") else { return lower }
        return lower.split(separator: ".", omittingEmptySubsequences: false).map { label in
            label.hasPrefix("xn--") ? Punycode.decode(label.dropFirst(4)) ?? String(label) : String(label)
        }.joined(separator: ".")
    }

    static func isOneEditApart(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Bool {
        guard abs(left.count - right.count) <= 1 else { return false }
        let shorter = min(left.count, right.count)
        var head = 0
        while head < shorter, left[head] == right[head] { head += 1 }
        guard head < max(left.count, right.count) else { return false }
        var (l, r) = (left.count, right.count)
        while l > head, r > head, left[l - 1] == right[r - 1] { (l, r) = (l - 1, r - 1) }
        if l - head <= 1, r - head <= 1 { return true }
        return l - head == 2 && r - head == 2 && left[head] == right[head + 1]
            && left[head + 1] == right[head]
    }

    private static let alike: [Unicode.Scalar: Unicode.Scalar] = [
        "0": "o", "1": "l", "i": "l", "|": "l", "3": "e", "5": "s",
        // Cyrillic
        "а": "a", "в": "b", "е": "e", "ё": "e", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p", "с": "c",
        "т": "t", "у": "y", "х": "x", "ѕ": "s", "і": "l", "ј": "j", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ь": "b",
        "г": "r", "п": "n", "һ": "h", "ү": "y", "ӏ": "l", "з": "e", "ʏ": "y",
        // Greek and others
        "α": "a", "ο": "o", "ρ": "p", "ν": "v", "τ": "t", "υ": "u", "ι": "l", "κ": "k", "ε": "e", "χ": "x",
        "ɡ": "g", "ı": "l", "ɩ": "l", "ƨ": "s", "ß": "b",
    ]

    /// Letters that are small already and taken for one another, by the ASCII character.
    private static let asciiAlike: [Unicode.Scalar] = (UInt8(0)..<0x80).map { byte in
        let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        let small = Unicode.Scalar(isCapital ? byte | 0x20 : byte)
        return alike[small] ?? small
    }
}

/// Numbers under which names are filed, so that what differs in one letter is found without
/// a walk through all of them: a change in one half leaves the other half as it is.
public struct LookHalves: Sendable, Hashable {
    public let head: Int64
    public let tail: Int64

    /// - Parameter family: only names of one family are compared with each other.
    public init(of look: Look, family: String) {
        let letters = Array(look.text.utf8)
        head = Self.number(letters.prefix(letters.count / 2), family)
        tail = Self.number(letters.suffix(letters.count - letters.count / 2), family)
    }

    /// The halves that a name may have which differs in one letter from this one, or has two of its letters swapped.
    ///
    /// - Parameter name: as `Look` takes it.
    public static func candidates(for name: some StringProtocol, family: String) -> (
        heads: [Int64], tails: [Int64]
    ) {
        let reading = Look.Reading(name)
        var heads: Set<Int64> = []
        var tails: Set<Int64> = []
        // A pair that the change has made, or parted, is one letter in one of the names and two in the other.
        for text in Set([reading.joined, reading.letters]) {
            let letters = Array(String(String.UnicodeScalarView(text)).utf8)
            for count in max(1, letters.count - 2)...(letters.count + 2) {
                heads.insert(number(letters.prefix(count / 2), family))
                tails.insert(number(letters.suffix(count - count / 2), family))
            }
            // Two letters in the middle that have changed places belong to both halves.
            guard letters.count > 1 else { continue }
            var swapped = letters
            swapped.swapAt(letters.count / 2 - 1, letters.count / 2)
            heads.insert(number(swapped.prefix(letters.count / 2), family))
        }
        return (heads.sorted(), tails.sorted())
    }

    /// FNV-1a.
    private static func number(_ letters: ArraySlice<UInt8>, _ family: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in letters { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        for byte in family.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}

extension Look {
    /// As `resemblance(of:to:)`, for two people at one mail provider, where names that differ a
    /// little are mostly two people's.
    public static func resemblance(ofLocalPart name: some StringProtocol, to known: some StringProtocol)
        -> Resemblance?
    {
        resemblance(ofLocalPart: Reading(name), to: Reading(known))
    }

    /// The same for a name that is compared with many.
    public static func resemblance(ofLocalPart name: Reading, to known: Reading) -> Resemblance? {
        guard let found = resemblance(of: name, to: known) else { return nil }
        guard found == .oneLetter else { return found }
        let (left, right) = (name.name, known.name)
        // `petrova` is a relative of `petrov`, and another initial is another person.
        if left == right + "a" || right == left + "a" { return nil }
        let pieces = [left, right].map { $0.split { ".-_".contains($0) } }
        if pieces[0].count == pieces[1].count,
            zip(pieces[0], pieces[1]).contains(where: { $0 != $1 && min($0.count, $1.count) == 1 })
        {
            return nil
        }
        return found
    }
}

extension PublicMailDomain {
    /// The provider whose domain this one could be taken for.
    public static func resembled(by domain: some StringProtocol) -> (domain: String, Look.Resemblance)? {
        let reading = Look.Reading(domain)
        for known in readings {
            if let found = Look.resemblance(of: reading, to: known) { return (known.name, found) }
        }
        return nil
    }

    /// Each message of a stranger is compared with all of them.
    private static let readings = all.map { Look.Reading($0) }
}
