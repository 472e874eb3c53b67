public import MailModel
import MailTransport

/// Finds the messages that a server refuses by themselves among those that it has refused together. Pure: what came of
/// the questions goes in, the next questions come out.
///
/// What is refused is halved. A server that says that it is busy may be so, and may also say it of a single message that
/// it cannot read, each time anew (Yahoo, Yandex). It is busy unless something else comes meanwhile: so its refusals are
/// followed up by one question at a time, and only where something has come, or where it has said so for long enough.
public struct RefusalSearch: Sendable {
    public struct Refusal: Sendable, Hashable {
        public var uid: UID
        public var failure: MailFailure
    }

    /// Refusals of a busy server without anything that came in between: enough to get from a whole batch down to single
    /// messages, and on to a few of these.
    static let busyPatience = 16
    /// Messages refused by themselves after which nothing more is halved.
    static let aloneAtOnce = 100

    private let insists: Bool
    private var hasCome = false
    /// Since something came.
    private var busyRefusals = 0
    /// The last one is asked next; what stands together is asked at once.
    private var questions: [[UIDSet]] = []
    /// Refused by themselves by a server that may be busy.
    private var doubted: [Refusal] = []
    public private(set) var alone: [Refusal] = []
    /// Why the rest is not asked for any more.
    public private(set) var stop: MailFailure?

    /// - Parameter insists: asks a server that says that it is busy, too, before anything has come.
    public init(insists: Bool = false) { self.insists = insists }

    /// Something was handed out: whatever was refused, the server is not too busy for everything.
    public mutating func came() {
        hasCome = true
        busyRefusals = 0
        settle()
    }

    /// - Parameter uids: those of one question that have not come; no matter when there is none.
    public mutating func refused(_ uids: UIDSet, _ failure: MailFailure) {
        guard stop == nil, let uid = uids.first else { return }
        let isBusy = failure.code == .serverBusy
        guard isBusy || failure.code == .commandRefused else {
            stop = failure
            return
        }
        if isBusy {
            busyRefusals += 1
            // Who names a delay speaks of the moment.
            let mayBeOfMessages = insists || hasCome && failure.retryAfterSeconds == nil
            guard mayBeOfMessages, busyRefusals <= Self.busyPatience else {
                stop = failure
                return
            }
        }
        if uids.count == 1 {
            let refusal = Refusal(uid: uid, failure: failure)
            if isBusy { doubted.append(refusal) } else { alone.append(refusal) }
        } else if alone.count >= Self.aloneAtOnce {
            stop = failure
        } else {
            let upper = uids.highest((uids.count + 1) / 2)
            let lower = uids.subtracting(upper)
            questions += isBusy ? [[lower], [upper]] : [[upper, lower]]
        }
    }

    /// What to ask for now, each set by a command of its own; nothing when the search is over.
    public mutating func next() -> [UIDSet] {
        guard stop == nil else { return [] }
        if let question = questions.popLast() { return question }
        // Nothing is left that would show that the server is busy.
        settle()
        return []
    }

    private mutating func settle() {
        alone += doubted
        doubted = []
    }
}
