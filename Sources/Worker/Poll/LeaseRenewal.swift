import Archive
import Dispatch
import MailModel

/// Keeps a lease alive during a long transfer, without asking the database for
/// every message.
struct LeaseRenewal {
    private var lease: Lease
    /// Nil while the first renewal is due at once.
    private var renewedAt: UInt64?
    private let seconds: Int64
    private let uptime: () -> UInt64
    private static let interval: UInt64 = 20_000_000_000

    /// - Parameters:
    ///   - seconds: how long each renewal lasts.
    ///   - isDueAtOnce: a transfer begins with a renewal, so that a trial of durable steps has one without long waits.
    ///   - uptime: nanoseconds of a clock that never goes back.
    init(
        lease: Lease, forSeconds seconds: Int64 = 1800, isDueAtOnce: Bool = false,
        uptime: @escaping () -> UInt64 = { DispatchTime.now().uptimeNanoseconds }
    ) {
        self.lease = lease
        self.seconds = seconds
        self.uptime = uptime
        renewedAt = isDueAtOnce ? nil : uptime()
    }

    /// - Throws: `lease.lost` when another process polls the account now.
    mutating func renewIfDue(in archive: Archive) throws(MailFailure) {
        let now = uptime()
        if let renewedAt, now &- renewedAt < Self.interval { return }
        lease = try archive.renew(lease, forSeconds: seconds)
        renewedAt = now
    }
}
