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

    private static let tries = 12

    func run(_ account: Account) async {
        do throws(MailFailure) {
            let isUnneeded = account.settings.imap == nil || account.provider.profile.filesSentItself
            if isUnneeded { try archive.forgoCopies(of: account.id) }
            var due = try archive.claimCopies(of: account.id)
            if isUnneeded {
                // Sent in between.
                for item in due where !item.isUncertain { try archive.noteCopy(of: item.item, .unneeded) }
                due.removeAll { !$0.isUncertain }
            }
            guard !due.isEmpty else { return }
            do throws(MailFailure) {
                try await copy(&due, of: account)
            } catch {
                watch(.copyFailed(account: account.settings.name, failure: error))
                for item in due { try putOff(item, because: error) }
            }
        } catch {
            watch(.archiveFailed(error))
        }
    }

    /// - Parameter due: what is not settled is left in it.
    private func copy(
        _ due: inout [Archive.OutboxToCopy], of account: Account
    ) async throws(MailFailure) {
        let session = try await signIn.openMailbox(account)
        // A copy is for the mailbox that was read so far, and no stranger's.
        let folders = try await MailboxRecognition(archive: archive).folders(of: account, on: session)
        let choice = FolderChoice(
            sentFolder: account.settings.sentFolder, furtherFolders: account.settings.furtherFolders)
        let sent = choice.folders(among: folders).chosen.first { $0.role == .sent }?.folder
        let folder = sent.map { SentFolder($0, on: session) }
        while let item = due.first {
            if let sent, let folder {
                let isThere = try await folder.contains(item.messageID)
                if item.isUncertain {
                    try settle(item, isThere: isThere, in: sent.name)
                } else {
                    if !isThere { try await append(item, to: folder) }
                    try archive.noteCopy(of: item.item, .done)
                }
            } else if item.isUncertain {
                try putOff(item, because: .noSentFolder)
            } else {
                try archive.noteCopy(of: item.item, .unneeded)
            }
            due.removeFirst()
        }
        await session.logout()
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
        // An uncertain mail stays for a person; looking is only rarer then.
        guard item.isUncertain || item.tries + 1 < Self.tries else {
            return try archive.noteCopy(of: item.item, .failed(words))
        }
        let pause = min(6 * 3600, Int64(60) << min(Int64(item.tries), 9))
        try archive.noteCopy(of: item.item, .later(archive.time.advanced(bySeconds: pause), words))
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
