import Archive

/// Which accounts may begin their poll now: a pure decision.
///
/// - A poll counts against `fresh` only for its first `patienceMilliseconds`. What takes longer waits for its server
///   or receives a great deal; in both cases it needs little of this machine, and keeps nobody back.
/// - Polls that may take long, because there is much to fetch yet or the last one failed, are counted apart: hundreds
///   of accounts with dead servers that are due at the same moment keep none back that does well.
/// - At one host at most `host` polls go on at a time, and at most half as many that may take long: the polls of
///   the others are short, and do not wait for long ones.
/// - At most `total` go on altogether, for the sake of the descriptors.
struct PollPlaces {
    struct Limits: Sendable, Hashable {
        var fresh: Int
        var host: Int
        var total: Int
        var patienceMilliseconds: Int64 = 2_000
    }

    private struct Running {
        var host: String
        var mayTakeLong: Bool
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

    /// Begins the poll when there is room for it.
    ///
    /// - Parameters:
    ///   - mayTakeLong: as far as one knows: it is a first synchronisation, or the last poll failed.
    ///   - now: milliseconds of a clock that never goes back.
    /// - Returns: whether it may begin; it counts until `end` then.
    mutating func begin(_ id: AccountID, host: String, mayTakeLong: Bool, now: Int64) -> Bool {
        guard running[id] == nil, running.count < limits.total else { return false }
        let fresh = running.values.count {
            $0.mayTakeLong == mayTakeLong && now - $0.startedAt < limits.patienceMilliseconds
        }
        let there = running.values.filter { $0.host == host }
        guard fresh < limits.fresh, there.count < limits.host else { return false }
        if mayTakeLong, there.count(where: \.mayTakeLong) >= max(1, limits.host / 2) { return false }
        running[id] = Running(host: host, mayTakeLong: mayTakeLong, startedAt: now)
        return true
    }

    mutating func end(_ id: AccountID) { running[id] = nil }
}
