/// Which mailbox an account reads: what would have to stay the same for it to be the same one.
///
/// An account whose login is corrected by hand may come to stand before somebody else's door. Mail from there
/// must not be mixed into what was read so far, so that a change is asked about.
public struct MailboxIdentity: Sendable, Hashable {
    public var login: String
    public var host: String
    /// What the server calls itself (RFC 2971); nil where it does not.
    public var serverName: String?

    public init(login: String, host: String, serverName: String?) {
        self.login = login
        self.host = host
        self.serverName = serverName
    }

    public enum Change: String, Sendable, Hashable {
        case login, server
    }

    /// What has changed since this identity was noted; nil for the same mailbox.
    ///
    /// - Parameter knownValidity: INBOX's UIDVALIDITY as the server has it now, where the ledger has mail under it.
    ///   A server that was moved, renamed or upgraded keeps it. Only a large one is evidence: numbers that count
    ///   from 1 are the same in every mailbox. For another login nothing is evidence: mailboxes that were made
    ///   in the same second share theirs.
    public func change(to seen: MailboxIdentity, knownValidity: UIDValidity? = nil) -> Change? {
        guard login.lowercased() == seen.login.lowercased() else { return .login }
        let isRecognised = knownValidity.map { $0.rawValue >= Self.tellingValidity } ?? false
        return isRecognised || isAtSamePlace(as: seen) ? nil : .server
    }

    /// Whether host and server have the names that they had, where the server tells one.
    private func isAtSamePlace(as seen: MailboxIdentity) -> Bool {
        DomainName.canonical(host) == DomainName.canonical(seen.host)
            && (serverName == nil || seen.serverName == nil
                || serverName?.lowercased() == seen.serverName?.lowercased())
    }

    private static let tellingValidity: UInt32 = 1_000_000
}
