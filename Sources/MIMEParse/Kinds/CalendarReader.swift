import MailModel

/// Reads a calendar object into `CalendarContent`.
struct CalendarReader {
    private static let maximumEvents = 200
    private static let maximumAttendees = 2000
    private static let maximumZones = 100
    private static let maximumObservances = 200

    /// Times wait for the zones, which may stand behind the events.
    private struct WrittenTime {
        var value: String
        var zone: String?
        var isDate: Bool
    }

    private struct WrittenEvent {
        var event = CalendarEvent()
        var start: WrittenTime?
        var end: WrittenTime?
        var occurrence: WrittenTime?
    }

    private var method: String?
    private var events: [WrittenEvent] = []
    private var zones: [String: CalendarZone] = [:]
    /// The components that enclose the line being read, by name.
    private var open: [String] = []
    private var skippedDepth = 0
    private var event: WrittenEvent?
    private var zoneName: String?
    private var zone = CalendarZone()
    private var observance = ObservanceLines()

    static func read(_ bytes: [UInt8], charset: [UInt8]?) -> CalendarContent {
        var defects = DefectLog()
        var text: [UInt8] = []
        let octets = ContentText.readable(bytes, charset: charset)
        // RFC 5545, 3.1.4: UTF-8 unless the part says otherwise.
        octets.withUnsafeBytes { TextDecoder.decode($0, label: charset, into: &text, defects: &defects) }
        var reader = CalendarReader()
        var lines = ContentLineReader(text)
        while let line = lines.next() { reader.read(line) }
        reader.finishEvent()
        return CalendarContent(
            method: reader.method, events: reader.events.map { reader.resolved($0) })
    }

    private mutating func read(_ line: ContentLine) {
        let value = Self.text(line)
        switch line.name {
        case "BEGIN": begin(ContentLineText.trimmed(value)?.uppercased() ?? "")
        case "END": end(ContentLineText.trimmed(value)?.uppercased() ?? "")
        case _ where skippedDepth > 0: break
        default:
            switch open.last {
            case "VCALENDAR":
                if line.name == "METHOD" { method = ContentLineText.trimmed(value)?.uppercased() }
            case "VEVENT": addToEvent(line, value)
            case "VTIMEZONE":
                if line.name == "TZID" { zoneName = ContentLineText.unescaped(value) }
            case "STANDARD", "DAYLIGHT": observance.add(line, value)
            default: break
            }
        }
    }

    private mutating func begin(_ name: String) {
        let isKnown =
            switch (name, open.last) {
            case ("VCALENDAR", nil), ("VEVENT", "VCALENDAR"), ("VTIMEZONE", "VCALENDAR"): true
            case ("VEVENT", nil), ("STANDARD", "VTIMEZONE"), ("DAYLIGHT", "VTIMEZONE"): true
            // The end of the last event was forgotten.
            case ("VEVENT", "VEVENT"): true
            default: false
            }
        guard isKnown, skippedDepth == 0 else {
            skippedDepth += 1
            return
        }
        if name == "VEVENT", open.last == "VEVENT" {
            finishEvent()
            open.removeLast()
        }
        open.append(name)
        switch name {
        case "VEVENT": event = WrittenEvent()
        case "VTIMEZONE":
            zone = CalendarZone()
            zoneName = nil
        case "STANDARD", "DAYLIGHT": observance = ObservanceLines()
        default: break
        }
    }

    private mutating func end(_ name: String) {
        if skippedDepth > 0 {
            skippedDepth -= 1
            return
        }
        guard open.last == name else { return }
        open.removeLast()
        switch name {
        case "VEVENT": finishEvent()
        case "VTIMEZONE":
            if let zoneName, zones.count < Self.maximumZones { zones[zoneName] = zone }
        case "STANDARD", "DAYLIGHT":
            if let read = observance.read(), zone.observances.count < Self.maximumObservances {
                zone.observances.append(read)
            }
        default: break
        }
    }

    private mutating func finishEvent() {
        if let event, events.count < Self.maximumEvents { events.append(event) }
        event = nil
    }

    private mutating func addToEvent(_ line: ContentLine, _ value: String) {
        guard event != nil else { return }
        switch line.name {
        case "UID": event?.event.uid = ContentLineText.trimmed(value)
        case "SEQUENCE": event?.event.sequence = ContentLineText.trimmed(value).flatMap { Int($0) }
        case "STATUS": event?.event.status = ContentLineText.trimmed(value)?.uppercased()
        case "SUMMARY": event?.event.summary = ContentLineText.unescaped(value)
        case "LOCATION": event?.event.location = ContentLineText.unescaped(value)
        case "DESCRIPTION": event?.event.description = ContentLineText.unescaped(value)
        case "RRULE": event?.event.recurrence = ContentLineText.trimmed(value)
        case "DURATION": event?.event.duration = ContentLineText.trimmed(value)
        case "DTSTART": event?.start = Self.time(line, value)
        case "DTEND": event?.end = Self.time(line, value)
        case "RECURRENCE-ID": event?.occurrence = Self.time(line, value)
        case "ORGANIZER": event?.event.organiser = Self.party(line, value)
        case "ATTENDEE":
            if event?.event.attendees.count ?? 0 < Self.maximumAttendees {
                event?.event.attendees.append(Self.party(line, value))
            }
        default: break
        }
    }

    /// The value, in vCalendar 1.0 perhaps encoded.
    private static func text(_ line: ContentLine) -> String {
        guard ContentLineReader.isQuotedPrintable(line) else {
            return String(decoding: line.value, as: UTF8.self)
        }
        var octets: [UInt8] = []
        var defects = DefectLog()
        _ = Array(line.value).withUnsafeBytes { QuotedPrintable.decode($0, into: &octets) }
        return octets.withUnsafeBytes {
            TextDecoder.string($0, label: line.parameter("CHARSET"), defects: &defects)
        }
    }

    private static func time(_ line: ContentLine, _ value: String) -> WrittenTime {
        WrittenTime(
            value: ContentLineText.trimmed(value) ?? "",
            zone: line.word("TZID").flatMap(ContentLineText.unescaped),
            isDate: line.word("VALUE")?.uppercased() == "DATE")
    }

    private static func party(_ line: ContentLine, _ value: String) -> CalendarParty {
        var address = ContentLineText.trimmed(value)
        if let text = address, text.lowercased().hasPrefix("mailto:") {
            address = ContentLineText.trimmed(String(text.dropFirst(7)))
        } else if let email = line.word("EMAIL").flatMap(ContentLineText.trimmed), email.contains("@") {
            // RFC 7986, 6.2: the value is a path of the server's own.
            address = email
        }
        return CalendarParty(
            address: address, name: line.word("CN").flatMap(ContentLineText.trimmed),
            answer: line.word("PARTSTAT")?.uppercased(), role: line.word("ROLE")?.uppercased())
    }

    private func resolved(_ written: WrittenEvent) -> CalendarEvent {
        var event = written.event
        event.start = written.start.flatMap(resolved)
        event.end = written.end.flatMap(resolved)
        event.occurrence = written.occurrence.flatMap(resolved)
        return event
    }

    private func resolved(_ written: WrittenTime) -> CalendarTime? {
        guard let civil = CivilTime(written.value) else { return nil }
        let hasClock = written.value.utf8.contains { $0 == UInt8(ascii: "T") || $0 == UInt8(ascii: "t") }
        if written.isDate || !hasClock {
            return CalendarTime(local: civil.dateText, zone: written.zone, isAllDay: true, utc: nil)
        }
        if written.value.last == "Z" || written.value.last == "z" {
            return CalendarTime(
                local: civil.text, zone: "UTC", isAllDay: false, utc: UnixTime(civil.linear))
        }
        guard let name = written.zone else {
            return CalendarTime(local: civil.text, zone: nil, isAllDay: false, utc: nil)
        }
        let utc = zones[name]?.utc(of: civil) ?? WellKnownZone.zone(name, at: civil)?.utc(of: civil)
        return CalendarTime(
            local: civil.text, zone: name, isAllDay: false, utc: utc.map { UnixTime($0) })
    }
}

/// The lines of a STANDARD or DAYLIGHT until its end says that they are complete.
private struct ObservanceLines {
    private static let maximumDates = 200
    private var start: CivilTime?
    private var offset: Int?
    private var offsetBefore: Int?
    private var rule: String?
    private var dates: [CivilTime] = []

    mutating func add(_ line: ContentLine, _ value: String) {
        switch line.name {
        case "DTSTART": start = CivilTime(value)
        case "TZOFFSETTO": offset = Self.offset(value)
        case "TZOFFSETFROM": offsetBefore = Self.offset(value)
        case "RRULE": rule = value
        case "RDATE":
            for text in value.split(separator: ",") where dates.count < Self.maximumDates {
                if let date = CivilTime(text) { dates.append(date) }
            }
        default: break
        }
    }

    func read() -> CalendarZone.Observance? {
        guard let start, let offset else { return nil }
        return CalendarZone.Observance(
            start: start, offset: offset, offsetBefore: offsetBefore ?? offset,
            yearly: rule.flatMap { Self.yearly($0, start: start) }, dates: dates)
    }

    /// `+0300` or `-033000` in seconds.
    private static func offset(_ text: String) -> Int? {
        let bytes = Array(text.utf8.prefix(16)).filter { !Octet.isSpace($0) }
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == Octet.hyphen else { return nil }
        let digits = bytes.dropFirst().filter(Octet.isDigit).map { Int($0 - 0x30) }
        guard digits.count == 4 || digits.count == 6 else { return nil }
        var seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60
        if digits.count == 6 { seconds += digits[4] * 10 + digits[5] }
        return sign == Octet.hyphen ? -seconds : seconds
    }

    private static func yearly(_ rule: String, start: CivilTime) -> CalendarZone.Yearly? {
        var parts: [String: String] = [:]
        for part in rule.uppercased().split(separator: ";").prefix(20) {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { parts[String(pair[0])] = String(pair[1]) }
        }
        guard parts["FREQ"] == "YEARLY", let day = parts["BYDAY"], day.count >= 3,
            let weekday = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].firstIndex(of: String(day.suffix(2))),
            let ordinal = Int(day.dropLast(2)), (-5...5).contains(ordinal), ordinal != 0
        else { return nil }
        let month = parts["BYMONTH"].flatMap { Int($0) } ?? start.month
        guard (1...12).contains(month) else { return nil }
        return CalendarZone.Yearly(
            month: month, weekday: weekday, ordinal: ordinal,
            lastYear: parts["UNTIL"].flatMap { Int($0.prefix(4)) })
    }
}
