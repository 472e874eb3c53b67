import GRDB
import MailModel
import Matcher

/// Raises an event when a contact whose owner wants to hear of it has written, in the transaction that files the mail.
///
/// Never for what programs and lists send; never for old mail, such as a mailbox's first sync brings; and at most once
/// an hour for each contact.
struct NoticeRaising {
    /// Older mail is history, not news.
    private static let freshSeconds: Int64 = 3 * 86_400
    private static let pauseSeconds: Int64 = 3600

    private let time: UnixTime
    private let raise: PreparedStatement

    init(_ db: Database, time: UnixTime) throws {
        self.time = time
        raise = try PreparedStatement(
            db,
            """
            INSERT INTO events(at, kind, user, contact, message)
            SELECT ?1, 'contact-mail', u.id, c.id, ?3 FROM contacts c JOIN users u ON u.id = c.owner
            WHERE c.id = ?2 AND c.notify_owner = 1 AND u.is_enabled = 1
                AND NOT EXISTS (SELECT 1 FROM events WHERE contact = c.id AND at > ?4)
            """)
    }

    /// - Parameter received: when the server took it in, or the day that it names.
    func consider(
        _ message: ArchivedMessageID, _ content: Content, _ direction: Direction,
        of contacts: [MatchedContact],
        received: UnixTime
    ) throws {
        guard direction == .incoming, content.category == .personal, !content.isDeliveryReport,
            content.returned == nil, received >= time.advanced(bySeconds: -Self.freshSeconds)
        else { return }
        // Who only got a copy has not written; nor has a contact through whose thread a stranger came.
        for contact in contacts where !contact.role.isRecipient && contact.answered == nil {
            raise.bind(1, time.rawValue)
            raise.bind(2, contact.contact.rawValue)
            raise.bind(3, message.rawValue)
            raise.bind(4, time.advanced(bySeconds: -Self.pauseSeconds).rawValue)
            try raise.run()
        }
    }
}
