public import MailModel

/// The Date field (RFC 5322, 3.3 and 4.3), and the forms that programs write instead.
public enum MailDate {
    /// The moment in UTC; nil when the text names no possible date. A missing time
    /// is midnight, a missing or unknown zone is UTC.
    public static func parse(_ value: UnsafeRawBufferPointer) -> UnixTime? {
        var parts = DateParts()
        if value.isASCII, value.offset(of: Octet.question, from: 0, to: value.count) == nil {
            parts.read(value)
        } else {
            var defects = DefectLog()
            Array(HeaderText().decode(value, defects: &defects).utf8).withUnsafeBytes { parts.read($0) }
        }
        return parts.moment
    }
}

/// What was recognised of a date so far.
private struct DateParts {
    var year: Int?
    var month: Int?
    var monthStoodBeforeDay = false
    var day: Int?
    var hour: Int?
    var minute = 0
    var second = 0
    var zoneMinutes: Int?
    var isAfternoon: Bool?
    /// A zone as Windows calls it.
    var zoneName: String?

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        // Any date is short; what comes later is a comment or an attack.
        let limit = min(bytes.count, 256)
        var index = 0
        while index < limit {
            let byte = bytes[index]
            if byte == Octet.openParenthesis {
                index = skipComment(bytes, from: index, to: limit)
            } else if Octet.isDigit(byte) {
                index = readNumber(bytes, from: index, to: limit)
            } else if byte == 0x2B || byte == Octet.hyphen {
                index = readOffset(bytes, from: index, to: limit)
            } else if Octet.isLetter(byte) || byte >= 0x80 {
                let start = index
                while index < limit, Octet.isLetter(bytes[index]) || bytes[index] >= 0x80 { index += 1 }
                if hour != nil, zoneMinutes == nil, index - start > 3,
                    let end = readZoneName(bytes, from: start, to: limit)
                {
                    index = end
                } else {
                    readWord(bytes.slice(start..<index))
                }
            } else {
                index += 1
            }
        }
    }

    private func skipBlanks(_ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int) -> Int {
        var index = start
        while index < limit {
            if Octet.isSpace(bytes[index]) {
                index += 1
            } else if bytes[index] == Octet.openParenthesis {
                index = skipComment(bytes, from: index, to: limit)
            } else {
                break
            }
        }
        return index
    }

    private func skipComment(_ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int) -> Int {
        var depth = 0
        var index = start
        while index < limit {
            if bytes[index] == Octet.openParenthesis { depth += 1 }
            if bytes[index] == Octet.closeParenthesis { depth -= 1 }
            index += 1
            if depth == 0 { break }
        }
        return index
    }

    /// Up to nine digits; more name nothing.
    private func digits(
        _ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int
    ) -> (value: Int, end: Int) {
        var value = 0
        var index = start
        while index < limit, Octet.isDigit(bytes[index]) {
            if index - start < 9 { value = value * 10 + Int(bytes[index] - 0x30) }
            index += 1
        }
        return (value, index)
    }

    private mutating func readNumber(_ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int) -> Int {
        let number = digits(bytes, from: start, to: limit)
        let length = number.end - start
        func byte(_ index: Int) -> UInt8 { index < limit ? bytes[index] : 0 }
        // Blanks and comments around the colons are obsolete syntax (RFC 5322, 4.3).
        let colon = skipBlanks(bytes, from: number.end, to: limit)
        if length <= 2, hour == nil, byte(colon) == Octet.colon,
            Octet.isDigit(byte(skipBlanks(bytes, from: colon + 1, to: limit)))
        {
            return readTime(bytes, hour: number.value, from: colon, separator: Octet.colon, to: limit)
        }
        let next = byte(number.end)
        if length <= 2, hour == nil, next == Octet.dot, month != nil, day != nil,
            isClock(bytes, number.end, limit)
        {
            return readTime(bytes, hour: number.value, from: number.end, separator: next, to: limit)
        }
        if month == nil, day == nil,
            let end = readNumericDate(bytes, first: number.value, digits: length, from: number.end, to: limit)
        {
            return end
        }
        if day == nil, length <= 2 {
            day = number.value
        } else if hour != nil, year != nil, month != nil, day != nil, zoneMinutes == nil, length == 4,
            number.value <= 1400, [0, 30, 45].contains(number.value % 100)
        {
            // A zone whose plus sign was lost.
            zoneMinutes = number.value / 100 * 60 + number.value % 100
        } else if year == nil, length >= 2, length <= 4 {
            setYear(number.value, digits: length)
        }
        return number.end
    }

    /// A date in numbers alone: 2024-05-06T07:08:09 and 20240506T070809 (ISO 8601), 31.12.2024,
    /// 31/12/2024, 12/31/2024. Day and month that could each be the other are no date.
    private mutating func readNumericDate(
        _ bytes: UnsafeRawBufferPointer, first: Int, digits length: Int, from end: Int, to limit: Int
    ) -> Int? {
        func byte(_ index: Int) -> UInt8 { index < limit ? bytes[index] : 0 }
        if length == 8, year == nil, byte(end) | 0x20 == 0x74 {
            let time = digits(bytes, from: end + 1, to: limit)
            guard time.end - end == 7 else { return nil }
            (year, month, day) = (first / 10_000, first / 100 % 100, first % 100)
            (hour, minute, second) = (time.value / 10_000, time.value / 100 % 100, time.value % 100)
            return time.end
        }
        let separator = byte(end)
        guard separator == Octet.hyphen || separator == Octet.dot || separator == Octet.slash else {
            return nil
        }
        let middle = digits(bytes, from: end + 1, to: limit)
        guard (1...2).contains(middle.end - end - 1), byte(middle.end) == separator else { return nil }
        let last = digits(bytes, from: middle.end + 1, to: limit)
        let lastLength = last.end - middle.end - 1
        if length == 4, year == nil, (1...2).contains(lastLength) {
            (year, month, day) = (first, middle.value, last.value)
            return last.end
        }
        guard length <= 2, lastLength == 4 || (lastLength == 2 && separator == Octet.dot) else { return nil }
        if separator != Octet.slash || first > 12 || first == middle.value {
            (day, month) = (first, middle.value)
        } else if middle.value > 12 {
            (day, month) = (middle.value, first)
        } else {
            return nil
        }
        setYear(last.value, digits: lastLength)
        return last.end
    }

    private func isClock(_ bytes: UnsafeRawBufferPointer, _ dot: Int, _ limit: Int) -> Bool {
        let minutes = digits(bytes, from: dot + 1, to: limit)
        return minutes.end - dot == 3
    }

    private mutating func readTime(
        _ bytes: UnsafeRawBufferPointer, hour: Int, from start: Int, separator: UInt8, to limit: Int
    ) -> Int {
        self.hour = hour
        let minutes = digits(bytes, from: skipBlanks(bytes, from: start + 1, to: limit), to: limit)
        minute = minutes.value
        var index = minutes.end
        let colon = skipBlanks(bytes, from: index, to: limit)
        if colon < limit, bytes[colon] == separator {
            let secondStart = skipBlanks(bytes, from: colon + 1, to: limit)
            if secondStart < limit, Octet.isDigit(bytes[secondStart]) {
                let seconds = digits(bytes, from: secondStart, to: limit)
                second = seconds.value
                index = seconds.end
            }
        }
        // Fractions of a second.
        if index + 1 < limit, bytes[index] == Octet.dot || bytes[index] == Octet.comma,
            Octet.isDigit(bytes[index + 1])
        {
            index = digits(bytes, from: index + 1, to: limit).end
        }
        return index
    }

    /// RFC 5322, 4.3: two digits below 50 are in this century, three count from 1900.
    private mutating func setYear(_ value: Int, digits: Int) {
        switch digits {
        case 2: year = value < 50 ? 2000 + value : 1900 + value
        case 3: year = 1900 + value
        // Two of them in four places, from clocks that count so: 0024.
        default: year = value < 50 ? 2000 + value : value < 100 ? 1900 + value : value
        }
    }

    /// A zone such as +0300, +03:00 or -5; before the time, a mere hyphen.
    private mutating func readOffset(_ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int) -> Int {
        // A blank behind the sign, before four digits, is a program's slip.
        if hour != nil, start + 5 < limit, bytes[start + 1] == Octet.space,
            digits(bytes, from: start + 2, to: limit).end == start + 6
        {
            return readOffset(bytes, sign: bytes[start], from: start + 1, to: limit)
        }
        return readOffset(bytes, sign: bytes[start], from: start, to: limit)
    }

    private mutating func readOffset(
        _ bytes: UnsafeRawBufferPointer, sign: UInt8, from start: Int, to limit: Int
    ) -> Int {
        guard hour != nil, zoneMinutes == nil || zoneMinutes == 0, start + 1 < limit,
            Octet.isDigit(bytes[start + 1])
        else { return start + 1 }
        let number = digits(bytes, from: start + 1, to: limit)
        let length = number.end - start - 1
        var end = number.end
        var minutes: Int
        switch length {
        case 1, 2:
            minutes = number.value * 60
            if end + 2 < limit, bytes[end] == Octet.colon {
                let rest = digits(bytes, from: end + 1, to: limit)
                minutes += rest.value
                end = rest.end
            }
        case 3, 4: minutes = number.value / 100 * 60 + number.value % 100
        // One zero too many.
        case 5 where number.value % 10 == 0: minutes = number.value / 1000 * 60 + number.value / 10 % 100
        default: return end
        }
        // 12-34-2024 style years behind the time, and 05-Mar-2024.
        if year == nil, length == 4, sign == Octet.hyphen,
            month == nil
                || (day != nil && (1900...2100).contains(number.value) && Octet.isLetter(bytes[start - 1]))
        {
            return start + 1
        }
        guard minutes <= 24 * 60 else { return end }
        zoneMinutes = sign == Octet.hyphen ? -minutes : minutes
        return end
    }

    /// Behind "Russian Standard Time"; nil where no such words stand.
    private mutating func readZoneName(
        _ bytes: UnsafeRawBufferPointer, from start: Int, to limit: Int
    ) -> Int? {
        var end = start
        while end < limit, Octet.isLetter(bytes[end]) || bytes[end] == Octet.space { end += 1 }
        let words = bytes.slice(start..<end).lowercasedString().split(separator: " ")
        guard let last = words.firstIndex(of: "time"), last > 1,
            ["standard", "daylight"].contains(words[last - 1])
        else { return nil }
        zoneName = (words[..<(last - 1)] + ["standard", "time"]).joined(separator: " ")
        var cursor = start
        for (index, word) in words[...last].enumerated() {
            if index > 0 { while bytes[cursor] == Octet.space { cursor += 1 } }
            cursor += word.utf8.count
        }
        return cursor
    }

    private mutating func readWord(_ word: UnsafeRawBufferPointer) {
        if let number = DateWords.month(word) {
            // A weekday may look like a month ("mar. 3 févr."): the later one counts. Behind the time
            // stand zones, some of which look like months too.
            if month == nil || (monthStoodBeforeDay && day != nil && hour == nil) {
                month = number
                monthStoodBeforeDay = day == nil
                return
            }
        }
        if hour != nil {
            if word.equalsIgnoringCase("am") {
                isAfternoon = false
            } else if word.equalsIgnoringCase("pm") {
                isAfternoon = true
            } else if zoneMinutes == nil, let minutes = DateWords.zone(word) {
                zoneMinutes = minutes
            }
        }
    }

    var moment: UnixTime? {
        // RFC 5322, 3.3: no year before 1900.
        guard let year, let month, let day, (1...12).contains(month), (1900...9999).contains(year),
            day >= 1, day <= Self.days(in: month, of: year)
        else { return nil }
        var hours = hour ?? 0
        if let isAfternoon, (1...12).contains(hours) { hours = hours % 12 + (isAfternoon ? 12 : 0) }
        // ISO 8601: 24:00 is the end of the day.
        guard hours < 24 || (hours == 24 && minute == 0 && second == 0), minute < 60, second <= 60
        else { return nil }
        if let zoneName, zoneMinutes == nil, hours < 24 {
            let local = CivilTime(
                year: year, month: month, day: day, seconds: hours * 3600 + minute * 60 + second)
            if let utc = WellKnownZone.zone(zoneName, at: local)?.utc(of: local) { return UnixTime(utc) }
        }
        let days = Self.daysSinceEpoch(year, month, day)
        let seconds = days * 86400 + hours * 3600 + (minute - (zoneMinutes ?? 0)) * 60 + second
        return UnixTime(Int64(seconds))
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
