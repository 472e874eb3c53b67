import Archive
import MailModel
import MailSend
import Synchronization

/// Sessions that nobody uses for the moment and that stay open for the next mail.
final class SessionKeeper: Sendable {
    private struct Kept {
        var session: SMTPSession
        var revision: Int64
        var since: UnixTime
    }

    // A session is one task's at a time: who takes it has it alone.
    private struct Shelf: @unchecked Sendable {
        var kept: [AccountID: [Kept]] = [:]
    }

    private let shelf = Mutex(Shelf())
    private let now: @Sendable () -> UnixTime
    private let idleSeconds: Int64

    init(idleSeconds: Int64, now: @escaping @Sendable () -> UnixTime) {
        self.idleSeconds = idleSeconds
        self.now = now
    }

    /// One that is for the account as it is now; nil when there is none.
    func take(_ account: Account) -> SMTPSession? {
        let time = now()
        let found = shelf.withLock { shelf -> Box? in
            while let kept = shelf.kept[account.id]?.popLast() {
                let age = time.rawValue - kept.since.rawValue
                if kept.revision == account.revision, (0...idleSeconds).contains(age) {
                    return Box(kept.session)
                }
                kept.session.close()
            }
            return nil
        }
        return found?.session
    }

    func put(_ session: SMTPSession, _ account: Account) {
        let kept = Box(session)
        let time = now()
        shelf.withLock {
            $0.kept[account.id, default: []].append(
                Kept(session: kept.session, revision: account.revision, since: time))
        }
    }

    /// Closes what has been unused for long.
    func closeIdle() {
        let time = now()
        shelf.withLock { shelf in
            for (account, kept) in shelf.kept {
                let isOld = { (entry: Kept) in
                    !(0...self.idleSeconds).contains(time.rawValue - entry.since.rawValue)
                }
                for entry in kept where isOld(entry) { entry.session.close() }
                let left = kept.filter { !isOld($0) }
                shelf.kept[account] = left.isEmpty ? nil : left
            }
        }
    }

    func closeAll() {
        shelf.withLock { shelf in
            for entry in shelf.kept.values.joined() { entry.session.close() }
            shelf.kept = [:]
        }
    }

    private struct Box: @unchecked Sendable {
        let session: SMTPSession
        init(_ session: SMTPSession) { self.session = session }
    }
}

/// Says to everybody who sends that no further mail is to be begun.
final class SendingStop: Sendable {
    private let flag = Atomic<Bool>(false)
    var isStopping: Bool { flag.load(ordering: .acquiring) }
    func stop() { flag.store(true, ordering: .releasing) }
}
