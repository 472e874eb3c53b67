import GRDB
import MailModel

/// Who sees and changes what, as conditions for the database, for one transaction. Every read and change that a
/// person can cause has one of them; `Policy` says the same in Swift, to hold it against.
///
/// The conditions are text without arguments (numbers only), true or false and never NULL.
struct Sight {
    /// Nil for the administrator.
    let rights: Rights?

    init(_ viewer: Viewer, _ db: Database) throws {
        guard case .user(let user, let limit) = viewer else {
            rights = nil
            return
        }
        var found = Rights(user: user, department: nil, scopes: [:])
        let query = try PreparedStatement(
            db,
            """
            SELECT u.department, r.right_name, r.scope FROM users u
                LEFT JOIN role_rights r ON r.role = u.role
            WHERE u.id = ? AND u.is_enabled = 1
            """)
        query.bind(1, user.rawValue)
        try query.forEachRow { row in
            found.department = row.optionalInt64(0).map { DepartmentID(rawValue: $0) }
            guard let right = Right(rawValue: row.text(1)), limit.contains(right) else { return }
            found.scopes[right] = Scope(rawValue: row.text(2))
        }
        rights = found
    }

    private init(rights: Rights?) { self.rights = rights }

    static let administrator = Sight(rights: nil)

    func has(_ right: Right, _ scope: Scope = .own) -> Bool {
        rights.map { $0.scope(right) >= scope } ?? true
    }

    /// - Throws: `rights.missing`.
    func demand(_ right: Right, _ scope: Scope = .own) throws {
        guard has(right, scope) else { throw MailFailure.missing(right, scope) }
    }

    // MARK: - Contacts

    /// Whether a contact exists for the viewer.
    ///
    /// - Parameter contact: the name that the row of `contacts` has in the statement.
    func sees(contact: String) -> String {
        guard rights != nil else { return "1" }
        return "(\(reaches(.read, contact: contact)) OR \(reaches(.contacts, contact: contact)))"
    }

    /// Whether a right reaches a contact; `read` is what shows its history.
    func reaches(_ right: Right, contact: String) -> String {
        guard let rights else { return "1" }
        let scope = rights.scope(right)
        guard scope > .none else { return "0" }
        var ways = ["\(contact).owner IS \(rights.user.rawValue)"]
        if right == .read {
            ways.append(
                """
                EXISTS (SELECT 1 FROM contact_users WHERE contact = \(contact).id
                    AND user = \(rights.user.rawValue))
                """)
        }
        if scope > .own {
            ways.append("(\(contact).is_private = 0 AND \(reaches(right, owner: "\(contact).owner")))")
        }
        return "(\(ways.joined(separator: " OR ")))"
    }

    /// A contact is given to nobody whom the right to make contacts does not reach.
    ///
    /// - Parameter owner: nil for nobody.
    /// - Throws: `rights.missing`.
    func demandMayGive(to owner: UserID?, _ db: Database) throws {
        guard rights != nil else { return }
        let number = owner.map { "\($0.rawValue)" } ?? "NULL"
        let mayGive = try Bool.fetchOne(db, sql: "SELECT \(reaches(.contacts, owner: number))") ?? false
        guard mayGive else {
            throw MailFailure.missing(.contacts, has(.contacts, .department) ? .all : .department)
        }
    }

    /// Whether a right reaches what a user has.
    ///
    /// - Parameter owner: the column with the user's number; NULL is nobody's.
    func reaches(_ right: Right, owner: String) -> String {
        guard let rights else { return "1" }
        switch rights.scope(right) {
        case .none: return "0"
        case .department:
            guard let department = rights.department else { fallthrough }
            return """
                EXISTS (SELECT 1 FROM users WHERE id = \(owner) AND department = \(department.rawValue))
                """
        case .own: return "(\(owner) IS \(rights.user.rawValue))"
        case .all: return "1"
        }
    }

    // MARK: - Messages

    /// What the viewer sees of a message, as the number of a `Disclosure`; 0 for nothing.
    ///
    /// - Parameters:
    ///   - message: an expression for its number.
    ///   - inHistory: it was found through the history of a contact that `read` reaches.
    func disclosure(message: String, inHistory: Bool = false) -> String {
        guard rights != nil else { return "\(Disclosure.everything.rawValue)" }
        return """
            coalesce((SELECT max(\(copy(message: message, inHistory: inHistory))) FROM ledger l_
                JOIN folders f_ ON f_.id = l_.folder JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(message)), 0)
            """
    }

    /// What the viewer sees of the bytes of one original: of the copies that are these bytes.
    ///
    /// - Parameter original: the name of its row in the statement.
    func disclosure(original: String) -> String {
        guard rights != nil else { return "\(Disclosure.everything.rawValue)" }
        return """
            coalesce((SELECT max(\(copy(message: "\(original).message"))) FROM ledger l_
                JOIN folders f_ ON f_.id = l_.folder JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(original).message AND l_.original = \(original).id), 0)
            """
    }

    /// Whether the viewer may read the bytes of one original though somebody has put other words in place of its own:
    /// the user of the mailbox may, and whoever reviews it. Goes with `disclosure(original:)`.
    func seesUnedited(original: String) -> String {
        guard rights != nil else { return "1" }
        return """
            (NOT EXISTS (SELECT 1 FROM message_edits WHERE message = \(original).message)
                OR EXISTS (SELECT 1 FROM ledger l_ JOIN folders f_ ON f_.id = l_.folder
                    JOIN accounts a_ ON a_.id = f_.account
                    WHERE l_.message = \(original).message AND l_.original = \(original).id
                        AND \(mayReviewCopy(message: "\(original).message"))))
            """
    }

    /// Whether the viewer hears in which folder the copy at `a_` lies: in their own mailbox, and
    /// in those that their rights reach. Who reads it through a contact does not.
    func seesPlace(message: String) -> String {
        guard let rights else { return "1" }
        return """
            (a_.user IS \(rights.user.rawValue) OR \(mayReviewCopy(message: message))
                OR (\(reaches(.read, owner: "a_.user")) AND \(shown) >= \(Disclosure.people.rawValue)
                    AND NOT \(hidesPrivate(message))))
            """
    }

    func sees(message: String) -> String {
        rights == nil ? "1" : "(\(disclosure(message: message)) > 0)"
    }

    /// Whether the viewer sees a message's blind recipients.
    func seesBlindRecipients(message: String) -> String {
        guard rights != nil else { return "1" }
        let people = Disclosure.people.rawValue
        return """
            coalesce((SELECT max(CASE WHEN f_.role = 'sent' OR a_.kind = 'import'
                        THEN \(copy(message: message)) ELSE 0 END) >= \(people)
                    OR min(\(copy(message: message))) >= \(people)
                FROM ledger l_ JOIN folders f_ ON f_.id = l_.folder JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(message)), 0)
            """
    }

    /// What the viewer sees of the copy at `l_`, `f_`, `a_`.
    func copy(message: String, inHistory: Bool = false) -> String {
        guard let rights else { return "\(Disclosure.everything.rawValue)" }
        var ways: [String] = []
        if rights.scope(.read) > .none {
            ways.append("WHEN a_.user IS \(rights.user.rawValue) THEN 3")
        } else if rights.scope(.review) > .none {
            ways.append("WHEN a_.user IS \(rights.user.rawValue) AND \(waits(message)) THEN 3")
        }
        var others: [String] = []
        if inHistory {
            others.append("1")
        } else {
            if rights.scope(.read) > .none { others.append(inReachedHistory(message)) }
            if rights.scope(.read) > .own { others.append(reaches(.read, owner: "a_.user")) }
            if rights.scope(.review) > .own {
                others.append(
                    """
                    (\(reaches(.review, owner: "a_.user")) AND \(shown) >= \(Disclosure.people.rawValue)
                        AND \(waits(message)))
                    """)
            }
        }
        if !others.isEmpty {
            ways.append(
                """
                WHEN (\(others.joined(separator: " OR "))) AND NOT \(hidesPrivate(message)) THEN \(shown)
                """)
        }
        return ways.isEmpty ? "0" : "CASE \(ways.joined(separator: "\n")) ELSE 0 END"
    }

    /// Whether a message is seen that stands in the history of a contact which `read` reaches: less to ask than what
    /// of it is seen.
    func sees(inHistory message: String) -> String {
        guard let rights else { return "1" }
        return """
            (NOT \(hidesPrivate(message)) OR EXISTS (SELECT 1 FROM ledger l_ JOIN folders f_ ON f_.id = l_.folder
                JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(message) AND a_.user IS \(rights.user.rawValue)))
            """
    }

    /// Whether the viewer may decide where a message belongs.
    func mayReview(message: String) -> String {
        guard let rights else { return "1" }
        return rights.scope(.review) == .none
            ? "0"
            : """
            EXISTS (SELECT 1 FROM ledger l_ JOIN folders f_ ON f_.id = l_.folder
                JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(message) AND \(mayReviewCopy(message: message)))
            """
    }

    /// The same for what the queue asks about a message: what waits under the address of a blind recipient is for those
    /// who see the blind recipients.
    ///
    /// - Parameter item: the name of its row of `review_items` in the statement.
    func mayReview(item: String) -> String {
        guard rights != nil else { return "1" }
        return "(\(mayReview(message: "\(item).message")) AND \(seesAddress(item: item)))"
    }

    /// Whether the viewer may know under which address an item waits, or waited.
    func seesAddress(item: String) -> String {
        guard rights != nil else { return "1" }
        return """
            (coalesce((SELECT min(role = 'bcc') FROM participants
                    WHERE message = \(item).message AND address = \(item).address), 0) = 0
                OR \(seesBlindRecipients(message: "\(item).message")))
            """
    }

    /// Whether the viewer may decide about every copy of a message.
    func mayReviewAll(message: String) -> String {
        guard rights != nil else { return "1" }
        return """
            (\(mayReview(message: message)) AND NOT EXISTS (SELECT 1 FROM ledger l_
                JOIN folders f_ ON f_.id = l_.folder JOIN accounts a_ ON a_.id = f_.account
                WHERE l_.message = \(message) AND NOT \(mayReviewCopy(message: message))))
            """
    }

    /// The same for the copy at `a_`.
    func mayReviewCopy(message: String) -> String {
        guard let rights else { return "1" }
        return """
            (a_.user IS \(rights.user.rawValue) OR (\(reaches(.review, owner: "a_.user"))
                AND \(shown) >= \(Disclosure.people.rawValue) AND NOT \(hidesPrivate(message))))
            """
    }

    /// Whether the viewer may decide about anything in the mailbox at `a_`.
    var mayReviewMailbox: String {
        guard let rights else { return "1" }
        guard rights.scope(.review) > .none else { return "0" }
        return """
            (a_.user IS \(rights.user.rawValue) OR (\(reaches(.review, owner: "a_.user"))
                AND \(shown) >= \(Disclosure.people.rawValue)))
            """
    }

    /// Whether a message that is here follows an address that the viewer gives to a contact: what they see or may
    /// review, when the contact's history shows them no more of it.
    func mayFollow(message: String) -> String {
        guard let rights else { return "1" }
        let mayReview = mayReview(message: message)
        guard rights.scope(.read) > .none else { return mayReview }
        let people = Disclosure.people.rawValue
        func copies(_ value: String) -> String {
            """
            (SELECT \(value) FROM ledger l_ JOIN folders f_ ON f_.id = l_.folder
                JOIN accounts a_ ON a_.id = f_.account WHERE l_.message = \(message))
            """
        }
        return """
            (CASE WHEN \(waits(message)) THEN \(mayReview)
                    ELSE \(mayReview) OR \(sees(message: message)) END
                AND \(disclosure(message: message)) >= coalesce(\(copies("max(\(shown))")), 0)
                AND (NOT EXISTS (SELECT 1 FROM participants WHERE message = \(message) AND role = 'bcc')
                    OR \(seesBlindRecipients(message: message))
                    OR coalesce(\(copies("min(\(shown)) < \(people)")), 1)
                        AND NOT coalesce(\(copies(
                            "max((f_.role = 'sent' OR a_.kind = 'import') AND \(shown) >= \(people))")), 0)))
            """
    }

    /// What the account at `a_` shows to its user's colleagues.
    private var shown: String {
        "CASE a_.colleagues_see WHEN 'everything' THEN 3 WHEN 'people' THEN 2 ELSE 1 END"
    }

    private func waits(_ message: String) -> String {
        "EXISTS (SELECT 1 FROM review_items WHERE message = \(message) AND state = 'open')"
    }

    private func inReachedHistory(_ message: String) -> String {
        """
        EXISTS (SELECT 1 FROM history h_ JOIN contacts c_ ON c_.id = h_.contact
            WHERE h_.message = \(message) AND h_.removed_at IS NULL AND \(reaches(.read, contact: "c_")))
        """
    }

    private func hidesPrivate(_ message: String) -> String {
        """
        EXISTS (SELECT 1 FROM history h_ JOIN contacts c_ ON c_.id = h_.contact
            WHERE h_.message = \(message) AND h_.removed_at IS NULL AND c_.is_private = 1
                AND NOT \(reaches(.read, contact: "c_")))
        """
    }
}
