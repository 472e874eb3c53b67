extension Schema {
    /// Who asks for mail, and for what.
    static let requests = """
        -- SHA-256 of what was asked for under an idempotency key: another mail under it is a mistake of its sender.
        ALTER TABLE outbox ADD COLUMN request_digest BLOB CHECK (length(request_digest) = 32);
        -- The hourly number of recipients is that of whoever asks, too.
        CREATE INDEX outbox_requested ON outbox(requested_by, created_at);
        """

    /// How many recipients were asked for, without reading the outbox.
    static let askedCounts = """
        CREATE TABLE asked_counts(
            -- 'owner ID': the user whose account it is; 'asker NAME': who asked.
            name TEXT NOT NULL CHECK (name <> ''),
            -- The second in which the mails were queued.
            at INTEGER NOT NULL,
            recipients INTEGER NOT NULL CHECK (recipients > 0),
            PRIMARY KEY (name, at)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO asked_counts(name, at, recipients)
            SELECT 'owner ' || o.user, o.created_at, count(*) FROM outbox o JOIN outbox_recipients r ON r.item = o.id
            WHERE o.user IS NOT NULL AND o.created_at > (SELECT max(created_at) FROM outbox) - 3600
            GROUP BY o.user, o.created_at;
        INSERT INTO asked_counts(name, at, recipients)
            SELECT 'asker ' || o.requested_by, o.created_at, count(*)
            FROM outbox o JOIN outbox_recipients r ON r.item = o.id
            WHERE o.created_at > (SELECT max(created_at) FROM outbox) - 3600
            GROUP BY o.requested_by, o.created_at;
        DROP INDEX outbox_user;
        DROP INDEX outbox_requested;
        """
}
