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
    public var unverified = Unverified.review
    /// Names of the servers whose Authentication-Results are believed, in lower case.
    public var authorities: Set<String> = []

    public init() {}
}
