extension Schema {
    /// Who puts the copy of sent mail into the Sent folder.
    static let sentCopies = """
        -- What somebody said of it; nil: the preset's knowledge, else what is found out.
        ALTER TABLE accounts ADD COLUMN sent_copy TEXT CHECK (sent_copy IN ('server', 'append'));

        -- What was found out of a server whose habit nobody knew.
        CREATE TABLE sent_habits(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            -- Another server has habits of its own.
            imap_host TEXT NOT NULL, smtp_host TEXT NOT NULL,
            files_itself INTEGER NOT NULL CHECK (files_itself IN (0, 1)),
            -- Of a copy that was appended because none had come: a second one beside it is the server's, which
            -- only is slow. Nil once that was looked for.
            proof TEXT CHECK (proof <> ''),
            proof_after INTEGER,
            CHECK ((proof IS NULL) = (proof_after IS NULL))
        ) STRICT;
        """

    /// A mail to many goes in parts, and each recipient has a schedule of their own.
    static let recipientTries = """
        -- How often the recipient was not accepted for now.
        ALTER TABLE outbox_recipients ADD COLUMN tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0);
        -- When one in state 'retry' is tried again; nil: with the mail.
        ALTER TABLE outbox_recipients ADD COLUMN next_try INTEGER;
        UPDATE outbox_recipients SET tries = (SELECT attempts FROM outbox WHERE id = item) WHERE state = 'retry';
        """

    /// Which delivery reports may be counted against an address.
    static let reportVouchers = """
        -- What speaks for the report being genuine; nil: it is shown, and suppresses nobody.
        ALTER TABLE delivery_reports ADD COLUMN vouched_by TEXT
            CHECK (vouched_by IN ('envelope', 'server', 'recipient'));
        -- Of earlier ones it is not known how they found their mail. What went to one person can hardly have been
        -- reported on by another.
        UPDATE delivery_reports SET vouched_by = 'recipient'
            WHERE (SELECT count(*) FROM outbox_recipients r WHERE r.item = delivery_reports.item) = 1;
        """

    /// Accounts that sign in to the same mailbox of the same server are found without reading all.
    static let submissionIndex = """
        CREATE INDEX accounts_submission ON accounts(lower(smtp_host), lower(coalesce(smtp_login, login)))
            WHERE smtp_host IS NOT NULL;
        """

    static let refusedSendings = """
        -- How often the secret was refused since the account last sent, whatever else has failed in between.
        ALTER TABLE send_pauses ADD COLUMN refused_sign_ins INTEGER NOT NULL DEFAULT 0
            CHECK (refused_sign_ins >= 0);
        UPDATE send_pauses SET refused_sign_ins = failures WHERE kind = 'credential';

        -- What nobody will send, copy or file any more.
        DELETE FROM outbox_content WHERE item IN (
            SELECT id FROM outbox WHERE \(isDoneWith));
        """

    static let sendSeconds = """
        -- Messages of each second, of late: the pace is that of any sixty of them, and not of a minute of the clock's.
        CREATE TABLE send_seconds(
            account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
            at INTEGER NOT NULL,
            messages INTEGER NOT NULL CHECK (messages > 0),
            PRIMARY KEY (account, at)
        ) STRICT, WITHOUT ROWID;
        """

    static let askersByNumber = """
        -- 'user ID': the user who asked. A name may be that of somebody at the terminal too, or of another user later.
        INSERT INTO asked_counts(name, at, recipients)
            SELECT 'user ' || u.id, a.at, a.recipients FROM asked_counts a JOIN users u ON a.name = 'asker ' || u.name;
        DELETE FROM asked_counts WHERE name GLOB 'asker *';
        """

    /// A mail whose bytes nobody needs: the archive has them as an original, or it never goes to anybody.
    static let isDoneWith = """
        ((state = 'sent' AND copy IN ('done', 'unneeded', 'failed') AND filing = 'done' AND message IS NOT NULL)
            OR (state = 'cancelled' AND copy <> 'due'
                AND (filing = 'none' OR (filing = 'done' AND message IS NOT NULL))))
        """
}
