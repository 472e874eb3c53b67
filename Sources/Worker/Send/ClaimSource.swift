import Archive
import MailModel

/// Hands an account's claimed mails to its connections, and claims more when they are used up.
actor ClaimSource {
    private let archive: Archive
    private let account: AccountID
    private let rules: SendRules
    /// Nil for everything that is due.
    private let only: OutboxID?
    private let failed: @Sendable (MailFailure) -> Void
    private var claims: [OutboxClaim] = []
    private var isEnded = false

    init(
        archive: Archive, account: AccountID, rules: SendRules, only: OutboxID?,
        failed: @escaping @Sendable (MailFailure) -> Void
    ) {
        self.archive = archive
        self.account = account
        self.rules = rules
        self.only = only
        self.failed = failed
    }

    /// Mails that are claimed and not handed out.
    var count: Int { claims.count }

    /// The next mail; nil when nothing is due or may be sent.
    func next() -> OutboxClaim? {
        if claims.isEmpty, !isEnded { claim() }
        return claims.isEmpty ? nil : claims.removeFirst()
    }

    /// Makes sure that the first ones are there, to know how many connections they are worth.
    func prepare() -> Int {
        if claims.isEmpty, !isEnded { claim() }
        return claims.count
    }

    /// Hands out nothing more, and gives back what waits here.
    func end() {
        isEnded = true
        guard !claims.isEmpty else { return }
        let now = archive.time
        let notes = claims.map { claim in
            var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: now)
            ending.isUntried = true
            return OutboxNote.ended(ending)
        }
        claims.removeAll()
        do throws(MailFailure) {
            _ = try archive.noteOutbox(notes)
        } catch {
            failed(error)
        }
    }

    private func claim() {
        do throws(MailFailure) {
            let room = only == nil ? max(4, 4 * rules.connections) : 1
            claims = try archive.claimOutbox(account) { facts, now in
                var facts = facts
                if let only { facts.due.removeAll { $0.id != only } }
                return DispatchPlan(facts, rules: rules, room: room, now: now).take
            }
            if only != nil { isEnded = true }
        } catch {
            isEnded = true
            failed(error)
        }
    }
}
