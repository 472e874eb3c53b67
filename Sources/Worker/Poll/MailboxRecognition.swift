import Archive
import MailFetch
public import MailModel

/// Looks, before anything is read, whether a session stands before the mailbox that the account has read so far.
struct MailboxRecognition {
    let archive: Archive

    /// The folders of the account's mailbox.
    ///
    /// What the settings tell is looked at before anything is asked. The server tells its name together with the
    /// list, so that it costs no way there and back.
    ///
    /// - Throws: `mailbox-changed` when it is another one, or may be; what a question to the server leads to.
    nonisolated(nonsending) func folders(
        of account: Account, on session: IMAPSession
    ) async throws(MailFailure) -> [ListedFolder] {
        try await recognise(account, on: session)
        let folders = try await session.folders()
        try await recognise(account, on: session)
        return folders
    }

    nonisolated(nonsending) private func recognise(
        _ account: Account, on session: IMAPSession
    ) async throws(MailFailure) {
        let endpoint = try account.imapEndpoint
        var seen = MailboxIdentity(
            login: account.settings.login, host: DomainName.canonical(endpoint.host),
            port: endpoint.port,
            serverName: session.serverID["name"].flatMap { $0.isEmpty ? nil : $0 })
        if let known = try archive.mailboxIdentity(of: account.id) {
            // One that has not told its name yet, or keeps it to itself today, has not taken it back.
            if seen.serverName == nil, seen.host == DomainName.canonical(known.host) {
                seen.serverName = known.serverName
            }
            if known == seen { return }
            // What is the same by its name costs the server no question.
            if let change = known.change(to: seen) {
                if change == .server, let validity = try await knownValidity(account, session),
                    known.change(to: seen, knownValidity: validity) == nil
                {
                    try archive.note(seen, of: account.id)
                    return
                }
                throw .mailboxChanged(account, change)
            }
        }
        try archive.note(seen, of: account.id)
    }

    /// A server that will not tell leaves this piece of evidence out.
    nonisolated(nonsending) private func knownValidity(
        _ account: Account, _ session: IMAPSession
    ) async throws(MailFailure) -> UIDValidity? {
        do throws(MailFailure) {
            guard let validity = try await session.status(of: .inbox).uidValidity,
                try archive.hasInbox(validity, of: account.id)
            else { return nil }
            return validity
        } catch  where error.code == .commandRefused || error.code == .folderMissing {
            return nil
        }
    }
}

extension MailFailure.Code {
    /// The account's login or server is another one than that whose mail was read so far.
    public static let mailboxChanged = Self("mailbox-changed")
}

extension MailFailure {
    fileprivate static func mailboxChanged(_ account: Account, _ change: MailboxIdentity.Change)
        -> MailFailure
    {
        let name = account.settings.name
        let summary =
            switch change {
            case .login: "The account has another login than the mailbox that was read so far"
            case .server: "The account has another server than the mailbox that was read so far"
            }
        return MailFailure(
            .mailboxChanged, kind: .needsPerson, summary, detail: name,
            remedy: "Nothing is read until you say so. If it is the same mailbox:"
                + " mailworker account confirm \(name). If it is another one, set this account back and add the"
                + " other with: mailworker account add.")
    }
}
