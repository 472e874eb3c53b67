extension Schema {
    /// What users are told of, and the mails that tell them.
    static let notices = """
        -- One mail to a user about what has come. Numbers are never used again: a mail's idempotency key has one.
        CREATE TABLE digests(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user INTEGER NOT NULL REFERENCES users(id),
            created_at INTEGER NOT NULL,
            -- open: its mail is not queued yet; dropped: there was nothing to say any more, or nobody to tell.
            state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'queued', 'dropped')),
            item INTEGER REFERENCES outbox(id),
            CHECK ((state = 'queued') = (item IS NOT NULL))
        ) STRICT;
        CREATE INDEX digests_open ON digests(id) WHERE state = 'open';
        CREATE INDEX digests_user ON digests(user, created_at);
        CREATE INDEX digests_item ON digests(item) WHERE item IS NOT NULL;

        -- Something that a user wants to hear of.
        CREATE TABLE events(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('contact-mail')),
            user INTEGER NOT NULL REFERENCES users(id),
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            message INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            -- The one digest that tells it.
            digest INTEGER REFERENCES digests(id) ON DELETE SET NULL,
            UNIQUE (message, contact)
        ) STRICT;
        CREATE INDEX events_contact ON events(contact, at);
        CREATE INDEX events_user ON events(user, id);
        CREATE INDEX events_untold ON events(user, at) WHERE digest IS NULL;
        CREATE INDEX events_digest ON events(digest) WHERE digest IS NOT NULL;
        -- What stands in one digest never stands in another.
        CREATE TRIGGER events_told_once BEFORE UPDATE OF digest ON events
            WHEN OLD.digest IS NOT NULL AND NEW.digest IS NOT NULL AND NEW.digest <> OLD.digest
            BEGIN SELECT RAISE(ABORT, 'an event is told once'); END;
        """
}
