extension Schema {
    /// What a server has last wanted the account's user to read.
    static let serverAlerts = """
        ALTER TABLE accounts ADD COLUMN alert TEXT CHECK (alert <> '');
        ALTER TABLE accounts ADD COLUMN alert_at INTEGER CHECK ((alert_at IS NULL) = (alert IS NULL));
        """

    /// What is known of mail that has no ledger row yet, and what spares asking twice.
    static let fetching = """
        -- Messages that the server lists and does not hand out. A UID stands here or in the ledger.
        CREATE TABLE withheld(
            folder INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
            uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 0 AND 4294967295),
            uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
            attempts INTEGER NOT NULL CHECK (attempts > 0),
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            next_try INTEGER NOT NULL,
            size INTEGER CHECK (size >= 0),
            code TEXT NOT NULL CHECK (code <> ''),
            summary TEXT NOT NULL CHECK (summary <> ''),
            detail TEXT,
            PRIMARY KEY (folder, uidvalidity, uid)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER ledger_settles_withheld AFTER INSERT ON ledger BEGIN
            DELETE FROM withheld
            WHERE folder = NEW.folder AND uidvalidity = NEW.uidvalidity AND uid = NEW.uid;
        END;

        -- Up to where the disappearances of a folder are known (RFC 7162). Says nothing of what was fetched.
        CREATE TABLE folder_marks(
            folder INTEGER PRIMARY KEY REFERENCES folders(id) ON DELETE CASCADE,
            uidvalidity INTEGER NOT NULL,
            mod_sequence INTEGER NOT NULL CHECK (mod_sequence > 0)
        ) STRICT;

        -- Gmail shows one message under every label; its number tells that before the second download.
        CREATE TABLE gmail_marks(
            folder INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
            uidvalidity INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            -- Unsigned numbers of 64 bits, as the signed ones of the same bits.
            message_id INTEGER NOT NULL CHECK (message_id <> 0),
            thread_id INTEGER NOT NULL,
            labels TEXT NOT NULL CHECK (json_valid(labels)),
            PRIMARY KEY (folder, uidvalidity, uid)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX gmail_marks_message ON gmail_marks(message_id);
        """

    /// What was fetched of accounts whose provider limits it; the present day's row only.
    static let dailyLimits = """
        CREATE TABLE fetched_bytes(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            -- Days since 1970, in UTC.
            day INTEGER NOT NULL,
            bytes INTEGER NOT NULL CHECK (bytes >= 0)
        ) STRICT;
        """
}
