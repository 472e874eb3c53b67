import Archive
import MailFetch
import MailModel
import MailTransport

/// Keeps the account's Sent folder complete: a copy of what was sent is appended unless it is there. And looks
/// there for mail of which nobody knows whether it was sent.
///
/// Each mail is claimed for that, so that another process does not look at the same time, find nothing either and
/// append a second copy. Whatever goes wrong here is tried again by itself and never causes a second sending.
struct SentCopying: Sendable {
    let archive: Archive
    let signIn: AccountSignIn
    let watch: @Sendable (SendEvent) -> Void

    /// Seconds between the two looks for a copy that the server may put there itself.
    var secondLookSeconds: Int64 = 10

    private static let tries = 12
    /// Seconds after which a server that files what it sends has done so at the latest.
    private static let slowestServerSeconds: Int64 = 180

    /// - Returns: whether something is looked for once more after `secondLookSeconds`.
    @discardableResult
    func run(_ account: Account) async -> Bool {
        do throws(MailFailure) {
            guard try !archive.areCopiesHeldUp(of: account.id) else { return false }
            let habit = try archive.sentHabit(of: account.id)
            let isUnneeded = CopyWay(account, habit: habit) == .unneeded
            if isUnneeded { try archive.forgoCopies(of: account.id) }
            var due = try archive.claimCopies(of: account.id)
            if isUnneeded {
                // Sent in between.
                for item in due where !item.isUncertain { try archive.noteCopy(of: item.item, .unneeded) }
                due.removeAll { !$0.isUncertain }
            }
            guard !due.isEmpty else { return false }
            do throws(MailFailure) {
                return try await copy(&due, of: account, habit)
            } catch {
                watch(.copyFailed(account: account.settings.name, failure: error))
                guard error.kind != .credential else { return try holdUp(due, of: account, because: error) }
                for item in due { try putOff(item, because: error) }
            }
        } catch {
            watch(.archiveFailed(error))
        }
        return false
    }

    /// A refused password counts as one of the account's few tries, and as none of the copies'.
    private func holdUp(
        _ due: [Archive.OutboxToCopy], of account: Account, because failure: MailFailure
    ) throws(MailFailure) -> Bool {
        let now = archive.time
        let next = PollSchedule(intervalSeconds: Int64(account.settings.pollMinutes) * 60).nextPoll(
            after: PollSchedule.Outcome(failure), failures: account.status.failures(with: failure), now: now,
            phase: account.id.phase, jitter: Double.random(in: 0..<1))
        try archive.noteAttempt(
            account.id, revision: account.revision, startedAt: now, failure: failure, nextPoll: next)
        for item in due {
            let later = now.advanced(bySeconds: pause(before: item, after: failure))
            try archive.noteCopy(of: item.item, .notReached(until: later))
        }
        return false
    }

    /// - Parameter due: what is not settled is left in it.
    private func copy(
        _ due: inout [Archive.OutboxToCopy], of account: Account, _ habit: SentHabit?
    ) async throws(MailFailure) -> Bool {
        let session = try await signIn.openMailbox(account)
        // A copy is for the mailbox that was read so far, and no stranger's.
        let folders = try await MailboxRecognition(archive: archive).folders(of: account, on: session)
        let choice = FolderChoice(
            sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
        let sent = choice.folders(among: folders).chosen.first { $0.role == .sent }?.folder
        let folder = sent.map { SentFolder($0, on: session) }
        var way = CopyWay(account, habit: habit)
        if let folder, let settled = try await settled(habit, of: account, in: folder) {
            way = CopyWay(account, habit: settled)
        }
        var isLookedForAgain = false
        while let item = due.first {
            do throws(MailFailure) {
                if let sent, let folder {
                    if try await lookAfter(item, in: folder, sent.name, of: account, &way) {
                        isLookedForAgain = true
                    }
                } else if item.isUncertain {
                    try putOff(item, because: .noSentFolder)
                } else {
                    try archive.noteCopy(of: item.item, .unneeded)
                }
            } catch {
                // A try of this one, and of no other.
                watch(.copyFailed(account: account.settings.name, failure: error))
                try putOff(item, because: error)
                due.removeFirst()
                if error.code == .commandRefused { continue }
                for other in due {
                    let next = archive.time.advanced(bySeconds: pause(before: other, after: error))
                    try archive.noteCopy(of: other.item, .notReached(until: next))
                }
                due = []
                return isLookedForAgain
            }
            due.removeFirst()
        }
        await session.logout()
        return isLookedForAgain
    }

    /// - Returns: whether it is looked for once more before it is put there.
    private func lookAfter(
        _ item: Archive.OutboxToCopy, in folder: SentFolder, _ name: FolderName, of account: Account,
        _ way: inout CopyWay
    ) async throws(MailFailure) -> Bool {
        let isThere = try await folder.contains(item.messageID)
        if item.isUncertain {
            try settle(item, isThere: isThere, in: name)
        } else if isThere {
            try archive.noteCopy(of: item.item, .done)
        } else if way == .unneeded {
            try archive.noteCopy(of: item.item, .unneeded)
        } else if way == .findOut, item.tries == 0 {
            let time = archive.time.advanced(bySeconds: secondLookSeconds)
            try archive.noteCopy(
                of: item.item, .later(time, "It is looked for once more before it is put there"))
            return true
        } else {
            try await append(item, to: folder)
            try archive.noteCopy(of: item.item, .done)
            if way == .findOut {
                let learned = SentHabit(
                    filesItself: false, proof: item.messageID,
                    proofAfter: archive.time.advanced(bySeconds: Self.slowestServerSeconds))
                try archive.noteSentHabit(learned, of: account.id)
                way = CopyWay(account, habit: learned)
            }
        }
        return false
    }

    /// What was taken for the server's habit when no copy had come in time is seen to be right or wrong by the copy
    /// that was appended: a second one beside it came from a slow server.
    ///
    /// - Returns: nil where there is nothing to find out at present.
    private func settled(
        _ habit: SentHabit?, of account: Account, in folder: SentFolder
    ) async throws(MailFailure) -> SentHabit? {
        guard let proof = habit?.proof, let after = habit?.proofAfter, archive.time >= after else {
            return nil
        }
        let settled = SentHabit(filesItself: try await folder.count(of: proof) > 1)
        try archive.noteSentHabit(settled, of: account.id)
        return settled
    }

    private func settle(
        _ item: Archive.OutboxToCopy, isThere: Bool, in folder: FolderName
    ) throws(MailFailure) {
        if item.wasSentInPart { return try putOff(item, because: .sentInPartBefore) }
        guard isThere else { return try putOff(item, because: .notInSentFolder) }
        do throws(MailFailure) {
            try archive.resolveOutbox(item.item, as: .sent, evidence: "it is in \(folder.rawValue)")
        } catch  where error.code == .outboxState {
            // A person was faster.
        }
        try archive.noteCopy(of: item.item, .givenBack)
    }

    private func append(_ item: Archive.OutboxToCopy, to folder: SentFolder) async throws(MailFailure) {
        let blind = item.blindField
        try await folder.append(size: blind.count + item.size) { number throws(MailFailure) in
            guard !blind.isEmpty else { return try archive.outboxPiece(item.item, number) }
            return number == 0 ? blind : try archive.outboxPiece(item.item, number - 1)
        }
    }

    private func putOff(_ item: Archive.OutboxToCopy, because failure: MailFailure) throws(MailFailure) {
        let words = [failure.summary, failure.detail].compactMap { $0 }.joined(separator: ": ")
        // An uncertain mail stays for a person, and what this machine lacks for the moment ends no copy: looking is only
        // rarer then.
        guard item.isUncertain || failure.isOfThisMachine || item.tries + 1 < Self.tries else {
            return try archive.noteCopy(of: item.item, .failed(words))
        }
        let next = archive.time.advanced(bySeconds: pause(before: item, after: failure))
        try archive.noteCopy(of: item.item, .later(next, words))
    }

    /// In seconds.
    private func pause(before item: Archive.OutboxToCopy, after failure: MailFailure) -> Int64 {
        // Some servers file what they have taken a few seconds later.
        let first: Int64 = failure.isOfThisMachine ? 5 : item.isUncertain ? 10 : 60
        return min(6 * 3600, first << min(Int64(item.tries), 12))
    }
}

extension MailFailure {
    fileprivate static let noSentFolder = MailFailure(
        .folderMissing, kind: .needsPerson, "The account has no Sent folder to look into")
    fileprivate static let notInSentFolder = MailFailure(
        .folderMissing, kind: .transient, "It is not in the Sent folder")
    fileprivate static let sentInPartBefore = MailFailure(
        .folderMissing, kind: .needsPerson,
        "Other recipients had it before, so that the Sent folder cannot tell about these")
}
