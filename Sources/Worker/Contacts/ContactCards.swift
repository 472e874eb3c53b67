public import Archive
public import Foundation
import MIMEParse
public import MailModel

/// Contacts in a file of vCards (2.1, RFC 2426, RFC 6350).
public struct ContactCards: Sendable {
    /// The number of a row is that of its card, counted from 1.
    public private(set) var rows: [ContactCSV.Row] = []
    public private(set) var refused: [MailFailure] = []
    private static let limit = 2_000_000

    /// Whether a file begins as vCards do.
    public static func isCards(_ data: Data) -> Bool {
        let begin = String(decoding: data.prefix(64), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "\u{FEFF}")))
        return begin.lowercased().hasPrefix("begin:vcard")
    }

    public init(data: Data) {
        for (index, card) in VCard.read(Array(data), limit: Self.limit).enumerated() {
            do throws(MailFailure) {
                rows.append(.init(number: index + 1, contact: try Self.contact(card)))
            } catch {
                var located = error
                located.detail = "card \(index + 1): \(error.detail ?? "")"
                refused.append(located)
            }
        }
    }

    private static func contact(_ card: VCard) throws(MailFailure) -> ContactImportRow {
        guard card.isWhole else {
            throw refusal(
                "its END:VCARD is missing", "The file is cut off there, or damaged: export it anew.")
        }
        guard card.passedOver == 0 else {
            throw refusal(
                "\(card.passedOver) addresses or numbers more than a card may have",
                "Keep at most 100 of each in a card.")
        }
        var emails: [EmailAddress] = []
        for text in card.emails {
            guard let address = EmailAddress(text) else {
                throw refusal("address \"\(text)\"", "Write local@domain in its EMAIL.")
            }
            emails.append(address)
        }
        guard card.kind != "group", card.kind != "location" else {
            throw refusal(
                "a \(card.kind ?? "")", "Import its members: a contact is a person or an organisation.")
        }
        let kind: Contact.Kind? =
            switch card.kind {
            case "org": .organisation
            case "individual": .person
            default: card.kind.flatMap(Contact.Kind.init)
            }
        let name = card.name ?? (kind == .organisation ? card.organisation : nil)
        guard name != nil || !emails.isEmpty else {
            throw MailFailure(
                .csv, kind: .permanent, "A card was left out", detail: "no name and no address",
                remedy: "Give the contact one of them.")
        }
        var row = ContactImportRow(kind: kind, name: name, emails: emails)
        row.externalID = card.externalID
        if kind != .organisation { row.organisation = card.company }
        row.tags = card.categories ?? []
        row.phones = card.phones.map(\.number)
        return row
    }
}

extension ContactCards {
    private static func refusal(_ detail: String, _ remedy: String) -> MailFailure {
        MailFailure(.csv, kind: .permanent, "A card was left out", detail: detail, remedy: remedy)
    }

    public enum Version: String, Sendable {
        case three = "3.0"
        case four = "4.0"
    }

    /// Contacts as a file of vCards. What a card has no property for stands in X-CRM-KIND and X-CRM-ID;
    /// owner and flags are left out.
    public static func text(of contacts: [Contact], _ version: Version) -> String {
        var text = ""
        for contact in contacts {
            var lines = ["BEGIN:VCARD", "VERSION:\(version.rawValue)", "FN:\(escaped(contact.name))"]
            switch version {
            case .three: lines.append("N:\(escaped(contact.name));;;;")
            case .four: lines.append("KIND:\(contact.kind == .organisation ? "org" : "individual")")
            }
            if version == .three || contact.kind == .lead {
                lines.append("X-CRM-KIND:\(contact.kind.rawValue)")
            }
            if let id = contact.externalID { lines.append("X-CRM-ID:\(escaped(id))") }
            if let name = contact.organisationName { lines.append("ORG:\(escaped(name))") }
            for (index, email) in contact.emails.enumerated() {
                let preferred = version == .three ? ";TYPE=PREF" : ";PREF=1"
                lines.append("EMAIL\(index == 0 ? preferred : ""):\(escaped(email.addrSpec))")
            }
            lines += contact.details.phones.map { "TEL:\(escaped($0))" }
            if !contact.details.tags.isEmpty {
                lines.append("CATEGORIES:\(contact.details.tags.map(escaped).joined(separator: ","))")
            }
            lines.append("END:VCARD")
            for line in lines { text += folded(line) + "\r\n" }
        }
        return text
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing(",", with: "\\,")
            .replacing(";", with: "\\;")
    }

    /// No line longer than 75 octets, no character cut in two (RFC 6350, 3.2).
    private static func folded(_ line: String) -> String {
        var text = ""
        var width = 0
        for scalar in line.unicodeScalars {
            let size = UTF8.width(scalar)
            if width + size > 75 {
                text += "\r\n "
                width = 1
            }
            text.unicodeScalars.append(scalar)
            width += size
        }
        return text
    }
}
