import Archive
import MailModel

/// Hands an account's claimed mails to its connections, and claims more before they are used up.
actor ClaimSource {
    private let archive: Archive
    private let journal: OutboxJournal
    private let account: Account
    /// As of the last claim: somebody may change an account's limits while it sends.
    private(set) var rules: SendRules
    /// Nil for everything that is due.
    private let only: OutboxID?
    private let failed: @Sendable (MailFailure) -> Void
    private let disk = DiskQueue("claims")
    private var claims: [OutboxClaim] = []
    /// Handed out, and not done yet.
    private var out: Set<OutboxID> = []
    private var claiming: Task<Int, Never>?
    /// The last claim had as many as it could take.
    private var mayHaveMore = false
    private var isEnded = false

    init(
        archive: Archive, journal: OutboxJournal, account: Account, rules: SendRules, only: OutboxID?,
        failed: @escaping @Sendable (MailFailure) -> Void
    ) {
        self.archive = archive
        self.journal = journal
        self.account = account
        self.rules = rules
        self.only = only
        self.failed = failed
    }

    /// The next mail; nil when nothing is due or may be sent.
    func next() async -> OutboxClaim? {
        while claims.isEmpty {
            // Others may have taken what came.
            guard !isEnded, await claim() > 0 else { return nil }
        }
        let claim = claims.removeFirst()
        out.insert(claim.id)
        if mayHaveMore, claims.count < 2 * rules.connections, !isEnded, claiming == nil { startClaiming() }
        return claim
    }

    /// The mail's claim has ended. Until then it is not claimed anew: a person may have taken it back and released it
    /// while a connection still is about to send it.
    func done(_ id: OutboxID) { out.remove(id) }

    /// Makes sure that the first ones are there, to know how many connections they are worth.
    func prepare() async -> Int {
        if claims.isEmpty, !isEnded { _ = await claim() }
        return claims.count
    }

    /// Hands out nothing more, and gives back what waits here.
    ///
    /// - Parameter ending: how that ends; nil: as if it had never been claimed.
    func end(_ ending: (@Sendable (OutboxClaim) -> OutboxEnding)? = nil) async {
        isEnded = true
        _ = await claiming?.value
        guard !claims.isEmpty else { return }
        let now = archive.time
        let endings = claims.map { ending?($0) ?? OutboxEnding.untried($0, now: now) }
        claims.removeAll()
        await journal.giveBack(endings, failed: failed)
    }

    /// - Returns: how many mails were claimed, by whoever asked first.
    private func claim() async -> Int {
        if claiming == nil { startClaiming() }
        return await claiming?.value ?? 0
    }

    private func startClaiming() {
        let room = only == nil ? max(4, 4 * rules.connections) : 1
        claiming = Task {
            let found = await claimed(atMost: room)
            mayHaveMore = found.count >= room
            claims += found
            claiming = nil
            return found.count
        }
    }

    private func claimed(atMost room: Int) async -> [OutboxClaim] {
        let (archive, account, only) = (archive, account, only)
        let here = out.union(claims.map(\.id))
        if only != nil { isEnded = true }
        do throws(MailFailure) {
            let found = try await disk.run { () throws(MailFailure) in
                var rules: SendRules?
                let claims = try archive.claimOutbox(
                    account.id, only: only, candidates: room + here.count
                ) { facts, now in
                    // Other settings need other sessions: the next run has them.
                    guard facts.revision == account.revision else { return [] }
                    let present = SendRules(preset: account.provider, limits: facts.limits)
                    rules = present
                    var facts = facts
                    facts.due.removeAll { here.contains($0.id) }
                    return DispatchPlan(facts, rules: present, room: room, now: now).take
                }
                return (claims: claims, rules: rules)
            }
            if let present = found.rules { rules = present } else { isEnded = true }
            return found.claims
        } catch {
            isEnded = true
            failed(error)
            return []
        }
    }
}
