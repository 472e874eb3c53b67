import MailModel

/// The Date field (RFC 5322, 3.3).
enum MailDateText {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Wed, 25 Nov 2026 13:33:47 +0300`; nil outside the years 1900 to 9999, and for a zone that
    /// is none.
    static func text(_ time: UnixTime, zoneMinutes: Int) -> String? {
        guard abs(zoneMinutes) < 24 * 60, time.rawValue > -4_000_000_000, time.rawValue < 1 << 40 else {
            return nil
        }
        let local = time.rawValue + Int64(zoneMinutes) * 60
        let day = Int(local >= 0 ? local / 86400 : (local - 86399) / 86400)
        let second = Int(local) - day * 86400
        let (year, month, dayOfMonth) = civil(day)
        guard (1900...9999).contains(year) else { return nil }
        let clock = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
        let zone = padded(abs(zoneMinutes) / 60, 2) + padded(abs(zoneMinutes) % 60, 2)
        // 1970-01-01 was a Thursday.
        let weekday = days[(day % 7 + 7) % 7]
        return "\(weekday), \(dayOfMonth) \(months[month - 1]) \(padded(year, 4)) "
            + "\(clock.joined(separator: ":")) \(zoneMinutes < 0 ? "-" : "+")\(zone)"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        // Counted from 0000-03-01, so that the leap day ends its year.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1
        )
    }
}
