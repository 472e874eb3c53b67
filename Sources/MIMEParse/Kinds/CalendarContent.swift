public import MailModel

/// What a calendar object in a message says (RFC 5545, RFC 5546).
public struct CalendarContent: Codable, Hashable, Sendable {
    /// `REQUEST`, `REPLY`, `CANCEL` … in upper case (RFC 5546, 1.4); nil without one.
    public var method: String?
    public var events: [CalendarEvent]

    /// The calendar of a file. Never fails; without a readable event, `events` is empty.
    public static func read(_ bytes: [UInt8], charset: [UInt8]? = nil) -> CalendarContent {
        CalendarReader.read(bytes, charset: charset)
    }
}

/// One VEVENT. Times are as the sender wrote them; recurrences are not computed.
public struct CalendarEvent: Codable, Hashable, Sendable {
    public var uid: String?
    public var sequence: Int?
    /// `CONFIRMED`, `TENTATIVE`, `CANCELLED` or another word, in upper case.
    public var status: String?
    public var summary: String?
    public var location: String?
    public var description: String?
    public var start: CalendarTime?
    public var end: CalendarTime?
    /// DURATION as written, where it stands instead of an end.
    public var duration: String?
    /// RRULE as written.
    public var recurrence: String?
    /// The occurrence that this is about (RECURRENCE-ID).
    public var occurrence: CalendarTime?
    public var organiser: CalendarParty?
    public var attendees: [CalendarParty] = []
}

/// A date or time as the sender wrote it, and what it is in UTC where that can be said.
public struct CalendarTime: Codable, Hashable, Sendable {
    /// `2025-04-07T10:00:00`, or `2025-04-07` for a whole day.
    public var local: String
    /// TZID, or `UTC`; nil for a floating time, which means the reader's own.
    public var zone: String?
    public var isAllDay: Bool
    /// Nil for whole days, floating times and zones that nobody explains.
    public var utc: UnixTime?

    enum CodingKeys: String, CodingKey {
        case local, zone, utc
        case isAllDay = "all_day"
    }
}

/// An organiser or attendee.
public struct CalendarParty: Codable, Hashable, Sendable {
    /// Without `mailto:`; as it stands there, since nothing proves that it is an address.
    public var address: String?
    public var name: String?
    /// PARTSTAT in upper case: `ACCEPTED`, `DECLINED`, `NEEDS-ACTION` …
    public var answer: String?
    /// ROLE in upper case.
    public var role: String?
}
