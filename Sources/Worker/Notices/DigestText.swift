import Archive
import Foundation
import MailModel
import Matcher

/// What a digest says: who has written, and about what. Pure.
struct DigestText {
    let events: [Event]
    /// More are counted, not listed.
    private static let listed = 100

    var subject: String {
        let names = contacts.map(\.name)
        return names.count == 1 ? "New mail of \(names[0])" : "New mail of \(names.count) contacts"
    }

    var text: String {
        var lines = ["New mail of contacts whose owner you are.", ""]
        var room = Self.listed
        for contact in contacts {
            lines.append("\(contact.name) (mailworker history \(contact.id))")
            for event in contact.events.prefix(room) { lines.append("  " + Self.line(event)) }
            room = max(0, room - contact.events.count)
            lines.append("")
        }
        if events.count > Self.listed { lines += ["… and \(events.count - Self.listed) more.", ""] }
        lines.append("You get this mail because these contacts are marked: notify the owner.")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ event: Event) -> String {
        let subject = event.subject?.oneLine ?? "(a colleague's mail)"
        let warning = event.senderCheck?.outcome == .failed ? "; the sender is not verified" : ""
        return "\(event.date?.utcText ?? "-")  \(subject) (message \(event.message))\(warning)"
    }

    private struct Group {
        var id: ContactID
        var name: String
        var events: [Event]
    }

    /// In the order of their first event.
    private var contacts: [Group] {
        var groups: [Group] = []
        for event in events {
            if let index = groups.firstIndex(where: { $0.id == event.contact }) {
                groups[index].events.append(event)
            } else {
                groups.append(Group(id: event.contact, name: event.contactName.oneLine, events: [event]))
            }
        }
        return groups
    }
}

extension String {
    fileprivate var oneLine: String {
        split {
            $0.isWhitespace || $0.unicodeScalars.allSatisfy { $0.properties.generalCategory == .control }
        }
        .joined(separator: " ")
    }
}

extension UnixTime {
    /// `2026-01-31 09:05 UTC`: a mail is read elsewhere than it was made.
    fileprivate var utcText: String {
        let whole = Date(timeIntervalSince1970: TimeInterval(rawValue)).formatted(.iso8601)
        return whole.prefix(16).replacing("T", with: " ") + " UTC"
    }
}
