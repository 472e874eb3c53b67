/// What the administrator has decided about matching.
public struct MatchPolicy: Sendable, Hashable {
    /// What a reference to a message in a history does.
    public enum Threads: String, Sendable, Hashable, CaseIterable {
        /// It suggests the contacts of that history.
        case suggest
        /// It links them, when the reference is to a message that we sent.
        case link
    }

    /// What becomes of mail that names a contact and of which the authority says that the
    /// contact's domain did not send it.
    public enum Unverified: String, Sendable, Hashable, CaseIterable {
        case review, link
    }

    public var threads = Threads.suggest
    public var unverified = Unverified.link
    /// The servers whose Authentication-Results are believed in mail of accounts whose provider is not known.
    public var authorities = AuthorityNames([])
    /// Those of known providers, by the accounts' presets: nobody else is believed in their mail, since only a server
    /// that takes the mail in removes what a sender has written in its name.
    public var providerAuthorities: [String: AuthorityNames] = [:]

    /// Of whom leads are made without asking.
    public var leads = LeadCreation.off

    public init() {}

    /// Who is believed in the mail of an account.
    public func authorities(ofPreset preset: String) -> AuthorityNames {
        providerAuthorities[preset] ?? authorities
    }
}
