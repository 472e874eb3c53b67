import Archive
import Dispatch
import MailModel

/// Keeps a lease alive during a long transfer, without asking the database for
/// every message.
struct LeaseRenewal {
    private var lease: Lease
    private var renewedAt = DispatchTime.now()
    private static let interval: UInt64 = 20_000_000_000

    init(lease: Lease) { self.lease = lease }

    /// - Throws: `lease.lost` when another process polls the account now.
    mutating func renewIfDue(in archive: Archive) throws(MailFailure) {
        let now = DispatchTime.now()
        guard now.uptimeNanoseconds &- renewedAt.uptimeNanoseconds >= Self.interval else { return }
        lease = try archive.renew(lease)
        renewedAt = now
    }
}
