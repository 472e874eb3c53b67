import Archive

/// Which accounts may begin their poll, or open the session of their watch, now: a pure decision.
///
/// - A poll counts against `fresh` only for its first `patienceMilliseconds`. What takes longer waits for its server
///   or receives a great deal; in both cases it needs little of this machine, and keeps nobody back.
/// - Polls that may take long, because there is much to fetch yet or the last one failed, are counted apart: hundreds
///   of accounts with dead servers that are due at the same moment keep none back that does well.
/// - Watches that are being opened are counted apart too. One that is open needs no place.
/// - At one host at most `host` go on at a time, and at most half as many polls that may take long, and openings:
///   the polls of the others are short, and do not wait for them.
/// - At most `total` go on altogether, for the sake of the descriptors.
struct PollPlaces {
    struct Limits: Sendable, Hashable {
        var fresh: Int
        var host: Int
        var total: Int
        var patienceMilliseconds: Int64 = 2_000
    }

    enum Kind: Sendable, Hashable {
        case poll
        /// As far as one knows: it is a first synchronisation, or the last poll failed.
        case longPoll
        /// The session of a watch is opened.
        case opening
    }

    private struct Running {
        var host: String
        var kind: Kind
        var startedAt: Int64
    }

    private let limits: Limits
    private var running: [AccountID: Running] = [:]

    init(_ limits: Limits) {
        self.limits = Limits(
            fresh: max(1, limits.fresh), host: max(1, limits.host), total: max(1, limits.total),
            patienceMilliseconds: limits.patienceMilliseconds)
    }

    var isEmpty: Bool { running.isEmpty }
    var accounts: Set<AccountID> { Set(running.keys) }

    /// Whether one of this kind could begin if its host had room.
    ///
    /// - Parameter now: milliseconds of a clock that never goes back.
    func hasRoom(for kind: Kind, now: Int64) -> Bool {
        running.count < limits.total
            && running.values.count { $0.kind == kind && now - $0.startedAt < limits.patienceMilliseconds }
                < limits.fresh
    }

    /// Begins it when there is room for it. One account does one thing at a time.
    ///
    /// - Returns: whether it may begin; it counts until `end` then.
    mutating func begin(_ id: AccountID, _ kind: Kind, host: String, now: Int64) -> Bool {
        guard running[id] == nil, hasRoom(for: kind, now: now) else { return false }
        let there = running.values.filter { $0.host == host }
        guard there.count < limits.host else { return false }
        if kind != .poll, there.count(where: { $0.kind == kind }) >= max(1, limits.host / 2) { return false }
        running[id] = Running(host: host, kind: kind, startedAt: now)
        return true
    }

    mutating func end(_ id: AccountID) { running[id] = nil }
}
