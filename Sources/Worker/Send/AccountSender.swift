import Archive
import MIMEParse
import MailFetch
import MailModel
import MailSend
import MailTransport

/// Sends what one account has due, on as many connections as it may have.
///
/// A mail is claimed in one transaction, its data is announced in another before the server can have
/// it, and the answer is stored in a third. Wherever the process ends, the next one knows which of the
/// three it was: nothing is sent twice and nothing is forgotten. While an answer is stored, the connection's next mail
/// is offered; it is handed over when the answer before it is on the disk.
struct AccountSender: Sendable {
    let archive: Archive
    let loop: NetworkLoop
    let signIn: AccountSignIn
    let journal: OutboxJournal
    let sessions: SessionKeeper
    let settings: SendSettings
    let watch: @Sendable (SendEvent) -> Void

    /// Returns when nothing more is due or may be sent.
    func run(_ account: Account, only: OutboxID? = nil, stop: SendingStop) async {
        let rules: SendRules
        do throws(MailFailure) {
            rules = SendRules(preset: account.provider, limits: try archive.sendLimits(of: account.id))
        } catch {
            return watch(.archiveFailed(error))
        }
        let source = ClaimSource(
            archive: archive, journal: journal, account: account, rules: rules, only: only,
            failed: { watch(.archiveFailed($0)) })
        let lanes = min(rules.connections, await source.prepare())
        let copy = CopyWay(account, habit: try? archive.sentHabit(of: account.id))
        let round = Round(
            account: account, source: source, tally: SentTally(account: account.settings.name, watch: watch),
            lanes: OpenLanes(), stop: stop, isCopiedByServer: copy == .unneeded)
        // Where the server broke off before it answered, one mail shows whether it does again.
        let isDoubted = (try? archive.sendPauseRecord(of: account.id))?.failure.code == .sendUnanswered
        await withDiscardingTaskGroup { group in
            // One signs in before the others do, which would otherwise all try a wrong password.
            let (firstIsReady, ready) = AsyncStream<Never>.makeStream()
            for number in 0..<lanes {
                group.addTask {
                    await runLane(number, round) { progress in
                        if progress == (isDoubted ? .answered : .open) { ready.finish() }
                    }
                    round.lanes.leave(number)
                    ready.finish()
                }
                if number == 0 { for await _ in firstIsReady {} }
            }
        }
        await source.end()
        round.tally.tell()
    }

    /// What the connections of one `run` have in common.
    private struct Round: Sendable {
        let account: Account
        let source: ClaimSource
        let tally: SentTally
        let lanes: OpenLanes
        let stop: SendingStop
        let isCopiedByServer: Bool
    }

    private enum LaneProgress { case open, answered }

    /// One connection's work.
    ///
    /// - Parameter told: called when it has a session, and when a mail was answered.
    private func runLane(
        _ number: Int, _ round: Round, told: @Sendable (LaneProgress) -> Void
    ) async {
        let (account, source, lanes) = (round.account, round.source, round.lanes)
        var session = sessions.take(account)
        var before: EndingUnderWay?
        while !round.stop.isStopping, let claim = await source.next() {
            let rules = await source.rules
            let isReused = session != nil
            if session?.isOpen != true { lanes.leave(number) }
            do throws(MailFailure) {
                if session?.isOpen != true { session = try await open(account) }
            } catch  where error.isOfThisMachine {
                watch(.archiveFailed(error))
                await journal.giveBack(
                    [.untried(claim, now: archive.time)], failed: { watch(.archiveFailed($0)) })
                await source.done(claim.id)
                await source.end()
                break
            } catch  where error.kind == .transient && !lanes.isEmpty {
                // The server has as many connections of ours as it wants: those go on.
                await journal.giveBack(
                    [.untried(claim, now: archive.time)], failed: { watch(.archiveFailed($0)) })
                await source.done(claim.id)
                break
            } catch {
                await noteUnreachable(error, claim, round)
                break
            }
            guard let current = session else { break }
            lanes.enter(number)
            told(.open)
            var result = await transmit(claim, of: account, on: current, rules, behind: before)
            // A connection that was kept open may have been closed by the other side, or have had its
            // share of mails: neither says anything about this one.
            if isReused || current.sentCount > 0, Self.isWorthAnotherConnection(result) {
                await current.quit()
                session = try? await open(account)
                if let fresh = session {
                    let first = result.1.ending.replies
                    result = await transmit(claim, of: account, on: fresh, rules, behind: before)
                    result.1.ending.replies.insert(contentsOf: first, at: 0)
                }
            }
            before = await startNoting(result.1, claim, round)
            told(.answered)
            if result.1.pause != nil || hasChanged(account, result.0) {
                await source.end()
                break
            }
        }
        await before?.finish()
        guard let session, session.isOpen else { return }
        sessions.put(session, account)
    }

    /// Whether a mail could not begin because the account has other settings by now, or is off.
    private func hasChanged(_ account: Account, _ transmission: Transmission) -> Bool {
        guard case .abandoned(let failure) = transmission.ending, failure.code == .leaseLost else {
            return false
        }
        let present = try? archive.account(account.id)
        return present.map { $0.revision != account.revision || !$0.settings.isEnabled } ?? false
    }

    private func open(_ account: Account) async throws(MailFailure) -> SMTPSession {
        guard let endpoint = account.settings.smtp else { throw .noSMTPServer(account) }
        let session = try await signIn.open(account, to: endpoint) { connection throws(MailFailure) in
            try await SMTPSession.connect(connection, loop: loop, limits: settings.limits)
        }
        do throws(MailFailure) {
            try archive.endSendPause(account.id)
        } catch {
            // What is left of a pause that is over keeps nobody from sending.
            watch(.archiveFailed(error))
        }
        return session
    }

    private func transmit(
        _ claim: OutboxClaim, of account: Account, on session: SMTPSession, _ rules: SendRules,
        behind before: EndingUnderWay?
    ) async -> (Transmission, DeliveryVerdict) {
        var offered: [OutboxClaim.Recipient] = []
        var paths: [SMTPPath] = []
        var sender: SMTPPath?
        var refused: [Int: MailFailure] = [:]
        for recipient in claim.recipients.prefix(rules.recipientsPerMessage) {
            do throws(MailFailure) {
                paths.append(try SMTPPath(recipient.address))
                offered.append(recipient)
            } catch {
                refused[recipient.position] = error
            }
        }
        let transmission: Transmission
        do throws(MailFailure) {
            sender = try claim.sender.map { address throws(MailFailure) in try SMTPPath(address) }
            if paths.isEmpty, let failure = refused.values.first { throw failure }
            let mail = SMTPMail(
                sender: sender, recipients: paths, envelopeID: claim.envelopeID,
                needsSMTPUTF8: claim.needsUTF8, size: claim.size, content: content(of: claim),
                digest: claim.digest)
            let known = offered
            let revision = account.revision
            transmission = await session.transmit(mail) { accepted throws(MailFailure) in
                let positions = accepted.map { known[$0].position }
                guard
                    try await journal.note(
                        .begins(claim.id, recipients: positions, revision: revision))
                else {
                    throw MailFailure(
                        .leaseLost, kind: .transient,
                        "The mail was taken back, must not go to a recipient any more, or its account has changed"
                    )
                }
                try await before?.demandStored()
            }
        } catch {
            offered = claim.recipients
            transmission = Transmission(recipientReplies: [:], ending: .unsendable(error))
        }
        // What was said of the mail before counts when a pause is to grow.
        await before?.finish()
        var verdict = DeliveryVerdict(
            transmission, of: claim, offered: offered, rules: rules, now: settings.connections.now(),
            jitter: settings.jitter(), lastPause: { try? archive.sendPauseRecord(of: claim.account) })
        for (position, failure) in refused where verdict.ending.outcomes[position] == nil {
            verdict.ending.outcomes[position] = .failed
            verdict.ending.replies.append(
                OutboxReplyRecord(
                    position: position, stage: .rcpt, code: nil, status: nil,
                    text: [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")))
            verdict.ending.failure = verdict.ending.failure ?? failure
        }
        return (transmission, verdict)
    }

    private func content(of claim: OutboxClaim) -> SMTPMail.Content {
        if let bytes = claim.content { return .bytes(bytes) }
        return .pieces { number throws(MailFailure) in
            do throws(MailFailure) {
                return try archive.outboxPiece(claim.id, number)
            } catch  where error.code == .archiveCorrupt {
                throw .unreadableContent
            } catch {
                throw error
            }
        }
    }

    /// Not where the server wants the account to wait, unless it has only ended the session with that, or says so of the
    /// session: "452 4.5.3 Too many recipients: Too many messages sent" (OpenSMTPD, after a hundred mails).
    private static func isWorthAnotherConnection(_ result: (Transmission, DeliveryVerdict)) -> Bool {
        switch result.0.ending {
        case .broken(.mail, _), .broken(.rcpt, _): true
        case .refused(.mail, let reply):
            // 503: the two sides do not agree about what went before.
            reply.code == 503
                || reply.isTransient
                    && (result.1.pause == nil || reply.closesConnection || reply.isOfTooManyRecipients)
        default: false
        }
    }

    /// The answer must be stored, or the mail would be uncertain: nothing more is handed over on this connection until
    /// it is.
    private func startNoting(
        _ verdict: DeliveryVerdict, _ claim: OutboxClaim, _ round: Round
    ) async -> EndingUnderWay {
        if let pause = verdict.pause { await keep(pause, round.account) }
        var ending = verdict.ending
        ending.isCopiedByServer = round.isCopiedByServer
        return journal.startEnding(ending, failed: { watch(.archiveFailed($0)) }) { isOurs in
            // A claim that was taken away meanwhile has its new state already.
            if isOurs == true { tell(verdict.ending, claim, round) }
            await round.source.done(claim.id)
        }
    }

    private func tell(_ ending: OutboxEnding, _ claim: OutboxClaim, _ round: Round) {
        round.tally.add(recipients: ending.outcomes.values.count { $0 == .sent })
        if let failure = ending.failure {
            watch(.notSent(account: round.account.settings.name, item: claim.id, failure: failure))
        }
    }

    /// Before what the mail is told: it may be due at once, and another worker must not knock meanwhile.
    private func keep(_ pause: SendPause, _ account: Account) async {
        let isPaused: Void? = await journal.persisting({ watch(.archiveFailed($0)) }) {
            () async throws(MailFailure) in
            try archive.pauseSending(account.id, pause)
        }
        if isPaused != nil { watch(.paused(account: account.settings.name, failure: pause.failure)) }
    }

    /// No session could be had: the account waits, and the mail that asked says why. That is no try of any mail; but
    /// those that would have gone have waited in vain, and one that has done so for days is given up.
    private func noteUnreachable(_ failure: MailFailure, _ claim: OutboxClaim, _ round: Round) async {
        let account = round.account
        let now = settings.connections.now()
        let explained = account.provider.explaining(failure)
        let last = try? archive.sendPauseRecord(of: account.id)
        let refused = (last?.refusedSignIns ?? 0) + (explained.kind == .credential ? 1 : 0)
        let isSame = last?.failure.kind == explained.kind && last?.failure.code != .sendingSlowed
        let failures = explained.kind == .credential ? refused : (isSame ? last?.failures ?? 0 : 0) + 1
        var pause = SendPause(
            until: Self.resume(after: explained, failures: failures, now: now), failures: failures,
            failure: explained)
        pause.refusedSignIns = refused
        let ending = OutboxEnding.unreachable(claim, explained, now: now)
        await startNoting(DeliveryVerdict(ending: ending, pause: pause), claim, round).finish()
        await round.source.end { .unreachable($0, explained, now: now) }
    }

    /// When an account that could not be signed in to is tried again; nil when its settings must change.
    static func resume(after failure: MailFailure, failures: Int, now: UnixTime) -> UnixTime? {
        switch failure.kind {
        case .transient, .permanent:
            // What the server asks for, for a day at most.
            now.advanced(
                bySeconds: max(
                    min(3600, 30 << min(Int64(failures) - 1, 7)),
                    min(86_400, Int64(failure.retryAfterSeconds ?? 0))))
        case .needsPerson: now.advanced(bySeconds: min(6 * 3600, 900 << min(Int64(failures) - 1, 5)))
        // More tries would lock the mailbox at most providers.
        case .credential: failures >= 5 ? nil : now.advanced(bySeconds: 4 * 3600)
        }
    }
}

extension OutboxEnding {
    /// Of a claim with which nothing was done.
    static func untried(_ claim: OutboxClaim, now: UnixTime) -> OutboxEnding {
        var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: now)
        ending.weight = .nothing
        return ending
    }

    /// Of a claim for which no session could be had. It is due as soon as its account may send again.
    static func unreachable(_ claim: OutboxClaim, _ failure: MailFailure, now: UnixTime) -> OutboxEnding {
        var ending = OutboxEnding(item: claim.id, attempt: claim.attempt, nextTry: now)
        ending.weight = .account
        let isOver = RetrySchedule.isOver(firstTry: claim.firstTry ?? now, now: now)
        ending.failure = isOver ? .gaveUp(failure) : failure
        for recipient in claim.recipients { ending.outcomes[recipient.position] = isOver ? .failed : .retry }
        ending.replies = [
            OutboxReplyRecord(
                position: nil, stage: .connect, code: nil, status: nil,
                text: [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": "))
        ]
        return ending
    }
}

extension DeliveryVerdict {
    init(ending: OutboxEnding, pause: SendPause?) {
        self.ending = ending
        self.pause = pause
    }
}

extension MailFailure {
    fileprivate static let unreadableContent = MailFailure(
        .unsendableContent, kind: .permanent, "The mail's bytes cannot be read any more",
        remedy: "Make the mail anew, and see: mailworker verify")

    static func noSMTPServer(_ account: Account) -> MailFailure {
        MailFailure(
            .noSMTPServer, kind: .needsPerson, "The account has no SMTP server",
            detail: account.settings.name,
            remedy: "Name one: mailworker account edit \(account.settings.name) --smtp-host HOST.")
    }
}

extension SMTPReply {
    /// At MAIL nobody was named yet: the ones before in the session were too many.
    fileprivate var isOfTooManyRecipients: Bool { status.map { ($0.subject, $0.detail) == (5, 3) } ?? false }
}
