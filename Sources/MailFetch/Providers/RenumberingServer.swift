/// A make of server that gives new messages other UIDs, or a folder another UIDVALIDITY, with every EXAMINE,
/// until somebody opens the folder with SELECT.
///
/// Only these are sent SELECT, and only for new messages. A server is one of them by what it says of itself,
/// never by what it lacks; of any other server, however old, the client is a reader with EXAMINE alone.
struct RenumberingServer: Sendable, Hashable {
    let make: String
    /// How its name begins in the reply to ID (RFC 2971).
    private let name: String
    /// Capabilities that no other known server offers; one of them is enough.
    private let capabilities: Set<String>
    /// What it says, letter by letter, behind the codes of its reply to EXAMINE; empty where that tells nothing.
    private let phrases: Set<String>

    private init(_ make: String, name: String, capabilities: Set<String> = [], phrases: Set<String> = []) {
        self.make = make
        self.name = name
        self.capabilities = capabilities
        self.phrases = phrases
    }

    /// All that are known, as `scripts/against-servers` meets them.
    static let table = [
        // The extensions of its own. Which are offered depends on the configuration; Debian's has ACL.
        RenumberingServer(
            "Courier IMAP", name: "Courier-IMAP",
            capabilities: ["ACL2=UNION", "XMAGICTRASH", "XCOURIEROUTBOX=INBOX.OUTBOX"]),
        // Tells its name only when configured to, and offers nothing of its own. Other servers have each of
        // these phrases in other letters ("Predicted next UID") or words.
        RenumberingServer(
            "GNU Mailutils imap4d", name: "GNU Mailutils",
            phrases: ["UID validity status", "Predicted next uid", "No permanent flags"]),
    ]

    /// Whether a phrase may be one that tells a server.
    static func knows(_ phrase: String) -> Bool { table.contains { $0.phrases.contains(phrase) } }

    /// The row of a server, or nil: then it has to keep its UIDs by itself.
    ///
    /// A name that the server gives decides alone. Where it gives none, one capability or all phrases do.
    static func recognised(
        by offered: Capabilities, id: [String: String], saying said: Set<String>
    ) -> RenumberingServer? {
        if let name = id["name"], !name.isEmpty {
            return table.first { name.lowercased().hasPrefix($0.name.lowercased()) }
        }
        return table.first {
            !$0.capabilities.isDisjoint(with: offered.names)
                || !$0.phrases.isEmpty && $0.phrases.isSubset(of: said)
        }
    }
}
