/// Which mailbox an account reads: what would have to stay the same for it to be the same one.
///
/// An account whose login is corrected by hand may come to stand before somebody else's door. Mail from there
/// must not be mixed into what was read so far, so that a change is asked about.
public struct MailboxIdentity: Sendable, Hashable {
    public var login: String
    public var host: String
    /// Nil where it was not noted.
    public var port: UInt16?
    /// What the server calls itself (RFC 2971); nil where it does not.
    public var serverName: String?

    public init(login: String, host: String, port: UInt16? = nil, serverName: String?) {
        self.login = login
        self.host = host
        self.port = port
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

    /// Whether host and server have the names that they had, where the server tells one, and the port leads to the same one:
    /// behind one name, servers of several mailboxes may listen.
    private func isAtSamePlace(as seen: MailboxIdentity) -> Bool {
        DomainName.canonical(host) == DomainName.canonical(seen.host) && isAtSamePort(as: seen)
            && (serverName == nil || seen.serverName == nil
                || serverName?.lowercased() == seen.serverName?.lowercased())
    }

    private func isAtSamePort(as seen: MailboxIdentity) -> Bool {
        guard let port, let other = seen.port, port != other else { return true }
        // The two doors of one server.
        return [port, other].allSatisfy { Self.usualPorts.contains($0) }
    }

    private static let usualPorts: Set<UInt16> = [143, 993]
    private static let tellingValidity: UInt32 = 1_000_000
}
