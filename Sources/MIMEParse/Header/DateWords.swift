/// The words of dates: months in the languages that mail programs write, and zones by name.
enum DateWords {
    /// 1...12; nil for a word that is no month.
    static func month(_ word: UnsafeRawBufferPointer) -> Int? {
        guard word.count >= 3 else { return nil }
        if word.isASCII {
            let key =
                UInt32(Octet.lowercased(word[0])) << 16 | UInt32(Octet.lowercased(word[1])) << 8
                | UInt32(Octet.lowercased(word[2]))
            if let month = english[key] { return month > 0 ? month : nil }
        }
        let text = String(decoding: word, as: UTF8.self).lowercased()
        for (prefix, month) in localized where text.hasPrefix(prefix) { return month }
        return nil
    }

    private static let english: [UInt32: Int] = {
        var table: [UInt32: Int] = [:]
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        for (index, name) in names.enumerated() {
            table[name.utf8.reduce(0) { $0 << 8 | UInt32($1) }] = index + 1
        }
        // No months, and in nearly every date: the slow comparison is spared.
        for name in ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "gmt", "utc", "edt", "est", "pdt"] {
            table[name.utf8.reduce(0) { $0 << 8 | UInt32($1) }] = 0
        }
        return table
    }()

    /// Prefixes in lower case, longer ones before their own beginnings.
    private static let localized: [(String, Int)] = [
        // Russian
        ("янв", 1), ("фев", 2), ("мар", 3), ("апр", 4), ("май", 5), ("мая", 5), ("мае", 5), ("июн", 6),
        ("июл", 7), ("авг", 8), ("сен", 9), ("окт", 10), ("ноя", 11), ("дек", 12),
        // Ukrainian
        ("січ", 1), ("лют", 2), ("бер", 3), ("кві", 4), ("тра", 5), ("чер", 6), ("лип", 7), ("сер", 8),
        ("вер", 9), ("жов", 10), ("лис", 11), ("гру", 12),
        // Belarusian, Bulgarian, Kazakh
        ("сту", 1), ("сак", 3), ("кра", 4), ("чэр", 6), ("жні", 8), ("кас", 10), ("сне", 12), ("яну", 1),
        ("юни", 6), ("юли", 7), ("қаң", 1), ("ақп", 2), ("нау", 3), ("сәу", 4), ("мам", 5), ("мау", 6),
        ("шіл", 7), ("там", 8), ("қыр", 9), ("қаз", 10), ("қар", 11), ("жел", 12),
        // German, Dutch, Scandinavian
        ("jän", 1), ("mär", 3), ("mrz", 3), ("mrt", 3), ("maa", 3), ("mai", 5), ("mei", 5), ("okt", 10),
        ("dez", 12),
        // French
        ("fév", 2), ("fev", 2), ("avr", 4), ("juin", 6), ("juil", 7), ("aoû", 8), ("aou", 8), ("déc", 12),
        // Spanish, Portuguese, Italian
        ("ene", 1), ("gen", 1), ("abr", 4), ("mag", 5), ("giu", 6), ("lug", 7), ("ago", 8), ("set", 9),
        ("out", 10), ("ott", 10), ("dic", 12),
        // Turkish, Romanian, Hungarian, Finnish
        ("oca", 1), ("şub", 2), ("nis", 4), ("haz", 6), ("tem", 7), ("ağu", 8), ("eyl", 9), ("eki", 10),
        ("kas", 11), ("ara", 12), ("ian", 1), ("iun", 6), ("iul", 7), ("noi", 11), ("már", 3), ("ápr", 4),
        ("máj", 5), ("jún", 6), ("júl", 7), ("sze", 9), ("tam", 1), ("hel", 2), ("huh", 4), ("tou", 5),
        ("kes", 6), ("hei", 7), ("elo", 8), ("syy", 9), ("lok", 10), ("jou", 12),
        // Czech, Latvian
        ("led", 1), ("úno", 2), ("bře", 3), ("dub", 4), ("kvě", 5), ("červenec", 7), ("července", 7),
        ("čer", 6), ("srp", 8), ("zář", 9), ("říj", 10), ("pro", 12), ("jūn", 6), ("jūl", 7),
        // Polish
        ("sty", 1), ("lut", 2), ("kwi", 4), ("maj", 5), ("cze", 6), ("lip", 7), ("sie", 8), ("wrz", 9),
        ("paź", 10), ("paz", 10), ("lis", 11), ("gru", 12),
    ]

    /// Minutes east of UTC; nil for a word that is no zone. Military letters say
    /// nothing reliable (RFC 5322, 4.3) and count as UTC.
    static func zone(_ word: UnsafeRawBufferPointer) -> Int? {
        guard word.count <= 5 else { return nil }
        if word.count == 1 { return word[0] < 0x80 && Octet.lowercased(word[0]) != 0x74 ? 0 : nil }
        return zones[word.lowercasedString()]
    }

    /// Those of RFC 5322, and those that European, Russian and Asian programs write (of India's, Israel's
    /// and Ireland's IST the first). Other names are ambiguous or unknown to most readers, and count as UTC likewise.
    private static let zones: [String: Int] = [
        "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "edt": -240, "est": -300, "cdt": -300, "cst": -360,
        "mdt": -360, "mst": -420, "pdt": -420, "pst": -480, "bst": 60, "cet": 60, "met": 60, "mez": 60,
        "west": 60, "cest": 120, "mest": 120, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240,
        "samt": 240, "yekt": 300, "omst": 360, "novt": 420, "krat": 420, "irkt": 480, "yakt": 540,
        "vlat": 600, "magt": 660, "pett": 720, "kst": 540, "ist": 330, "aest": 600, "aedt": 660, "trt": 180,
    ]
}
