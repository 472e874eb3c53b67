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

    static let otherReports = """
        -- What came back about mail that another program sent. A report may come before its mail is seen.
        CREATE TABLE other_reports(
            id INTEGER PRIMARY KEY,
            report INTEGER NOT NULL REFERENCES messages(id),
            position INTEGER NOT NULL CHECK (position >= 0),
            -- The Message-ID that it names, and the number under which messages are found.
            named TEXT NOT NULL CHECK (named <> ''),
            named_key INTEGER NOT NULL,
            email TEXT NOT NULL CHECK (email <> ''),
            canonical TEXT NOT NULL CHECK (canonical <> ''),
            at INTEGER NOT NULL,
            action TEXT CHECK (action IN ('failed', 'delayed', 'delivered', 'relayed', 'expanded')),
            failure TEXT CHECK (failure IN ('hard', 'soft', 'unknown')),
            status TEXT, diagnostic TEXT,
            -- Nil while no Sent folder has shown the mail.
            message INTEGER REFERENCES messages(id) CHECK (message <> report),
            UNIQUE (report, position)
        ) STRICT;
        CREATE INDEX other_reports_named ON other_reports(named_key) WHERE message IS NULL;
        CREATE INDEX other_reports_message ON other_reports(message) WHERE message IS NOT NULL;
        CREATE INDEX other_reports_canonical ON other_reports(canonical);
        """

    static let copyClaims = """
        -- The process that looks whether a copy is in the Sent folder, and appends it.
        ALTER TABLE outbox ADD COLUMN copy_holder TEXT CHECK (copy_holder <> '');
        CREATE INDEX outbox_copying ON outbox(copy_holder) WHERE copy_holder IS NOT NULL;
        """
}
