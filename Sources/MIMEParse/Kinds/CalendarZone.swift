/// A time zone as a calendar describes it (VTIMEZONE, RFC 5545, 3.6.5), or as everybody knows it.
struct CalendarZone {
    /// One STANDARD or DAYLIGHT: from its onsets on, local time is UTC plus `offset` seconds.
    struct Observance {
        var start: CivilTime
        var offset: Int
        var offsetBefore: Int
        var yearly: Yearly?
        /// Further onsets (RDATE).
        var dates: [CivilTime] = []
    }

    /// The nth weekday of a month in each year.
    struct Yearly {
        var month: Int
        var weekday: Int
        var ordinal: Int
        /// The last year with an onset; nil without an end.
        var lastYear: Int?
    }

    var observances: [Observance] = []

    /// UTC in seconds since 1970 of a local time; nil when the zone says nothing about it.
    func utc(of local: CivilTime) -> Int64? {
        var latest: (onset: CivilTime, offset: Int)?
        for observance in observances {
            guard let onset = observance.onset(notAfter: local) else { continue }
            if latest.map({ $0.onset < onset }) ?? true { latest = (onset, observance.offset) }
        }
        if let latest { return local.linear - Int64(latest.offset) }
        guard let first = observances.min(by: { $0.start < $1.start }) else { return nil }
        return local.linear - Int64(first.offsetBefore)
    }
}

extension CalendarZone.Observance {
    /// The last onset at or before a local time.
    func onset(notAfter local: CivilTime) -> CivilTime? {
        guard start <= local else { return nil }
        var onset = start
        for date in dates where date <= local && date > onset { onset = date }
        guard let yearly else { return onset }
        for year in [local.year, local.year - 1] where year >= start.year {
            let year = min(year, yearly.lastYear ?? year)
            guard year >= start.year,
                let day = CivilTime.day(
                    yearly.weekday, ordinal: yearly.ordinal, month: yearly.month, year: year)
            else { continue }
            let date = CivilTime(year: year, month: yearly.month, day: day, seconds: start.seconds)
            if date <= local, date > onset { onset = date }
        }
        return onset
    }
}

/// The zones that calendars of our users name without explaining them: Windows's names and
/// those of the time zone database. Data, to be added to.
enum WellKnownZone {
    private enum Summer {
        case none
        /// Directive 2000/84/EC: last Sundays of March and October, 01:00 UTC.
        case european
        /// Energy Policy Act of 2005: second Sunday of March, first of November, 02:00.
        case american
    }

    private struct Row {
        var minutes: Int
        var summer: Summer
        /// Years before it had other rules, and nothing is claimed about them.
        var since: Int
    }

    /// The zone of a TZID; nil for one that is unknown, or for a time before what we know.
    static func zone(_ name: String, at time: CivilTime) -> CalendarZone? {
        var key = name.lowercased()
        // Mozilla writes a path in front.
        if key.hasPrefix("/") { key = key.split(separator: "/").suffix(2).joined(separator: "/") }
        guard let row = rows[key], time.year >= row.since else { return nil }
        return zone(of: row)
    }

    private static func zone(of row: Row) -> CalendarZone {
        let standard = row.minutes * 60
        func observance(
            _ month: Int, _ day: Int, seconds: Int, offset: Int, before: Int, ordinal: Int
        ) -> CalendarZone.Observance {
            CalendarZone.Observance(
                start: CivilTime(year: 1990, month: month, day: day, seconds: seconds), offset: offset,
                offsetBefore: before,
                yearly: CalendarZone.Yearly(month: month, weekday: 0, ordinal: ordinal, lastYear: nil))
        }
        switch row.summer {
        case .none:
            let start = CivilTime(year: 1970, month: 1, day: 1)
            return CalendarZone(observances: [
                CalendarZone.Observance(start: start, offset: standard, offsetBefore: standard, yearly: nil)
            ])
        case .european:
            // Onsets in the local time before them.
            let change = 3600 + standard
            return CalendarZone(observances: [
                observance(
                    3, 25, seconds: change, offset: standard + 3600, before: standard, ordinal: -1),
                observance(
                    10, 28, seconds: change + 3600, offset: standard, before: standard + 3600, ordinal: -1),
            ])
        case .american:
            return CalendarZone(observances: [
                observance(3, 11, seconds: 7200, offset: standard + 3600, before: standard, ordinal: 2),
                observance(11, 4, seconds: 7200, offset: standard, before: standard + 3600, ordinal: 1),
            ])
        }
    }

    private static let rows: [String: Row] = {
        var rows: [String: Row] = [:]
        func add(_ minutes: Int, _ summer: Summer, since: Int, _ names: String) {
            for name in names.split(separator: "|") {
                rows[String(name)] = Row(minutes: minutes, summer: summer, since: since)
            }
        }
        // Russia's zones stand still since 26 October 2014, some since 2016.
        add(120, .none, since: 2015, "kaliningrad standard time|europe/kaliningrad")
        add(
            180, .none, since: 2015,
            "russian standard time|russia time zone 2|europe/moscow|europe/simferopol|w-su|russian standard time/moscow"
        )
        add(240, .none, since: 2017, "russia time zone 3|saratov standard time|europe/saratov")
        add(240, .none, since: 2015, "europe/samara")
        add(240, .none, since: 2017, "astrakhan standard time|europe/astrakhan|europe/ulyanovsk")
        add(300, .none, since: 2015, "ekaterinburg standard time|asia/yekaterinburg")
        add(360, .none, since: 2015, "omsk standard time|asia/omsk")
        add(420, .none, since: 2015, "north asia standard time|asia/krasnoyarsk")
        add(
            420, .none, since: 2017,
            "n. central asia standard time|altai standard time|tomsk standard time|asia/novosibirsk|asia/barnaul|asia/tomsk"
        )
        add(420, .none, since: 2015, "asia/novokuznetsk")
        add(480, .none, since: 2015, "north asia east standard time|asia/irkutsk")
        add(540, .none, since: 2015, "yakutsk standard time|asia/yakutsk")
        add(540, .none, since: 2017, "transbaikal standard time|asia/chita")
        add(600, .none, since: 2015, "vladivostok standard time|asia/vladivostok")
        add(660, .none, since: 2017, "russia time zone 10|magadan standard time|sakhalin standard time")
        add(660, .none, since: 2017, "asia/magadan|asia/sakhalin|asia/srednekolymsk")
        add(720, .none, since: 2015, "russia time zone 11|kamchatka standard time|asia/kamchatka")
        // Neighbours.
        add(180, .none, since: 2012, "belarus standard time|europe/minsk")
        add(120, .european, since: 1997, "fle standard time|europe/kiev|europe/kyiv|europe/helsinki")
        add(120, .european, since: 1997, "europe/riga|europe/tallinn|europe/vilnius|europe/sofia")
        add(120, .european, since: 1997, "gtb standard time|europe/athens|europe/bucharest")
        add(240, .none, since: 2013, "caucasus standard time|asia/yerevan")
        add(240, .none, since: 2005, "georgian standard time|asia/tbilisi")
        add(240, .none, since: 2017, "azerbaijan standard time|asia/baku")
        add(300, .none, since: 1993, "west asia standard time|asia/tashkent")
        add(180, .none, since: 2017, "turkey standard time|europe/istanbul")
        add(240, .none, since: 1973, "arabian standard time|asia/dubai")
        add(
            480, .none, since: 1992,
            "china standard time|asia/shanghai|asia/hong_kong|singapore standard time")
        add(540, .none, since: 1970, "tokyo standard time|asia/tokyo")
        add(330, .none, since: 1970, "india standard time|asia/kolkata|asia/calcutta")
        // Western Europe and America.
        add(
            0, .none, since: 1970,
            "utc|etc/utc|gmt|etc/gmt|coordinated universal time|greenwich standard time")
        add(0, .european, since: 1997, "gmt standard time|europe/london|europe/dublin|europe/lisbon")
        add(
            60, .european, since: 1997,
            "w. europe standard time|central europe standard time|romance standard time|central european standard time"
        )
        add(
            60, .european, since: 1997,
            "europe/berlin|europe/paris|europe/rome|europe/madrid|europe/vienna|europe/prague|europe/warsaw|europe/amsterdam|europe/brussels|europe/zurich|europe/stockholm|europe/oslo|europe/copenhagen|europe/budapest|europe/belgrade"
        )
        add(-300, .american, since: 2007, "eastern standard time|america/new_york|america/toronto|us/eastern")
        add(-360, .american, since: 2007, "central standard time|america/chicago|us/central")
        add(-420, .american, since: 2007, "mountain standard time|america/denver|us/mountain")
        add(-480, .american, since: 2007, "pacific standard time|america/los_angeles|us/pacific")
        return rows
    }()
}
