import MailModel
import Matcher

/// When mail that comes back keeps an address from automatic and mass mail. Pure.
public struct BounceRule: Sendable, Hashable {
    /// Different mails that came back hard; 0 suppresses nothing.
    public var mails: Int
    /// Days for which a suppression lasts, and for which a bounce counts.
    public var days: Int64

    public init(mails: Int = 2, days: Int64 = 90) {
        self.mails = mails
        self.days = days
    }

    /// One mail that an address did not take.
    struct Bounce: Hashable {
        var item: OutboxID
        var at: UnixTime
        var status: String?
    }

    struct Decision: Hashable {
        var until: UnixTime
        var evidence: String
    }

    /// Nil leaves the address as it is.
    func decision(_ bounces: [Bounce], at time: UnixTime) -> Decision? {
        var counted: [Bounce] = []
        for bounce in bounces.sorted(by: { ($0.at, $0.item.rawValue) < ($1.at, $1.item.rawValue) })
        where Self.blamesAddress(bounce.status) && bounce.at > time.advanced(bySeconds: -days * 86_400)
            && !counted.contains(where: { $0.item == bounce.item })
        {
            counted.append(bounce)
        }
        guard mails > 0, counted.count >= mails else { return nil }
        let items = counted.suffix(5).map(\.item.description).joined(separator: ", ")
        return Decision(
            until: time.advanced(bySeconds: days * 86_400),
            evidence: "\(counted.count) mails came back"
                + (counted.last?.status.map { " (\($0))" } ?? "") + ": outbox \(items)")
    }

    /// Whether a permanent status (RFC 3463, 3) speaks of the address: a refused content, size or policy says
    /// nothing about it, and a full mailbox is emptied some day.
    static func blamesAddress(_ status: String?) -> Bool {
        guard let status else { return true }
        let numbers = status.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, numbers[0] == 5 else { return false }
        switch numbers[1] {
        case 0, 4, 5: return true
        // 5.1.7 and 5.1.8 are about the sender.
        case 1: return numbers[2] != 7 && numbers[2] != 8
        case 2: return numbers[2] != 2 && numbers[2] != 3
        default: return false
        }
    }
}
