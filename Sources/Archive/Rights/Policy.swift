/// Somebody's rights at one moment: those of their role, within their department.
public struct Rights: Sendable, Hashable {
    public var user: UserID
    public var department: DepartmentID?
    /// A right that is not in it is not given.
    public var scopes: [Right: Scope]

    public init(user: UserID, department: DepartmentID?, scopes: [Right: Scope]) {
        self.user = user
        self.department = department
        self.scopes = scopes
    }

    public func scope(_ right: Right) -> Scope { scopes[right] ?? .none }
}

/// Who may see and change what, as a specification. Pure, and asked by tests only: the program asks `Sight`, which holds
/// the same rule as conditions for the database, and a property test holds the two together.
///
/// - A contact is reached by its owner, by the users that are named for it, and, unless it is
///   private, by those whose scope its owner lies in. A contact without an owner is reached by
///   the scope `all` only.
/// - A message is seen through the history of a contact that is reached, through one's own
///   mailbox, through the mailboxes that one's scope reaches, and, while it waits in the queue,
///   by those who review the mailbox. What stands in the history of a private contact that is not
///   reached is seen through one's own mailbox only, whoever else's history it stands in.
/// - How much of it is seen is decided copy by copy: of one's own copy everything, of another one
///   what its account shows to colleagues. A copy that nothing gives counts for nothing, so that
///   the sender's list of blind recipients stays with those who see the sender's copy.
/// - A contact is given to an owner whom the scope of the right to make contacts reaches. Mail that is
///   here follows an address as far as whoever gives it sees or may review that mail, and sees no
///   more of it afterwards.
public enum Policy {
    /// Whose something is.
    public struct Owner: Sendable, Hashable {
        public var user: UserID
        public var department: DepartmentID?

        public init(user: UserID, department: DepartmentID?) {
            self.user = user
            self.department = department
        }
    }

    public struct ContactFacts: Sendable, Hashable {
        public var owner: Owner?
        public var isPrivate: Bool
        /// Who besides the owner sees it.
        public var named: Set<UserID>

        public init(owner: Owner?, isPrivate: Bool = false, named: Set<UserID> = []) {
            self.owner = owner
            self.isPrivate = isPrivate
            self.named = named
        }
    }

    public struct CopyFacts: Sendable, Hashable {
        /// The user of the account in which it lies.
        public var mailbox: Owner?
        /// What the account shows to its user's colleagues.
        public var shows: Disclosure
        /// From a Sent folder or an import: what the sender has, with blind recipients.
        public var isSenders: Bool

        public init(mailbox: Owner?, shows: Disclosure = .everything, isSenders: Bool = false) {
            self.mailbox = mailbox
            self.shows = shows
            self.isSenders = isSenders
        }
    }

    public struct MessageFacts: Sendable, Hashable {
        public var copies: [CopyFacts]
        /// The contacts in whose histories it stands.
        public var contacts: [ContactFacts]
        /// An open item in the queue asks about it.
        public var isWaiting: Bool
        /// Somebody has put other words in place of its own.
        public var isEdited: Bool
        public var hasBlindRecipients: Bool

        public init(
            copies: [CopyFacts], contacts: [ContactFacts] = [], isWaiting: Bool = false,
            isEdited: Bool = false, hasBlindRecipients: Bool = false
        ) {
            self.copies = copies
            self.contacts = contacts
            self.isWaiting = isWaiting
            self.isEdited = isEdited
            self.hasBlindRecipients = hasBlindRecipients
        }
    }

    /// Whether the scope of a right takes in what this owner has.
    public static func reaches(_ right: Right, _ owner: Owner?, _ rights: Rights) -> Bool {
        switch rights.scope(right) {
        case .none: false
        case .own: owner?.user == rights.user
        case .department:
            owner?.user == rights.user || (rights.department != nil && owner?.department == rights.department)
        case .all: true
        }
    }

    /// Whether somebody reaches a contact with a right. Named users see it and its history; to
    /// change it is its owner's, and theirs whose scope the owner lies in.
    public static func reaches(_ right: Right, _ contact: ContactFacts, _ rights: Rights) -> Bool {
        guard rights.scope(right) > .none else { return false }
        if contact.owner?.user == rights.user { return true }
        if right == .read, contact.named.contains(rights.user) { return true }
        return !contact.isPrivate && reaches(right, contact.owner, rights)
    }

    /// Whether the contact exists for somebody.
    public static func sees(_ contact: ContactFacts, _ rights: Rights) -> Bool {
        reaches(.read, contact, rights) || reaches(.contacts, contact, rights)
    }

    /// What somebody sees of a copy; nil for nothing.
    public static func disclosure(
        of copy: CopyFacts, in message: MessageFacts, to rights: Rights
    ) -> Disclosure? {
        let isOwn = copy.mailbox?.user == rights.user
        if isOwn, rights.scope(.read) > .none || (message.isWaiting && rights.scope(.review) > .none) {
            return .everything
        }
        guard !hidesPrivate(message, rights) else { return nil }
        if message.contacts.contains(where: { reaches(.read, $0, rights) }) { return copy.shows }
        if reaches(.read, copy.mailbox, rights) { return copy.shows }
        // Nobody can decide about what they must not know.
        if message.isWaiting, reaches(.review, copy.mailbox, rights), copy.shows >= .people {
            return copy.shows
        }
        return nil
    }

    /// What somebody sees of a message; nil when it does not exist for them.
    public static func disclosure(of message: MessageFacts, to rights: Rights) -> Disclosure? {
        message.copies.compactMap { disclosure(of: $0, in: message, to: rights) }.max()
    }

    /// Whether somebody sees its blind recipients: through a sender's copy, or when no copy is
    /// withheld from which they may come.
    public static func disclosesBlindRecipients(_ message: MessageFacts, to rights: Rights) -> Bool {
        let seen = message.copies.map { (copy: $0, sees: disclosure(of: $0, in: message, to: rights)) }
        func people(_ disclosure: Disclosure?) -> Bool { disclosure.map { $0 >= .people } ?? false }
        return seen.contains { $0.copy.isSenders && people($0.sees) } || seen.allSatisfy { people($0.sees) }
    }

    /// Whether somebody may have the bytes of a copy as they came. Those of an edited message are for the user of the
    /// mailbox and whoever reviews it; everybody else has the words of the edit.
    public static func disclosesOriginal(
        of copy: CopyFacts, in message: MessageFacts, to rights: Rights
    ) -> Bool {
        guard disclosure(of: copy, in: message, to: rights) == .everything else { return false }
        return !message.isEdited || decides(about: copy, in: message, rights)
    }

    /// Whether somebody may decide where a message belongs.
    public static func mayReview(_ message: MessageFacts, _ rights: Rights) -> Bool {
        rights.scope(.review) > .none && message.copies.contains { decides(about: $0, in: message, rights) }
    }

    /// Whether somebody may decide about all of it: make it private, edit its words.
    public static func mayReviewAll(_ message: MessageFacts, _ rights: Rights) -> Bool {
        rights.scope(.review) > .none && message.copies.allSatisfy { decides(about: $0, in: message, rights) }
    }

    /// Whether somebody may make a contact this owner's, or nobody's.
    public static func mayGive(to owner: Owner?, _ rights: Rights) -> Bool {
        reaches(.contacts, owner, rights)
    }

    /// Whether a message that is here follows an address that somebody gives to a contact. Its history shows every
    /// copy; it must show them no more than they see already.
    public static func mayFollow(_ message: MessageFacts, by rights: Rights) -> Bool {
        let seen = disclosure(of: message, to: rights)
        guard mayReview(message, rights) || (seen != nil && !message.isWaiting) else { return false }
        guard rights.scope(.read) > .none else { return true }
        let shown = message.copies.map(\.shows)
        guard let seen, shown.allSatisfy({ $0 <= seen }) else { return false }
        let showsBlind =
            message.copies.contains { $0.isSenders && $0.shows >= .people }
            || shown.allSatisfy { $0 >= .people }
        return !message.hasBlindRecipients || !showsBlind || disclosesBlindRecipients(message, to: rights)
    }

    private static func decides(
        about copy: CopyFacts, in message: MessageFacts, _ rights: Rights
    ) -> Bool {
        if copy.mailbox?.user == rights.user { return true }
        return reaches(.review, copy.mailbox, rights) && copy.shows >= .people
            && !hidesPrivate(message, rights)
    }

    private static func hidesPrivate(_ message: MessageFacts, _ rights: Rights) -> Bool {
        message.contacts.contains { $0.isPrivate && !reaches(.read, $0, rights) }
    }
}
