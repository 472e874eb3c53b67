import GRDB
public import MailModel
import Matcher

extension Archive {
    /// The messages that no parser up to `version` could read, the oldest first, and that
    /// nobody has put anywhere meanwhile.
    public func quarantined(unreadBefore version: Int) throws(MailFailure) -> [ArchivedMessageID] {
        try read { db in
            try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM messages m
                    WHERE state = 'quarantined' AND coalesce(parser_version, 0) < ?
                        AND NOT EXISTS (SELECT 1 FROM history WHERE message = m.id)
                    ORDER BY id
                    """, arguments: [version]
            ).map(ArchivedMessageID.init(rawValue:))
        }
    }

    /// Gives a quarantined message what was read from its original now, in one transaction:
    /// it is matched and filed like one that arrives, its item in the queue is answered, and
    /// a copy of a message that is here becomes one, and is erased if that one was.
    ///
    /// - Parameter content: nil when it still cannot be read; then only the attempt is noted.
    /// - Returns: what became of it; `alreadyKnown` when it is not quarantined any more.
    public func reread(
        _ message: ArchivedMessageID, as content: Content?, parserVersion: Int
    ) throws(MailFailure) -> IngestOutcome {
        let time = now()
        func attempt(_ content: Content?) throws(MailFailure) -> IngestOutcome {
            try write { db in
                let transaction = try IngestTransaction(
                    db, placements: [:], time: time, policy: matching, bounces: bounces, undo: undoLimits)
                let outcome = try transaction.reread(message, content, parserVersion: parserVersion)
                try transaction.leads?.finish()
                return outcome
            }
        }
        do {
            let outcome = try attempt(content)
            // A copy of what was erased is marked by now; who cannot overwrite it leaves that to
            // the next opening.
            try? finishErasures()
            return outcome
        } catch {
            // What the archive refuses stays where it is, and is not tried at every start.
            guard content != nil, error.kind == .permanent else { throw error }
            return try attempt(nil)
        }
    }
}
