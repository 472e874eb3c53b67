/// How far a reading of 8-bit text looks like Cyrillic writing: which letters follow which,
/// and whether capitals stand where capitals stand.
enum CyrillicGuess {
    struct Reading {
        var charset: Charset
        /// The mean weight of its pairs of letters: above 4 for running text in a
        /// language that writes Cyrillic, below 3 for the wrong charset.
        var score: Double
        /// Octets with the high bit that were looked at.
        var octets: Int
    }

    /// Running text scores above this; Greek and Hebrew read as Cyrillic stay below.
    static let certain = 4.2
    /// Too little for long text, enough for an abbreviation.
    static let possible = 2.0

    /// In the order of real mail; the rarer ones have to be better by a margin, since
    /// some share all their small letters with windows-1251.
    private static let candidates: [(charset: Charset, margin: Double)] = [
        (.windows1251, 0), (.koi8U, 0.1), (.ibm866, 0.2), (.iso8859x5, 0.4), (.macCyrillic, 1),
    ]

    /// The best of the Cyrillic readings. Only the first octets are looked at.
    static func best(of bytes: UnsafeRawBufferPointer) -> Reading? {
        var best: Reading?
        for (charset, margin) in candidates {
            guard var reading = reading(of: bytes, in: charset) else { continue }
            reading.score -= margin
            if reading.score > best?.score ?? -100 { best = reading }
        }
        return best
    }

    /// Another Cyrillic charset than the one that a label claims, where the claim makes
    /// no words and the other does. Short text proves nothing.
    static func correction(of claimed: Charset, for bytes: UnsafeRawBufferPointer) -> Charset? {
        let isCyrillic = isCyrillic(claimed)
        guard isCyrillic || claimed == .windows1252 else { return nil }
        var claim = -100.0
        if isCyrillic {
            guard let reading = reading(of: bytes, in: claimed), reading.octets >= 8, reading.score < 4 else {
                return nil
            }
            claim = reading.score
        }
        // Accented letters of the West stand alone: a word of them is Cyrillic.
        guard let best = best(of: bytes), best.octets >= 8 || (!isCyrillic && holdsHighWord(bytes)),
            best.score >= certain + 0.2,
            best.score >= claim + 1.5
        else { return nil }
        return best.charset
    }

    /// Whether five letters of the upper half stand in a row.
    private static func holdsHighWord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var run = 0
        for byte in bytes {
            run = byte >= 0xC0 ? run + 1 : 0
            if run == 5 { return true }
        }
        return false
    }

    /// How far the text makes words in a charset; nil where it has no letters beyond ASCII.
    static func score(of bytes: UnsafeRawBufferPointer, in charset: Charset) -> Double? {
        reading(of: bytes, in: charset)?.score
    }

    static func isCyrillic(_ charset: Charset) -> Bool {
        charset == .koi8R || candidates.contains { $0.charset == charset }
    }

    private static func reading(of bytes: UnsafeRawBufferPointer, in charset: Charset) -> Reading? {
        guard let classes = CyrillicClasses.of(charset) else { return nil }
        var scorer = PairScorer()
        var octets = 0
        weights.withUnsafeBufferPointer { weights in
            for byte in bytes {
                if byte >= 0x80 {
                    octets += 1
                    if octets > 1024 { break }
                    scorer.addHigh(classes.values[Int(byte & 0x7F)], weights)
                } else {
                    scorer.addLow(Octet.isLetter(byte), weights)
                }
            }
            scorer.addLow(false, weights)
        }
        guard octets > 0 else { return nil }
        return Reading(
            charset: charset, score: Double(scorer.sum) / Double(max(1, scorer.pairs)), octets: octets)
    }

    /// Adds up the weights of the pairs of one text.
    private struct PairScorer {
        var sum = 0
        var pairs = 0
        private var previous = CyrillicClasses.boundary
        private var previousIsUpper = false
        private var isBehindLatin = false

        private static let misfit = -6

        mutating func addLow(_ isLatin: Bool, _ weights: UnsafeBufferPointer<Int8>) {
            if previous != CyrillicClasses.boundary {
                pairs += 1
                // A Latin letter inside a Cyrillic word: a Western accent misread.
                sum += isLatin ? Self.misfit : weight(previous, CyrillicClasses.boundary, weights)
            }
            previous = CyrillicClasses.boundary
            isBehindLatin = isLatin
        }

        mutating func addHigh(_ value: UInt8, _ weights: UnsafeBufferPointer<Int8>) {
            guard value < CyrillicClasses.mark else {
                if value == CyrillicClasses.mark {
                    addLow(false, weights)
                } else {
                    pairs += 1
                    sum += Self.misfit
                    previous = CyrillicClasses.boundary
                    isBehindLatin = false
                }
                return
            }
            let letter = value & 31
            let isUpper = value >= 32
            let isInWord = previous != CyrillicClasses.boundary
            pairs += 1
            if isBehindLatin || (isInWord && isUpper && !previousIsUpper) {
                sum += Self.misfit
            } else {
                sum += weight(previous, letter, weights)
                if isInWord, isUpper { sum -= 1 }
            }
            previous = letter
            previousIsUpper = isUpper
            isBehindLatin = false
        }

        private func weight(_ first: UInt8, _ second: UInt8, _ weights: UnsafeBufferPointer<Int8>) -> Int {
            Int(weights[Int(first) * 33 + Int(second)])
        }
    }

    /// For each letter а to я and the edge of a word (rows), how often each of them
    /// follows, as a logarithm; counted over Russian, and in part Ukrainian and
    /// Bulgarian, running text.
    private static let weights: [Int8] = [
        "045344351546560454621344220000247",
        "602026005056246063060330045600024",
        "702036106045256244340300102500026",
        "622345006015358061160000000000005",
        "713147406046256344350100102310015",
        "124452432455573365611133330000007",
        "630068007033073001040001000000003",
        "835153015032666332250201100410045",
        "345345154555652456603334310000357",
        "001041000037343015601001100000008",
        "702005006005037055550040022001005",
        "630106417042047002140003000370565",
        "735007006032446402040000000500056",
        "700347017030066004542010000530154",
        "056554443456552555500124400000126",
        "600006006023028372250030002200014",
        "704327406031447124450300301400035",
        "423015106065336524740201203350065",
        "605016006042156165140001001360016",
        "345465431355550556503104240000506",
        "800005007004107051363000000000002",
        "504005006001247052140000000001008",
        "603007008030003201140000000540345",
        "702008107052063011530000000010004",
        "603007008064054033442000000010004",
        "600008007000026000040000000040003",
        "015257360046534475600113050000040",
        "036136030745500443600603300000007",
        "010002060060264005400020400000338",
        "012310010367440344814100500000001",
        "034123300020120132600007070000208",
        "024145040042440132500320020000339",
        "446353155053465656554223210003030",
    ]
    .flatMap { (row: StaticString) in
        UnsafeBufferPointer(start: row.utf8Start, count: row.utf8CodeUnitCount).map { Int8($0 - 0x30) }
    }
}

/// What the octets 0x80 to 0xFF of a charset are to a reader of Cyrillic.
private struct CyrillicClasses {
    /// 0...31 for а to я, 32...63 for the capitals, then these.
    static let boundary: UInt8 = 32
    static let mark: UInt8 = 64
    static let stranger: UInt8 = 65

    let values: [UInt8]

    static func of(_ charset: Charset) -> CyrillicClasses? { all[charset] }

    private static let all: [Charset: CyrillicClasses] = {
        let charsets: [Charset] = [.windows1251, .koi8R, .koi8U, .ibm866, .iso8859x5, .macCyrillic]
        return Dictionary(uniqueKeysWithValues: charsets.map { ($0, CyrillicClasses($0)) })
    }()

    private init(_ charset: Charset) {
        values = SingleByteTable.common(charset)?.scalars.map(Self.value) ?? []
    }

    private static func value(_ scalar: UInt32) -> UInt8 {
        switch scalar {
        case 0x430...0x44F: UInt8(scalar - 0x430)
        case 0x410...0x42F: UInt8(scalar - 0x410) + 32
        // No-break space, «», dashes, curly quotes, ellipsis, bullet, numero, euro.
        case 0xA0, 0xAB, 0xBB, 0x2013, 0x2014, 0x2018...0x201E, 0x2022, 0x2026, 0x2116, 0x20AC, 0xA9, 0xB0:
            mark
        default: kin[scalar] ?? stranger
        }
    }

    /// Letters of Russian's neighbours count as the Russian ones that they stand in for.
    private static let kin: [UInt32: UInt8] = {
        var table: [UInt32: UInt8] = [:]
        for (letter, like) in zip("ёіїєґўјљњћђџ".unicodeScalars, "еииегуйлнчдж".unicodeScalars) {
            table[letter.value] = UInt8(like.value - 0x430)
        }
        for (letter, like) in zip("ЁІЇЄҐЎЈЉЊЋЂЏ".unicodeScalars, "ЕИИЕГУЙЛНЧДЖ".unicodeScalars) {
            table[letter.value] = UInt8(like.value - 0x410) + 32
        }
        return table
    }()
}
