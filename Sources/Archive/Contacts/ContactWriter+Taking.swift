import GRDB
import MailModel
import Matcher

extension ContactWriter {
    /// Takes an address from a contact. Mail that stands in its history only because of this
    /// address leaves it, and waits for a person when it stands in no other.
    func take(_ address: Int64, from contact: ContactID, _ lost: LostHistory) throws -> AddressGain {
        let links = try ruleLinks(of: contact, through: address)
        try db.execute(
            sql: "DELETE FROM contact_addresses WHERE contact = ? AND address = ?",
            arguments: [contact.rawValue, address])
        guard db.changesCount > 0 else { return AddressGain() }
        if let canonical = try String.fetchOne(
            db, sql: "SELECT canonical FROM addresses WHERE id = ?", arguments: [address])
        {
            try looks.remove(CanonicalAddress(rawValue: canonical))
        }
        var gain = AddressGain()
        switch lost {
        case .stays(let person):
            let keep = try PreparedStatement(
                db, "UPDATE history SET linked_by = 'person', person = ? WHERE message = ? AND contact = ?")
            for message in links where try !renameLink(message, contact) {
                try keep.bind(1, person)
                keep.bind(2, message.rawValue)
                keep.bind(3, contact.rawValue)
                try keep.run()
            }
        case .leaves:
            let left = try release(links, from: contact)
            gain.unlinkedMessages = left.count
            gain.openedItems = try rejudge(left)
        }
        return gain
    }

    /// Takes messages out of a contact's history in which no address of it takes part any more, with what answers them.
    ///
    /// - Returns: what has left.
    func release(
        _ messages: [ArchivedMessageID], from contact: ContactID
    ) throws -> [ArchivedMessageID] {
        let remove = try PreparedStatement(db, "DELETE FROM history WHERE message = ? AND contact = ?")
        var left: [ArchivedMessageID] = []
        for message in messages where try !renameLink(message, contact) {
            remove.bind(1, message.rawValue)
            remove.bind(2, contact.rawValue)
            try remove.run()
            left.append(message)
        }
        return left + (try takeAnswers(to: left, from: contact))
    }

    /// Messages in the contact's history, not by a person's decision, in which the address takes part.
    private func ruleLinks(of contact: ContactID, through address: Int64) throws -> [ArchivedMessageID] {
        try Int64.fetchAll(
            db,
            sql: """
                SELECT h.message FROM history h WHERE h.contact = ?1 AND h.removed_at IS NULL
                    AND h.linked_by <> 'person' AND h.thread IS NULL AND EXISTS (
                        SELECT 1 FROM participants WHERE message = h.message AND address = ?2)
                ORDER BY h.message
                """, arguments: [contact.rawValue, address]
        ).map { ArchivedMessageID(rawValue: $0) }
    }

    /// Takes out what stands with the contact only because it answers one of these messages of ours.
    ///
    /// - Returns: the answers that have left.
    private func takeAnswers(
        to messages: [ArchivedMessageID], from contact: ContactID
    ) throws -> [ArchivedMessageID] {
        let answers = try PreparedStatement(
            db,
            """
            SELECT message FROM history WHERE thread = ? AND contact = ? AND removed_at IS NULL
                AND linked_by <> 'person' ORDER BY message
            """)
        let remove = try PreparedStatement(db, "DELETE FROM history WHERE message = ? AND contact = ?")
        let keep = try PreparedStatement(
            db, "UPDATE history SET thread = NULL WHERE message = ? AND contact = ?")
        var left: [ArchivedMessageID] = []
        for message in messages {
            var found: [ArchivedMessageID] = []
            answers.bind(1, message.rawValue)
            answers.bind(2, contact.rawValue)
            try answers.forEachRow { found.append(ArchivedMessageID(rawValue: $0.int64(0))) }
            for answer in found {
                let isTheirs = try renameLink(answer, contact)
                let change = isTheirs ? keep : remove
                change.bind(1, answer.rawValue)
                change.bind(2, contact.rawValue)
                try change.run()
                if !isTheirs { left.append(answer) }
            }
        }
        return left
    }

    /// Names a link by another address of the contact; false when none takes part.
    private func renameLink(_ message: ArchivedMessageID, _ contact: ContactID) throws -> Bool {
        otherRole.bind(1, message.rawValue)
        otherRole.bind(2, contact.rawValue)
        guard let (role, email) = try otherRole.first({ ($0.text(0), $0.text(1)) }) else { return false }
        try setLinkName.bind(1, role)
        try setLinkName.bind(2, email)
        setLinkName.bind(3, message.rawValue)
        setLinkName.bind(4, contact.rawValue)
        try setLinkName.run()
        return true
    }

    /// Gives messages that are in no history any more the state that arrival would give them now.
    ///
    /// - Returns: how many wait for a person.
    func rejudge(_ messages: [ArchivedMessageID]) throws -> Int {
        let hasHistory = try PreparedStatement(
            db, "SELECT 1 FROM history WHERE message = ? AND removed_at IS NULL LIMIT 1")
        let rejudging = try Rejudging(db, policy: policy)
        var opened = 0
        for message in messages {
            hasHistory.bind(1, message.rawValue)
            guard try hasHistory.first({ _ in true }) == nil,
                let facts = try decisions.facts(of: message), facts.state == .archived,
                let finding = try rejudging.judge(message)
            else { continue }
            switch finding.result.verdict {
            case .linked(let contacts):
                // It may answer mail of ours that stands with somebody.
                for contact in contacts where contact.answered != nil {
                    try decisions.link(
                        message, contact: contact, by: .newAddress, sortDate: facts.sortDate)
                }
                hasHistory.bind(1, message.rawValue)
                if try hasHistory.first({ _ in true }) != nil { continue }
                // A person has said of whoever it leads to that it is not theirs.
                let participant = finding.participants.first {
                    $0.canonical == contacts.first?.canonical
                }
                try wait(
                    for: ReviewSubject(
                        participant: participant?.participant, canonical: participant?.canonical,
                        kind: .unlinked), message, facts)
                opened += 1
            case .review(let subject):
                try wait(for: subject, message, facts)
                opened += 1
            case .ignored(let rule):
                try decisions.ignore(message, rule: rule, resolution: nil, by: "")
            case .internal:
                try decisions.settle(
                    message, as: .ignored, reason: Decisions.internalReason, resolution: nil, by: "")
            }
        }
        return opened
    }

    private func wait(
        for subject: ReviewSubject, _ message: ArchivedMessageID, _ facts: Decisions.Facts
    ) throws {
        try decisions.settle(message, as: .review, resolution: nil, by: "")
        let address = subject.participant?.mailbox.address
        try decisions.open(
            message, address: try address.map { try addresses.entry($0).id }, email: address?.lowercased,
            reason: subject.reason, kind: subject.kind, sortDate: facts.sortDate)
    }

    /// Replaces tags, telephone numbers and users.
    func setDetails(_ details: ContactDetails, of contact: ContactID) throws {
        for table in ["contact_tags", "contact_phones", "contact_users"] {
            try PreparedStatement(db, "DELETE FROM \(table) WHERE contact = ?").run(contact.rawValue)
        }
        try addDetails(details, to: contact)
    }

    /// Adds tags, telephone numbers and users to those that are there.
    ///
    /// - Returns: whether one of the tags, of the numbers and of the users was not there.
    @discardableResult
    func addDetails(
        _ details: ContactDetails, to contact: ContactID
    ) throws -> (tags: Bool, phones: Bool, users: Bool) {
        let start = db.totalChangesCount
        let tag = try PreparedStatement(db, "INSERT OR IGNORE INTO contact_tags(contact, tag) VALUES (?, ?)")
        for name in details.tags {
            tag.bind(1, contact.rawValue)
            try tag.bind(2, name)
            try tag.run()
        }
        let afterTags = db.totalChangesCount
        let phone = try PreparedStatement(
            db,
            """
            INSERT OR IGNORE INTO contact_phones(contact, digits, position, number)
            VALUES (?1, ?2, coalesce((SELECT max(position) + 1 FROM contact_phones WHERE contact = ?1), 0), ?3)
            """)
        for number in details.phones {
            guard let digits = PhoneNumber(number)?.digits else {
                throw MailFailure.invalid(
                    "This is not a telephone number", number, remedy: "Write 7 to 15 digits.")
            }
            phone.bind(1, contact.rawValue)
            try phone.bind(2, digits)
            try phone.bind(3, number)
            try phone.run()
        }
        let afterPhones = db.totalChangesCount
        let user = try PreparedStatement(
            db, "INSERT OR IGNORE INTO contact_users(contact, user) VALUES (?, ?)")
        for id in details.users {
            user.bind(1, contact.rawValue)
            user.bind(2, id.rawValue)
            try user.run()
        }
        return (afterTags > start, afterPhones > afterTags, db.totalChangesCount > afterPhones)
    }
}

extension PreparedStatement {
    fileprivate func run(_ argument: Int64) throws {
        bind(1, argument)
        try run()
    }
}
