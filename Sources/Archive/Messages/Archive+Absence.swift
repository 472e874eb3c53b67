import Foundation
import GRDB
public import MailModel
public import Matcher

/// Why a message is not in a contact's history.
public struct Absence: Sendable, Hashable, Encodable {
    public var message: ArchivedMessageID
    public var contact: ContactID
    /// It is there; the reasons say why.
    public var isLinked: Bool
    /// One sentence each, the weightiest first.
    public var reasons: [String]

    private enum CodingKeys: String, CodingKey {
        case message, contact
        case isLinked = "linked"
        case reasons
    }
}

extension Archive {
    /// What keeps a message out of a contact's history, or what has put it there.
    ///
    /// - Throws: `unknown.contact`, `unknown.message`; `rights.undisclosed` when the viewer sees no more than
    ///   that there is such a message.
    public func absence(
        of id: ArchivedMessageID, from contact: ContactID
    ) throws(MailFailure) -> Absence {
        let contact = try self.contact(contact)
        let message = try self.message(id)
        guard message.disclosure >= .people else { throw Self.undisclosed }
        var absence = Absence(message: id, contact: contact.id, isLinked: false, reasons: [])
        if let link = message.links.first(where: { $0.contact == contact.id }) {
            guard let removed = link.removedAt else {
                absence.isLinked = true
                absence.reasons = [link.reason]
                return absence
            }
            absence.reasons.append(
                "It was in this history (\(link.reason)), and \(link.removedBy ?? "somebody") took it out at "
                    + "\(Self.date(removed)); only a person can put it back")
        }
        let own = Set(contact.emails.map { CanonicalAddress($0) })
        let theirs = message.participants.filter { own.contains($0.canonical) }
        absence.reasons +=
            theirs.isEmpty ? Self.strangers(in: message, to: contact) : Self.obstacles(message, theirs)
        if let way = try thread(of: message, to: contact) { absence.reasons.append(way) }
        return absence
    }

    /// RFC 3339, in UTC.
    private static func date(_ time: UnixTime) -> String {
        Date(timeIntervalSince1970: TimeInterval(time.rawValue)).formatted(.iso8601)
    }

    /// Why an address of the contact that takes part has not linked it.
    private static func obstacles(
        _ message: ArchivedMessage, _ theirs: [ArchivedMessage.Party]
    ) -> [String] {
        var reasons = theirs.filter(\.isOwn).map {
            "\($0.address) in \($0.role.rawValue) is a user's own address too, and those link nobody"
        }
        let name = theirs.map { "\($0.address) in \($0.role.rawValue)" }.joined(separator: ", ")
        if message.category == .report {
            reasons.append(
                "It is a delivery report: the addresses in it (\(name)) are those it quotes, not those it is from"
            )
        }
        for question in message.questions where question.state == "open" {
            reasons.append("It waits in the queue: \(question.reason)")
        }
        switch message.state {
        case .ignored:
            reasons.append(
                "It is ignored" + (message.ignoredBy.map { ", by the rule for \($0)" } ?? "")
                    + (message.stateReason.map { " (\($0))" } ?? "")
                    + "; what a person or a rule has ignored follows no address")
        case .quarantined: reasons.append("It could not be read, so that its participants are not certain")
        case .private: reasons.append("It was marked private")
        default: break
        }
        if reasons.isEmpty {
            reasons.append(
                "The contact's address takes part (\(name)), and no decision has put the message there")
        }
        if message.category != .report, [.archived, .review].contains(message.state) {
            reasons.append(
                "Mail that is here follows an address as far as whoever gives it to a contact sees it, or may decide "
                    + "about it")
        }
        return reasons
    }

    /// What is known about those who take part, when none of them is the contact.
    private static func strangers(in message: ArchivedMessage, to contact: Contact) -> [String] {
        var reasons: [String] = []
        if contact.emails.isEmpty { reasons.append("The contact has no address") }
        reasons.append(
            message.participants.isEmpty
                ? "The message names no address that could be read"
                : "None of its participants has an address of the contact: "
                    + message.participants.map { "\($0.canonical.rawValue) (\($0.role.rawValue))" }
                    .joined(separator: ", "))
        let words = NameWords(contact.name)
        let addresses = contact.emails.map { CanonicalAddress($0) }
        for party in message.participants where !party.isOwn {
            if let name = party.name, !words.words.isEmpty, NameWords(name) == words {
                reasons.append(
                    "\(party.address) calls itself by the contact's name; names link nobody, since anybody can write them"
                )
            }
            for address in addresses where party.canonical.domain == address.domain {
                let domain = String(address.domain)
                reasons.append(
                    PublicMailDomain.contains(domain)
                        ? "\(party.address) is at the same provider, \(domain), where strangers share one domain"
                        : "\(party.address) is in the contact's domain \(domain); a domain only suggests")
            }
            for address in addresses
            where Look.resemblance(of: party.canonical.rawValue, to: address.rawValue) != nil {
                reasons.append("\(party.address) looks like \(address.rawValue), and is another address")
            }
        }
        return reasons
    }

    /// Whether the contact hears of the message in another way.
    private func thread(of message: ArchivedMessage, to contact: Contact) throws(MailFailure) -> String? {
        try read { db, sight in
            let through = try String.fetchOne(
                db,
                sql: """
                    SELECT c.name FROM history h JOIN contacts c ON c.id = h.contact
                    WHERE h.message = ? AND c.organisation = ? AND h.removed_at IS NULL
                        AND \(sight.reaches(.read, contact: "c")) ORDER BY c.id LIMIT 1
                    """, arguments: [message.id.rawValue, contact.id.rawValue])
            if let through { return "It shows in the organisation's history through \(through)" }
            let reference = try ThreadReference.all(of: message.id, db, sight).first { reference in
                reference.contacts.contains { $0.id == contact.id }
            }
            guard let reference, let place = reference.place else { return nil }
            let words = matching.threads.words(isOurs: reference.isOurs)
            switch place {
            case .message(let number): return "It refers to message \(number) in this history; \(words)"
            case .outbox(let number):
                return "It answers mail \(number) of the outbox to the contact; \(words)"
            }
        }
    }
}
