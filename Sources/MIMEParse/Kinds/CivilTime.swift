/// A date and time of day of the Gregorian calendar, in no zone.
struct CivilTime: Hashable, Comparable {
    var year: Int
    var month: Int
    var day: Int
    var seconds = 0

    /// Reads `20250407` or `20250407T100000`, with or without the hyphens and colons of
    /// vCard and sloppy writers; nil for a day or hour that cannot be.
    init?(_ text: some StringProtocol) {
        var digits: [Int] = []
        var timeStart: Int?
        for byte in text.utf8.prefix(32) {
            if Octet.isDigit(byte) {
                digits.append(Int(byte - 0x30))
            } else if byte == UInt8(ascii: "T") || byte == UInt8(ascii: "t") || byte == Octet.space {
                timeStart = timeStart ?? digits.count
            }
        }
        guard digits.count >= 8, timeStart ?? 8 == 8 else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        self.init(year: number(0..<4), month: number(4..<6), day: number(6..<8))
        guard (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day) else { return nil }
        if timeStart == nil, digits.count == 8 { return }
        guard timeStart != nil, digits.count >= 12 else { return nil }
        let (hour, minute) = (number(8..<10), number(10..<12))
        let second = digits.count >= 14 ? min(59, number(12..<14)) : 0
        guard hour < 24, minute < 60 else { return nil }
        seconds = hour * 3600 + minute * 60 + second
    }

    init(year: Int, month: Int, day: Int, seconds: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.seconds = seconds
    }

    /// Seconds since 1970 as if this were UTC.
    var linear: Int64 { Int64(dayNumber) * 86400 + Int64(seconds) }

    var dateText: String { "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }

    var text: String {
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }
        return "\(dateText)T\(clock.joined(separator: ":"))"
    }

    static func < (lhs: CivilTime, rhs: CivilTime) -> Bool { lhs.linear < rhs.linear }

    /// The `ordinal`th weekday of a month (0 is Sunday), the last one for -1.
    static func day(_ weekday: Int, ordinal: Int, month: Int, year: Int) -> Int? {
        let count = days(in: month, of: year)
        let first = CivilTime(year: year, month: month, day: 1)
        // 1970-01-01 was a Thursday.
        let firstWeekday = ((first.dayNumber + 4) % 7 + 7) % 7
        let start = 1 + (weekday - firstWeekday + 7) % 7
        if ordinal > 0 {
            let day = start + 7 * (ordinal - 1)
            return day <= count ? day : nil
        }
        let last = start + (count - start) / 7 * 7
        let day = last + 7 * (ordinal + 1)
        return day >= 1 && ordinal < 0 ? day : nil
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01.
    private var dayNumber: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
