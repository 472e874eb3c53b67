/// A make of server that gives new messages other UIDs, or a folder another UIDVALIDITY, with every EXAMINE,
/// until somebody opens the folder with SELECT.
///
/// Only these are sent SELECT, and only for new messages. A server is one of them by what it says of itself,
/// never by what it lacks; of any other server, however old, the client is a reader with EXAMINE alone.
struct RenumberingServer: Sendable, Hashable {
    let make: String
    /// How its name begins in the reply to ID (RFC 2971).
    private let name: String
    /// Sets of capabilities that no other known server offers whole; one of them is enough.
    private let marks: [Set<String>]

    private init(_ make: String, name: String, marks: [Set<String>]) {
        self.make = make
        self.name = name
        self.marks = marks
    }

    /// All that are known, as `scripts/against-servers` meets them.
    static let table = [
        // The extensions of its own. Which are offered depends on the configuration; Debian's has ACL.
        RenumberingServer(
            "Courier IMAP", name: "Courier-IMAP",
            marks: [["ACL2=UNION"], ["XMAGICTRASH"], ["XCOURIEROUTBOX=INBOX.OUTBOX"]]),
        // Tells its name only when told to. It announces every mechanism that GNU SASL has; these three have been
        // seen together on nothing else.
        RenumberingServer(
            "GNU Mailutils imap4d", name: "GNU Mailutils",
            marks: [["AUTH=SECURID", "AUTH=SAML20", "AUTH=OPENID20"]]),
    ]

    /// The row of a server, or nil: then it has to keep its UIDs by itself.
    ///
    /// A name that the server gives decides alone; its capabilities do where it gives none.
    static func recognised(by capabilities: Capabilities, id: [String: String]) -> RenumberingServer? {
        if let name = id["name"], !name.isEmpty {
            return table.first { name.lowercased().hasPrefix($0.name.lowercased()) }
        }
        return table.first { $0.marks.contains { $0.isSubset(of: capabilities.names) } }
    }
}
