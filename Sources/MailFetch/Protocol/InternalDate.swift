import MailModel

/// The date-time of INTERNALDATE (RFC 9051, section 9): `17-Jul-1996 02:44:25 -0700`, the day
/// sometimes padded with a space.
enum InternalDate {
    /// Nil for what is no date; a zone that cannot be read counts as UTC.
    static func parse(_ text: some Collection<UInt8>) -> UnixTime? {
        let bytes = Array(text.drop { $0 == 0x20 })
        var index = 0
        func number(_ most: Int) -> Int? {
            var value = 0
            var digits = 0
            while index < bytes.count, digits < most, let digit = bytes[index].decimalDigit {
                value = value * 10 + digit
                digits += 1
                index += 1
            }
            return digits > 0 ? value : nil
        }
        func accept(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }
        guard let day = number(2), (1...31).contains(day), accept(UInt8(ascii: "-")),
            index + 3 <= bytes.count,
            let month = Self.month(bytes[index..<(index + 3)])
        else { return nil }
        index += 3
        guard accept(UInt8(ascii: "-")), let year = number(4), year >= 1900, accept(0x20),
            let hour = number(2), hour < 24, accept(UInt8(ascii: ":")),
            let minute = number(2), minute < 60, accept(UInt8(ascii: ":")),
            let second = number(2), second <= 60
        else { return nil }
        var offset = 0
        if accept(0x20), index < bytes.count {
            let sign = bytes[index] == UInt8(ascii: "-") ? -1 : 1
            index += 1
            if let zone = number(4) { offset = sign * (zone / 100 * 3600 + zone % 100 * 60) }
        }
        let days = Self.daysSinceEpoch(year: year, month: month, day: day)
        return UnixTime(Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset))
    }

    private static func month(_ name: ArraySlice<UInt8>) -> Int? {
        let names: [StaticString] = [
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ]
        return names.firstIndex { name.equalsIgnoringCase($0) }.map { $0 + 1 }
    }

    /// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March so that
    /// the leap day comes last.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
