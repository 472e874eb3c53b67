import GRDB
public import MailModel
public import Matcher

extension Archive {
    /// What the mail under one address says about who writes there: name, address, and the organisation whose
    /// domain it is, when that is one and no public provider's. Nothing is changed.
    ///
    /// - Parameter selection: open items under one address.
    /// - Throws: `unknown.review-item`, `rights.missing`; `value.invalid` for several addresses, or none.
    public func contactDraft(
        from selection: ReviewSelection, kind: Contact.Kind = .person
    ) throws(MailFailure) -> ContactDraft {
        try read { db, sight in
            try sight.demand(.review)
            return try Self.draft(from: Self.open(selection, db, sight), kind: kind, db, sight)
        }
    }

    /// Makes a contact of who writes under an address; its mail enters the new history, and the items that are
    /// named leave the queue. All of it is one action.
    ///
    /// - Parameter change: what a person knows better than the mail.
    /// - Throws: as `contactDraft`; `name.taken`, `unknown.contact`, `rights.missing`, `rights.undisclosed`.
    public func createContact(
        from selection: ReviewSelection, kind: Contact.Kind = .person, by person: String,
        change: (inout ContactDraft) -> Void = { _ in }
    ) throws(MailFailure) -> (id: ContactID, draft: ContactDraft, outcome: ReviewOutcome) {
        let time = now()
        return try writeReversibly(.review) { db in
            let sight = try Sight(viewer, db)
            try sight.demand(.review)
            try sight.demand(.contacts)
            let items = try Self.openToLink(selection, db, sight)
            var draft = try Self.draft(from: items, kind: kind, db, sight)
            change(&draft)
            draft.owner = draft.owner ?? sight.rights?.user
            try Self.require(draft, within: sight, db)
            try Self.check(draft, besides: nil, db)
            let writer = try ContactWriter(db, sight, time: time, policy: matching)
            let decisions = try Decisions(db, time: time)
            let id = try writer.insert(draft)
            var outcome = ReviewOutcome()
            for email in draft.emails { outcome.gain = try outcome.gain + writer.give(email, to: id) }
            // What the address alone does not move, such as a report, moves by the hand that named it.
            for item in items {
                outcome.closed.append(item.id)
                Act.concerns("message \(item.message)")
                guard let facts = try decisions.facts(of: item.message), facts.state != .archived else {
                    continue
                }
                try decisions.link(
                    item.message, contact: id, role: item.role, email: item.email, by: .person(person),
                    sortDate: facts.sortDate)
                try decisions.settle(item.message, as: .archived, resolution: .linked, by: person)
            }
            return (id, draft, outcome)
        }
    }

    private static func draft(
        from items: [OpenItem], kind: Contact.Kind, _ db: Database, _ sight: Sight
    ) throws -> ContactDraft {
        guard let item = items.last, let address = item.address, let canonical = item.canonical,
            let email = Self.address(item.email)
        else {
            throw MailFailure.invalid(
                "No address could be read in this mail",
                remedy: "Make the contact by hand: mailworker contact add")
        }
        guard Set(items.map(\.address)).count == 1 else {
            throw MailFailure.invalid(
                "The items wait under several addresses", remedy: "Make one contact at a time.")
        }
        // The newest name that came with the address.
        let name = try String.fetchOne(
            db,
            sql: """
                SELECT p.name FROM participants p JOIN messages m ON m.id = p.message
                WHERE p.address = ? AND p.name IS NOT NULL AND trim(p.name) <> ''
                    AND \(sight.mayReview(message: "p.message"))
                ORDER BY m.sort_date DESC LIMIT 1
                """, arguments: [address])
        var draft = ContactDraft(kind: kind, name: PersonName.guess(displayName: name, address: email))
        draft.emails = [email]
        draft.details.phones = try phones(of: items, db)
        if kind != .organisation { draft.organisation = try organisation(at: canonical, db, sight) }
        return draft
    }

    /// The telephone numbers under the newest of the mail that has some; our own mail has our own.
    private static func phones(of items: [OpenItem], _ db: Database) throws -> [String] {
        let signature = try PreparedStatement(
            db,
            "SELECT signature FROM messages WHERE id = ? AND direction = 'incoming' AND signature IS NOT NULL"
        )
        // Newest first, as suggestions look at them.
        for item in items.sorted(by: { $0.id.rawValue > $1.id.rawValue }).prefix(20) {
            signature.bind(1, item.message.rawValue)
            let numbers = try signature.first { PhoneNumber.named(in: $0.text(0)) } ?? []
            if !numbers.isEmpty { return numbers.prefix(3).map(\.text) }
        }
        return []
    }

    /// The one organisation whose addresses lie at a domain.
    static func organisation(
        at canonical: CanonicalAddress, _ db: Database, _ sight: Sight
    ) throws -> ContactID? {
        let domain = String(canonical.domain)
        guard !PublicMailDomain.contains(domain) else { return nil }
        let found = try Int64.fetchAll(
            db,
            sql: """
                SELECT DISTINCT o.id FROM contact_addresses ca JOIN contacts c ON c.id = ca.contact
                    JOIN contacts o ON o.id = CASE c.kind WHEN 'organisation' THEN c.id ELSE c.organisation END
                WHERE ca.domain = ? AND \(sight.sees(contact: "o")) LIMIT 2
                """, arguments: [domain])
        return found.count == 1 ? ContactID(rawValue: found[0]) : nil
    }
}
