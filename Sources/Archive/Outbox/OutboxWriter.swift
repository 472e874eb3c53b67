import GRDB
public import MailModel

/// The writes of a delivery within one transaction, on compiled statements: a fast server takes
/// thousands of mails a second.
///
/// `settle` is the one place where an item's state is made from those of its recipients.
final class OutboxWriter {
    let db: Database
    let time: UnixTime
    /// Whether bytes go that nobody needs any more.
    var letsGo = true
    private let bounces: BounceRule?
    private let headOf, canonicalOf, begin, markSending, count, countSecond, setRecipient, addReply, states,
        settleItem, refusedOf, isNotSlow, accountOf: PreparedStatement
    /// What was begun by account, and the accounts whose server has taken mail; stored by `finish`.
    private var begun: [Int64: (messages: Int, recipients: Int)] = [:]
    private var sending: Set<Int64> = []
    /// As they are in this transaction.
    private var accounts: [Int64: SendingAccount] = [:]
    private var blocked: [Int64: Bool] = [:]

    private struct SendingAccount {
        var name: String
        var revision: Int64
        var isEnabled: Bool
    }

    /// - Parameter bounces: what a refused address leads to; nil where no server was asked.
    init(_ db: Database, time: UnixTime, bounces: BounceRule? = nil) throws {
        self.db = db
        self.time = time
        self.bounces = bounces
        headOf = try PreparedStatement(
            db,
            """
            SELECT holder, account, kind <> 'single', data_begun_at IS NOT NULL, attempts, filing <> 'none'
            FROM outbox WHERE id = ?
            """
        )
        canonicalOf = try PreparedStatement(
            db, "SELECT canonical FROM outbox_recipients WHERE item = ? AND position = ?")
        isNotSlow = try PreparedStatement(
            db,
            """
            DELETE FROM send_pauses WHERE account = ? AND until <= ? AND code IN (\(Archive.pausesUntilTaken))
            """)
        accountOf = try PreparedStatement(db, "SELECT name, revision, is_enabled FROM accounts WHERE id = ?")
        begin = try PreparedStatement(
            db, "UPDATE outbox SET data_begun_at = ?, first_try = coalesce(first_try, ?) WHERE id = ?")
        markSending = try PreparedStatement(
            db, "UPDATE outbox_recipients SET state = 'sending' WHERE item = ? AND position = ?")
        count = try PreparedStatement(
            db,
            """
            INSERT INTO send_counts(account, minute, messages, recipients) VALUES (?, ?, ?, ?)
            ON CONFLICT(account, minute) DO UPDATE
                SET messages = messages + excluded.messages, recipients = recipients + excluded.recipients
            """)
        countSecond = try PreparedStatement(
            db,
            """
            INSERT INTO send_seconds(account, at, messages) VALUES (?, ?, ?)
            ON CONFLICT(account, at) DO UPDATE SET messages = messages + excluded.messages
            """)
        setRecipient = try PreparedStatement(
            db,
            """
            UPDATE outbox_recipients SET state = ?1, code = coalesce(?2, code), status = coalesce(?3, status),
                reply = coalesce(?4, reply), replied_at = CASE WHEN ?4 IS NULL THEN replied_at ELSE ?5 END,
                tries = tries + (?1 = 'retry' AND ?9), next_try = CASE WHEN ?1 = 'retry' THEN ?8 END
            WHERE item = ?6 AND position = ?7
            """)
        refusedOf = try PreparedStatement(
            db,
            """
            SELECT email, reply FROM outbox_recipients WHERE item = ? AND state = ? AND reply IS NOT NULL
            ORDER BY position LIMIT 1
            """)
        addReply = try PreparedStatement(
            db,
            """
            INSERT INTO outbox_replies(item, position, attempt, at, stage, code, status, text)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        states = try PreparedStatement(db, "SELECT state, next_try FROM outbox_recipients WHERE item = ?")
        settleItem = try PreparedStatement(
            db,
            """
            UPDATE outbox SET state = ?1, holder = NULL, claimed_at = NULL,
                data_begun_at = CASE WHEN ?1 = 'uncertain' THEN coalesce(data_begun_at, ?2) END,
                next_try = CASE WHEN ?1 IN ('queued', 'retry') THEN ?3 END,
                finished_at = CASE WHEN ?1 = 'sent' OR ?1 = 'failed' OR ?1 = 'cancelled' THEN ?2 END,
                attempts = attempts + ?4, first_try = CASE WHEN ?11 THEN coalesce(first_try, ?2)
                    ELSE first_try END,
                reason_code = CASE WHEN ?5 THEN reason_code ELSE ?6 END,
                reason = CASE WHEN ?5 THEN reason ELSE ?7 END,
                remedy = CASE WHEN ?5 THEN remedy ELSE ?8 END,
                filing = CASE WHEN ?9 AND filing = 'none' THEN 'due' ELSE filing END,
                copy = CASE WHEN ?9 AND copy = 'none' THEN ?12 ELSE copy END,
                copy_next = CASE WHEN ?9 AND copy = 'none' THEN CASE WHEN ?12 = 'due' THEN ?2 END
                    ELSE copy_next END,
                copy_error = CASE WHEN ?9 AND copy = 'none' AND ?12 <> 'due' THEN NULL ELSE copy_error END,
                -- Looks for an uncertain mail were none for its copy.
                copy_tries = CASE WHEN ?9 AND copy = 'none' THEN 0 ELSE copy_tries END
            WHERE id = ?10
            """)
    }

    /// `finish` must follow within the transaction.
    ///
    /// - Returns: whether the claim still is this process's; if not, nothing was noted.
    func note(_ note: OutboxNote, holder: String) throws -> Bool {
        switch note {
        case .begins(let item, let positions, let revision):
            guard let head = try head(of: item), head.holder == holder, try mayBegin(item, head, positions),
                try !isBlocked(head.account),
                try revision.map({ try isAsOpened(head.account, $0) }) ?? true
            else { return false }
            begin.bind(1, time.rawValue)
            begin.bind(2, time.rawValue)
            begin.bind(3, item.rawValue)
            try begin.run()
            for position in positions {
                markSending.bind(1, item.rawValue)
                markSending.bind(2, position)
                try markSending.run()
            }
            let before = begun[head.account] ?? (0, 0)
            begun[head.account] = (before.messages + 1, before.recipients + positions.count)
        case .ended(let ending):
            guard let head = try head(of: ending.item), head.holder == holder else { return false }
            try end(ending, head)
            if ending.outcomes.values.contains(.sent) { sending.insert(head.account) }
        }
        return true
    }

    /// Stores what is counted for all that was noted.
    func finish() throws {
        for (account, sums) in begun {
            count.bind(1, account)
            count.bind(2, time.rawValue / 60)
            count.bind(3, sums.messages)
            count.bind(4, sums.recipients)
            try count.run()
            countSecond.bind(1, account)
            countSecond.bind(2, time.rawValue)
            countSecond.bind(3, sums.messages)
            try countSecond.run()
        }
        for account in sending {
            isNotSlow.bind(1, account)
            isNotSlow.bind(2, time.rawValue)
            try isNotSlow.run()
        }
        begun = [:]
        sending = []
    }

    struct Head {
        var holder: String?
        var account: Int64
        var isProgram: Bool
        var hasBegun: Bool
        var attempts: Int64
        /// Whether a part of it was sent before.
        var isFiled: Bool
    }

    private func head(of item: OutboxID) throws -> Head? {
        headOf.bind(1, item.rawValue)
        return try headOf.first { row in
            Head(
                holder: row.optionalText(0), account: row.int64(1), isProgram: row.int64(2) != 0,
                hasBegun: row.int64(3) != 0, attempts: row.int64(4), isFiled: row.int64(5) != 0)
        }
    }

    /// Not twice under one claim; and automatic and mass mail not to whom it must not go since it was claimed. The claim
    /// is given back then, and the next one leaves that recipient out.
    private func mayBegin(_ item: OutboxID, _ head: Head, _ positions: [Int]) throws -> Bool {
        guard !head.hasBegun else { return false }
        return try !head.isProgram
            || !positions.contains { position in
                try canonical(item, position).map { try Archive.isKeptFromMail($0, db, at: time) } ?? false
            }
    }

    private func isAsOpened(_ account: Int64, _ revision: Int64) throws -> Bool {
        try self.account(account).map { $0.isEnabled && $0.revision == revision } ?? false
    }

    private func account(_ id: Int64) throws -> SendingAccount? {
        if let known = accounts[id] { return known }
        accountOf.bind(1, id)
        accounts[id] = try accountOf.first {
            SendingAccount(name: $0.text(0), revision: $0.int64(1), isEnabled: $0.int64(2) != 0)
        }
        return accounts[id]
    }

    /// Why what is left of a mail goes no further by itself.
    private func senderIsOut(_ ending: OutboxEnding) throws -> MailFailure? {
        guard !ending.outcomes.values.allSatisfy({ $0 == .sent || $0 == .failed }) else { return nil }
        let query = try PreparedStatement(
            db,
            """
            SELECT u.name FROM outbox o JOIN users u ON u.id = o.user OR u.name = o.requested_by
            WHERE o.id = ? AND u.is_enabled = 0 LIMIT 1
            """)
        query.bind(1, ending.item.rawValue)
        return try query.first { MailFailure.senderIsOut($0.text(0)) }
    }

    /// Another connection, process or account of the mailbox may have met the provider's block meanwhile.
    private func isBlocked(_ account: Int64) throws -> Bool {
        if let known = blocked[account] { return known }
        let isAnyBlocked = try PreparedStatement(
            db, "SELECT EXISTS (SELECT 1 FROM send_pauses WHERE code = ?)")
        try isAnyBlocked.bind(1, MailFailure.Code.sendingBlocked.rawValue)
        let isBlocked =
            try isAnyBlocked.first { $0.int64(0) != 0 } == true
            && Archive.pause(of: AccountID(rawValue: account), at: time, db)?.failure.code == .sendingBlocked
        blocked[account] = isBlocked
        return isBlocked
    }

    private func canonical(_ item: OutboxID, _ position: Int) throws -> String? {
        canonicalOf.bind(1, item.rawValue)
        canonicalOf.bind(2, position)
        return try canonicalOf.first { $0.text(0) }
    }

    private func end(_ ending: OutboxEnding, _ head: Head) throws {
        for (position, state) in ending.outcomes.sorted(by: { $0.key < $1.key }) {
            let own = ending.replies.last { $0.position == position }
            let common = ending.replies.last { $0.position == nil }
            // A RCPT that was accepted says nothing about the mail; what came after it does.
            let isRefused = own?.code.map { $0 >= 400 } ?? false
            let reply = isRefused ? own : common ?? own
            try set(
                ending.item, position, state, reply,
                until: ending.weight == .account ? nil : ending.nextTries[position] ?? ending.nextTry,
                isTry: ending.weight == .attempt)
            if state == .failed, own?.status != nil, let bounces {
                try consider(ending.item, position, bounces)
            }
        }
        for reply in ending.replies { try add(reply, ending.item, attempt: ending.attempt) }
        // Through an account that was switched off meanwhile nothing goes on its way again by itself.
        let off =
            try account(head.account).flatMap { $0.isEnabled ? nil : MailFailure.accountIsOff($0.name) }
            ?? senderIsOut(ending)
        try settle(
            ending.item, nextTry: ending.nextTry, isHeld: ending.isHeld || off != nil,
            failure: ending.weight == .nothing ? off ?? ending.failure : ending.failure ?? off,
            weight: ending.weight, isCopiedByServer: ending.isCopiedByServer, head: head)
    }

    /// A server that knows no such address says at once what others report later.
    private func consider(_ item: OutboxID, _ position: Int, _ bounces: BounceRule) throws {
        guard let canonical = try canonical(item, position) else { return }
        try Suppressing(db: db, time: time, rule: bounces).consider(canonical)
    }

    /// - Parameters:
    ///   - next: when the recipient is tried again, in state `retry`; nil: with the mail.
    ///   - isTry: whether that state counts as a try.
    func set(
        _ item: OutboxID, _ position: Int, _ state: OutboxRecipientState, _ reply: OutboxReplyRecord?,
        until next: UnixTime? = nil, isTry: Bool = true
    ) throws {
        try setRecipient.bind(1, state.rawValue)
        setRecipient.bind(2, reply?.code.map(Int64.init))
        try setRecipient.bind(3, reply?.status)
        try setRecipient.bind(4, reply?.text)
        setRecipient.bind(5, time.rawValue)
        setRecipient.bind(6, item.rawValue)
        setRecipient.bind(7, position)
        setRecipient.bind(8, next?.rawValue)
        setRecipient.bind(9, isTry)
        try setRecipient.run()
    }

    func add(_ reply: OutboxReplyRecord, _ item: OutboxID, attempt: Int) throws {
        addReply.bind(1, item.rawValue)
        addReply.bind(2, reply.position.map(Int64.init))
        addReply.bind(3, attempt)
        addReply.bind(4, time.rawValue)
        try addReply.bind(5, reply.stage.rawValue)
        addReply.bind(6, reply.code.map(Int64.init))
        try addReply.bind(7, reply.status)
        try addReply.bind(8, reply.text)
        try addReply.run()
    }

    /// What the recipients' states make of their item; a pure table, tested by itself.
    static func state(
        of recipients: [OutboxRecipientState], isHeld: Bool, wasTried: Bool
    ) -> OutboxState {
        if recipients.contains(.uncertain) { return .uncertain }
        if recipients.contains(where: { [.waiting, .retry, .sending].contains($0) }) {
            return isHeld ? .held : wasTried ? .retry : .queued
        }
        if recipients.contains(.failed) { return .failed }
        return recipients.contains(.sent) ? .sent : .cancelled
    }

    /// Ends a claim, or a wait for a person.
    ///
    /// - Parameters:
    ///   - nextTry: of recipients that have no time of their own.
    ///   - failure: nil keeps the present reason where the item goes on waiting; else what its recipients were told
    ///     is the reason.
    ///   - weight: what of it counts against the item.
    ///   - isCopiedByServer: whether the Sent folder gets its copy without us.
    ///   - known: the item as it was, where it was read already.
    func settle(
        _ item: OutboxID, nextTry: UnixTime, isHeld: Bool, failure: MailFailure?,
        weight: OutboxEnding.Weight, asQueued: Bool = false, isCopiedByServer: Bool = false,
        head known: Head? = nil
    ) throws {
        var recipients: [OutboxRecipientState] = []
        var times: [UnixTime] = []
        states.bind(1, item.rawValue)
        try states.forEachRow { row in
            guard let state = OutboxRecipientState(rawValue: row.text(0)) else { return }
            recipients.append(state)
            if [.waiting, .sending, .retry].contains(state) {
                times.append(row.optionalInt64(1).map { UnixTime($0) } ?? nextTry)
            }
        }
        guard let head = try known ?? head(of: item) else { return }
        var state = Self.state(
            of: recipients, isHeld: isHeld, wasTried: weight != .nothing || head.attempts > 0)
        if asQueued, state == .retry { state = .queued }
        // Who waits must say why; a claim that was given back keeps the reason that it had.
        let keepsReason = failure == nil && weight == .nothing && state == .retry
        try settleItem.bind(1, state.rawValue)
        settleItem.bind(2, time.rawValue)
        settleItem.bind(3, (times.min() ?? nextTry).rawValue)
        settleItem.bind(4, weight == .attempt ? 1 : 0)
        settleItem.bind(5, keepsReason)
        let isTold = ![OutboxState.sent, .queued, .cancelled].contains(state)
        let failure = try failure ?? (isTold && !keepsReason ? refusal(of: item, state) : nil)
        try settleItem.bind(6, isTold ? failure?.code.rawValue : nil)
        try settleItem.bind(
            7,
            isTold
                ? failure.map { [$0.summary, $0.detail].compactMap { $0 }.joined(separator: ": ") }
                    ?? "It was given back before the server answered" : nil)
        try settleItem.bind(8, isTold ? failure?.remedy : nil)
        settleItem.bind(9, recipients.contains(.sent))
        settleItem.bind(10, item.rawValue)
        settleItem.bind(11, weight != .nothing)
        // An uncertain one is looked for there.
        try settleItem.bind(12, isCopiedByServer && state != .uncertain ? "unneeded" : "due")
        try settleItem.run()
        // It may have been filed and copied when the first of its recipients had it.
        if letsGo, (state == .sent && head.isFiled) || state == .cancelled {
            try Archive.dropContent(of: item, db)
        }
    }

    /// What the server said of a recipient in an earlier part of a mail that goes in parts.
    private func refusal(of item: OutboxID, _ state: OutboxState) throws -> MailFailure? {
        refusedOf.bind(1, item.rawValue)
        try refusedOf.bind(2, state == .failed ? "failed" : "retry")
        return try refusedOf.first { row in
            MailFailure(
                .recipientRefused, kind: state == .failed ? .permanent : .transient,
                "The server refused a recipient", detail: "\(row.text(0)): \(row.text(1))",
                remedy: "See what it said of each: mailworker outbox show ID.")
        }
    }
}

extension MailFailure.Code {
    /// The server does not take the mail for one of its recipients.
    public static let recipientRefused = Self("send.recipient-refused")
}
