import Foundation
import MailModel

@testable import MIMEParse

extension FuzzTarget {
    private static var smallTexts: MailLimits {
        var limits = MailLimits.standard
        limits.textBytes = 2000
        return limits
    }

    /// The octets of a winmail.dat: its files, their names, and its body in whatever form.
    static let tnef = FuzzTarget(
        name: "tnef", summary: "winmail.dat: files, names, compressed RTF", maximumLength: 8192
    ) { bytes in
        let limits = Self.smallTexts
        let room = 12
        let octets = Array(bytes)
        let unpack = {
            var textRoom = limits.textBytes
            return TNEFUnpacking.files(of: octets, room: room, textRoom: &textRoom, limits: limits)
        }
        let unpacked = unpack()
        promise(unpacked.files.count <= room, "\(unpacked.files.count) files")
        let names = AttachmentNames(limits: limits, text: HeaderText())
        var defects = DefectLog()
        for (file, range) in unpacked.files {
            let container = file.content ?? octets
            promise(
                range.lowerBound >= 0 && range.upperBound <= container.count, "a file outside its container")
            checkName(names.name(of: file, defects: &defects).cleaned)
            promise(file.contentType.utf8.contains(Octet.slash), "a media type without a slash")
        }
        let again = unpack()
        promise(again.files.map(\.1) == unpacked.files.map(\.1), "other files the second time")
        promise(again.body?.text == unpacked.body?.text, "another body the second time")
    }

    /// A calendar, and what each of its times is in UTC.
    static let calendar = FuzzTarget(
        name: "calendar", summary: "invitations: events, zones, parties", maximumLength: 4096
    ) { bytes in
        let calendar = CalendarContent.read(Array(bytes))
        promise(calendar.events.count <= 200, "\(calendar.events.count) events")
        for event in calendar.events {
            promise(event.attendees.count <= 2000, "\(event.attendees.count) attendees")
            for time in [event.start, event.end, event.occurrence].compactMap(\.self) {
                promise([10, 19].contains(time.local.utf8.count), "the time \(time.local)")
                // A local time of the years 0 to 9999, and a day for the zone.
                let utc = time.utc?.rawValue ?? 0
                promise((-62_167_305_600...253_402_387_200).contains(utc), "UTC \(utc)")
            }
        }
        promise(isSaidInJSON(calendar), "a calendar that comes back as another")
    }

    /// Cards of all three versions.
    static let vcard = FuzzTarget(
        name: "vcard", summary: "cards: names, addresses, telephones", maximumLength: 4096
    ) { bytes in
        let limit = 20
        let cards = VCard.read(Array(bytes), limit: limit)
        promise(cards.count <= limit, "\(cards.count) cards")
        for card in cards {
            promise(card.emails.count <= 100 && card.phones.count <= 100, "more than a card holds")
            promise(Set(card.emails).count == card.emails.count, "an address twice")
        }
        // What was passed over, and whether the end was there, is not said.
        let said = cards.map { card in
            var card = card
            (card.passedOver, card.isWhole) = (0, true)
            return card
        }
        promise(isSaidInJSON(said), "cards that come back as others")
    }

    /// The outermost layer of S/MIME.
    static let cms = FuzzTarget(
        name: "cms", summary: "the content of signed S/MIME", maximumLength: 4096
    ) { bytes in
        guard let cms = CMSContent(bytes) else { return }
        promise(cms.content == nil || cms.kind == .signed, "content that nobody signed")
        promise((cms.content?.count ?? 0) <= bytes.count, "\(cms.content?.count ?? 0) octets of content")
    }

    /// Children send special content to their parent as JSON.
    private static func isSaidInJSON(_ value: some Codable & Equatable) -> Bool {
        func copy<Value: Codable>(_ value: Value) -> Value? {
            (try? JSONEncoder().encode(value)).flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
        }
        return copy(value) == value
    }
}
