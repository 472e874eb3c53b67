extension Schema {
    /// What goes into mail besides its writer's words, and what is left of the outbox's own upkeep.
    static let correspondence = """
        -- Filing that did not work is tried again; the mail is sent all the same.
        ALTER TABLE outbox ADD COLUMN filing_tries INTEGER NOT NULL DEFAULT 0 CHECK (filing_tries >= 0);
        ALTER TABLE outbox ADD COLUMN filing_next INTEGER;
        ALTER TABLE outbox ADD COLUMN filing_error TEXT;

        -- A sign-in of its own for SMTP; without one it is as for IMAP.
        ALTER TABLE accounts ADD COLUMN smtp_login TEXT CHECK (smtp_login <> '');
        ALTER TABLE accounts ADD COLUMN smtp_secret BLOB;

        CREATE TABLE templates(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            subject TEXT NOT NULL,
            text TEXT, html TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL CHECK (updated_by <> ''),
            CHECK (text IS NOT NULL OR html IS NOT NULL)
        ) STRICT;

        CREATE TABLE signatures(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            text TEXT, html TEXT,
            CHECK (text IS NOT NULL OR html IS NOT NULL)
        ) STRICT;
        """

    static let copyClaims = """
        -- The process that looks whether a copy is in the Sent folder, and appends it.
        ALTER TABLE outbox ADD COLUMN copy_holder TEXT CHECK (copy_holder <> '');
        CREATE INDEX outbox_copying ON outbox(copy_holder) WHERE copy_holder IS NOT NULL;
        """
}
