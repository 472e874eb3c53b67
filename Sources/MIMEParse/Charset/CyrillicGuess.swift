/// Guesses the charset of 8-bit text that names none: how well does each Cyrillic
/// charset turn it into Russian or Ukrainian words?
enum CyrillicGuess {
    /// Frequency weights of the letters а to я in Russian text.
    private static let weights: [Int] = [
        9, 4, 7, 4, 6, 9, 3, 4, 9, 4, 6, 7, 6, 8, 10, 5, 8, 8, 8, 5, 1, 3, 1, 4, 2, 1, 0, 4, 4, 1, 2, 5,
    ]

    /// What a scalar is in a running text.
    private enum Role: UInt8 {
        case none, lower, upper, mark
    }

    /// The best reading: one of the Cyrillic charsets, or windows-1252 when none
    /// makes words. Only the first 4 KB of 8-bit octets are looked at.
    static func charset(of bytes: UnsafeRawBufferPointer) -> Charset {
        // Earlier ones win a tie: the order is that of real mail.
        let candidates: [Charset] = [.windows1251, .koi8R, .ibm866, .iso8859x5, .macCyrillic]
        var best: Charset?
        var bestScore = 0
        for candidate in candidates {
            guard let table = SingleByteTable.common(candidate) else { continue }
            let score = score(bytes, table)
            if score > bestScore {
                best = candidate
                bestScore = score
            }
        }
        return best ?? .windows1252
    }

    private static func score(_ bytes: UnsafeRawBufferPointer, _ table: SingleByteTable) -> Int {
        var score = 0
        var seen = 0
        var previous = Role.none
        var previousIsLatin = false
        for byte in bytes {
            guard byte >= 0x80 else {
                let isLatin = Octet.isLetter(byte)
                // A Latin letter inside a Cyrillic word: a Western accent misread.
                if isLatin, previous == .lower || previous == .upper { score -= 8 }
                previousIsLatin = isLatin
                previous = .none
                continue
            }
            seen += 1
            if seen > 4096 { break }
            let (role, weight) = role(table.scalars[Int(byte & 0x7F)])
            switch role {
            case .lower:
                score += weight
                if previousIsLatin { score -= 14 }
            case .upper:
                if previous == .lower {
                    score -= 12
                } else {
                    score += previous == .upper ? weight / 2 : weight / 2 + 1
                }
                if previousIsLatin { score -= 14 }
            case .mark:
                break
            case .none:
                score -= 10
            }
            previous = role
            previousIsLatin = false
        }
        return score
    }

    private static func role(_ scalar: UInt32) -> (Role, Int) {
        switch scalar {
        case 0x430...0x44F: return (.lower, weights[Int(scalar - 0x430)])
        case 0x410...0x42F: return (.upper, weights[Int(scalar - 0x410)])
        case 0x451: return (.lower, 1)
        case 0x401: return (.upper, 1)
        case 0x454, 0x456, 0x457, 0x491: return (.lower, 3)
        case 0x404, 0x406, 0x407, 0x490: return (.upper, 2)
        // No-break space, «», dashes, curly quotes, ellipsis, bullet, numero, euro.
        case 0xA0, 0xAB, 0xBB, 0x2013, 0x2014, 0x2018...0x201E, 0x2022, 0x2026, 0x2116, 0x20AC, 0xA9, 0xB0:
            return (.mark, 0)
        default: return (.none, 0)
        }
    }
}
