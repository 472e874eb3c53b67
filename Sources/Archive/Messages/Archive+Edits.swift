import GRDB
public import MailModel
import Matcher

extension Archive {
    /// Puts other words in place of a message's own, for everybody who reads it; a second edit begins with the
    /// words of the first. The original is not touched.
    ///
    /// Everybody sees the new words, in whichever mailbox the message lies: each must be one whose mail the
    /// viewer reviews.
    ///
    /// - Throws: `unknown.message`, `rights.missing`; `rights.undisclosed` when the viewer does not see the text;
    ///   `value.invalid` for a message that could not be read, for no words, and for too many.
    public func edit(
        _ message: ArchivedMessageID, _ words: EditedWords, by person: String
    ) throws(MailFailure) {
        let time = now()
        let subject = words.subject.map(\.asOneLine)
        guard subject != nil || words.text != nil else {
            throw .invalid("There is nothing to change", remedy: "Give another subject or text.")
        }
        guard words.text.map({ $0.utf8.count <= EditedWords.textLimit && !$0.contains("\0") }) ?? true else {
            throw .invalid(
                "The text cannot be a message's", "at most \(EditedWords.textLimit) bytes, and no NUL",
                remedy: "Shorten it.")
        }
        try writeReversibly(.review) { db, recording in
            try Self.requireEditable(message, db, Sight(viewer, db))
            try Self.takeOutOfSearch(message, recording, db)
            try db.execute(
                sql: """
                    INSERT INTO message_edits(message, subject, text, own_subject, own_snippet, person, edited_at)
                    SELECT id, ?1, ?2, subject, snippet, ?3, ?4 FROM messages WHERE id = ?5
                    ON CONFLICT(message) DO UPDATE SET subject = coalesce(excluded.subject, subject),
                        text = coalesce(excluded.text, text), person = excluded.person,
                        edited_at = excluded.edited_at
                    """, arguments: [subject, words.text, person, time.rawValue, message.rawValue])
            if let subject {
                try db.execute(
                    sql: "UPDATE messages SET subject = nullif(?, '') WHERE id = ?",
                    arguments: [subject, message.rawValue])
            }
            guard words.text != nil else { return }
            try Self.setWords(words.snippet, words.signature, of: message, db)
        }
    }

    /// Gives a message its own words again.
    ///
    /// - Parameter signature: of its own text; kept while the message waits.
    /// - Throws: as `edit`; `value.invalid` when it was not edited.
    public func revertEdit(of message: ArchivedMessageID, signature: String?) throws(MailFailure) {
        try writeReversibly(.review) { db, recording in
            try Self.requireEditable(message, db, Sight(viewer, db))
            guard
                let own = try Row.fetchOne(
                    db,
                    sql:
                        "SELECT own_subject, own_snippet, text IS NOT NULL FROM message_edits WHERE message = ?",
                    arguments: [message.rawValue])
            else {
                throw MailFailure.invalid(
                    "The message was not edited", message.description, remedy: "It is shown as it came.")
            }
            try Self.takeOutOfSearch(message, recording, db)
            try db.execute(
                sql: "UPDATE messages SET subject = ? WHERE id = ?",
                arguments: [own[0] as String?, message.rawValue])
            if own[2] { try Self.setWords(own[1], signature, of: message, db) }
            try db.execute(
                sql: "DELETE FROM message_edits WHERE message = ?", arguments: [message.rawValue])
        }
    }

    /// What a message is shown from.
    ///
    /// - Throws: `unknown.message`, `rights.undisclosed`, `archive.original-damaged`, `archive.original-erased`.
    public func readable(_ message: ArchivedMessageID) throws(MailFailure) -> ReadableMessage {
        let original = try shownOriginal(of: message)
        return ReadableMessage(original: original, edit: try read { db in try Self.edit(of: message, db) })
    }

    // MARK: - Parts

    static func edit(of message: ArchivedMessageID, _ db: Database) throws -> MessageEdit? {
        try Row.fetchOne(
            db, sql: "SELECT subject, text, person, edited_at FROM message_edits WHERE message = ?",
            arguments: [message.rawValue]
        ).map { MessageEdit(subject: $0[0], text: $0[1], person: $0[2], at: UnixTime($0[3])) }
    }

    /// That it was edited; nil when it was not.
    static func editNote(
        of message: ArchivedMessageID, _ db: Database, _ sight: Sight
    ) throws -> EditNote? {
        try Row.fetchOne(
            db,
            sql: """
                SELECT e.person, e.edited_at, e.subject IS NOT NULL, e.text IS NOT NULL,
                    EXISTS (SELECT 1 FROM originals o WHERE o.message = e.message
                        AND \(sight.disclosure(original: "o")) = \(Disclosure.everything.rawValue)
                        AND \(sight.seesUnedited(original: "o")))
                FROM message_edits e WHERE e.message = ?
                """, arguments: [message.rawValue]
        ).map { row in
            EditNote(
                person: row[0], at: UnixTime(row[1]),
                parts: (row[2] ? ["subject"] : []) + (row[3] ? ["text"] : []), mayReadOriginal: row[4])
        }
    }

    private static func requireEditable(
        _ message: ArchivedMessageID, _ db: Database, _ sight: Sight
    ) throws {
        try sight.demand(.review)
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT \(sight.disclosure(message: "m.id")), \(sight.mayReviewAll(message: "m.id")),
                    m.content_digest IS NOT NULL
                FROM messages m
                WHERE m.id = ? AND m.erased_at IS NULL AND \(sight.sees(message: "m.id"))
                """, arguments: [message.rawValue])
        guard let row else { throw unknownMessage(message.description) }
        guard row[0] == Disclosure.everything.rawValue else { throw undisclosed }
        guard row[1] else { throw MailFailure.missing(.review, .all) }
        guard row[2] else {
            throw MailFailure.invalid(
                "The message could not be read, so that it has no words to edit", message.description,
                remedy:
                    "It is read again after an upgrade; until then it can be linked, ignored or made private."
            )
        }
        Act.concerns("message \(message)")
    }

    /// The words that go are not found any more, from this very moment; the new ones follow as all text does.
    private static func takeOutOfSearch(
        _ message: ArchivedMessageID, _ recording: ChangeRecording?, _ db: Database
    ) throws {
        func takeOut() throws {
            let index = try SearchIndex(db)
            try index.remove(message)
            try index.renew(message)
        }
        // Before anything else of its row is changed, so that the mark is in no changeset.
        if let recording { try recording.leavingOut(takeOut) } else { try takeOut() }
    }

    private static func setWords(
        _ snippet: String?, _ signature: String?, of message: ArchivedMessageID, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                UPDATE messages SET snippet = ?1, signature = CASE WHEN state = 'review' THEN ?2 END
                WHERE id = ?3
                """, arguments: [snippet, signature, message.rawValue])
    }
}
