import Archive
import Dispatch
import MailModel

/// Keeps a lease alive during a long transfer, without asking the database for
/// every message.
struct LeaseRenewal {
    private var lease: Lease
    private var renewedAt: UInt64
    private let seconds: Int64
    private let uptime: () -> UInt64
    private static let interval: UInt64 = 20_000_000_000

    /// - Parameters:
    ///   - seconds: how long each renewal lasts.
    ///   - uptime: nanoseconds of a clock that never goes back.
    init(
        lease: Lease, forSeconds seconds: Int64 = 1800,
        uptime: @escaping () -> UInt64 = { DispatchTime.now().uptimeNanoseconds }
    ) {
        self.lease = lease
        self.seconds = seconds
        self.uptime = uptime
        renewedAt = uptime()
    }

    /// - Throws: `lease.lost` when another process polls the account now.
    mutating func renewIfDue(in archive: Archive) throws(MailFailure) {
        let now = uptime()
        guard now &- renewedAt >= Self.interval else { return }
        lease = try archive.renew(lease, forSeconds: seconds)
        renewedAt = now
    }
}
