import Foundation
public import MailModel

/// Times as people write them for `--at`.
public enum SendTime {
    /// Unix seconds, `2026-01-31T09:05:00Z` (with any offset), or `2026-01-31 09:05` in the local zone.
    /// Nil for anything else.
    public static func read(_ text: String) -> UnixTime? {
        let text = text.trimmingCharacters(in: .whitespaces)
        if let seconds = Int64(text) { return UnixTime(seconds) }
        if let date = try? Date(text, strategy: .iso8601) {
            return UnixTime(Int64(date.timeIntervalSince1970))
        }
        let parts = text.replacing("T", with: " ").split(separator: " ")
        guard parts.count == 2 else { return nil }
        let day = parts[0].split(separator: "-").map { Int($0) }
        let time = parts[1].split(separator: ":").map { Int($0) }
        guard day.count == 3, time.count == 2 || time.count == 3 else { return nil }
        var components = DateComponents()
        components.year = day[0]
        components.month = day[1]
        components.day = day[2]
        components.hour = time[0]
        components.minute = time[1]
        components.second = time.count == 3 ? time[2] : 0
        guard components.year != nil, components.month != nil, components.day != nil, components.hour != nil,
            components.minute != nil, components.second != nil,
            let date = Calendar(identifier: .gregorian).date(from: components),
            Calendar(identifier: .gregorian).dateComponents(
                [.year, .month, .day, .hour, .minute], from: date)
                == {
                    var wanted = components
                    wanted.second = nil
                    return wanted
                }()
        else { return nil }
        return UnixTime(Int64(date.timeIntervalSince1970))
    }
}
