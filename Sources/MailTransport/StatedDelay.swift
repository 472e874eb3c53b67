/// A delay that a server asks for in the words of a refusal, in English or Russian.
public enum StatedDelay {
    /// Seconds; nil when no delay is asked for.
    ///
    /// Only a number with its unit behind a word that makes it a delay counts: other numbers in a refusal are
    /// codes, sizes and counts of tries.
    public static func seconds(in text: String) -> Int? {
        let tokens = tokens(of: text)
        for (index, token) in tokens.enumerated() {
            guard let amount = amount(token) else { continue }
            guard index + 1 < tokens.count, let unit = milliseconds(tokens[index + 1]),
                isDelay(tokens, before: index)
            else { continue }
            let (product, overflow) = amount.multipliedReportingOverflow(by: unit)
            // Milliseconds are rounded up; adding to them first could overflow.
            return overflow ? nil : product / 1_000 + (product % 1_000 == 0 ? 0 : 1)
        }
        // "через час", "через минуту"
        for (index, token) in tokens.enumerated().dropFirst() where tokens[index - 1] == "через" {
            if let unit = milliseconds(token) { return unit / 1_000 }
        }
        return nil
    }

    /// How many words may stand between the one that makes a delay of it and the number ("try again after about").
    private static let reach = 4
    private static let introductions: Set<String> = [
        "in", "after", "wait", "within", "for", "time", "delay", "retry", "backoff", "least", "через",
        "подождите", "ожидайте", "течение",
    ]

    private static func isDelay(_ tokens: [String], before index: Int) -> Bool {
        tokens[max(0, index - reach)..<index].contains(where: introductions.contains)
    }

    /// Words and numbers, in lower case; "15min" is two of them.
    private static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var wasDigit: Bool?
        for character in text.lowercased() {
            guard character.isLetter || character.isASCII && character.isNumber else {
                wasDigit = nil
                continue
            }
            let isDigit = !character.isLetter
            if wasDigit == isDigit {
                tokens[tokens.count - 1].append(character)
            } else {
                tokens.append(String(character))
            }
            wasDigit = isDigit
        }
        return tokens
    }

    private static func amount(_ token: String) -> Int? {
        if ["a", "an", "one"].contains(token) { return 1 }
        return Int(token)
    }

    private static func milliseconds(_ word: String) -> Int? {
        switch word {
        case "ms", "msec", "millisecond", "milliseconds": 1
        case "s", "sec", "secs", "second", "seconds", "сек": 1_000
        case "m", "min", "mins", "minute", "minutes", "мин": 60_000
        case "h", "hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов": 3_600_000
        case "d", "day", "days", "день", "дня", "дней", "сутки", "суток": 86_400_000
        case _ where word.hasPrefix("секунд"): 1_000
        case _ where word.hasPrefix("минут"): 60_000
        default: nil
        }
    }
}
