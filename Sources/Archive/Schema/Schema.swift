import GRDB

/// The tables, version by version. A migration that was released is never edited.
///
/// The schema holds the invariants by itself: what it accepts from a hand-written
/// INSERT is what the program may rely on.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            for statements in [people, originals, ledger, decisions] { try db.execute(sql: statements) }
        }
        migrator.registerMigration("2") { db in try db.execute(sql: quarantine) }
        migrator.registerMigration("3") { db in
            for statements in [erasure, audit] { try db.execute(sql: statements) }
        }
        migrator.registerMigration("4") { db in try db.execute(sql: credentials) }
        migrator.registerMigration("5") { db in try db.execute(sql: watches) }
        migrator.registerMigration("6") { db in try db.execute(sql: rights) }
        migrator.registerMigration("7") { db in
            try db.execute(sql: contactDetails)
            try deriveContactDetails(db)
        }
        migrator.registerMigration("8") { db in try db.execute(sql: undo) }
        migrator.registerMigration("9") { db in try db.execute(sql: search) }
        migrator.registerMigration("10") { db in try db.execute(sql: outbox) }
        migrator.registerMigration("10a") { db in try db.execute(sql: correspondence) }
        migrator.registerMigration("11") { db in try db.execute(sql: fetching) }
        migrator.registerMigration("12") { db in try db.execute(sql: dailyLimits) }
        migrator.registerMigration("13") { db in try db.execute(sql: identity) }
        migrator.registerMigration("14") { db in try db.execute(sql: refusedSignIns) }
        migrator.registerMigration("15") { db in try db.execute(sql: watchHolders) }
        migrator.registerMigration("18") { db in try db.execute(sql: automaticLeads) }
        migrator.registerMigration("18a") { db in try db.execute(sql: notices) }
        migrator.registerMigration("19") { db in try db.execute(sql: copyClaims) }
        migrator.registerMigration("19a") { db in try db.execute(sql: otherReports) }
        // After all columns that were added to rows which people change.
        migrator.registerMigration("8a") { db in try db.execute(sql: completeRows) }
        migrator.registerMigration("17") { db in try db.execute(sql: edits) }
        migrator.registerMigration("23") { db in try db.execute(sql: sentCopies) }
        migrator.registerMigration("23a") { db in try db.execute(sql: recipientTries) }
        migrator.registerMigration("23b") { db in try db.execute(sql: reportVouchers) }
        migrator.registerMigration("23c") { db in try db.execute(sql: submissionIndex) }
        migrator.registerMigration("20") { db in try db.execute(sql: placesOfOriginals) }
        migrator.registerMigration("20a") { db in try db.execute(sql: namelessTombstones) }
        migrator.registerMigration("22") { db in try db.execute(sql: waitingCopies) }
        migrator.registerMigration("24") { db in try db.execute(sql: serverAlerts) }
        migrator.registerMigration("25") { db in try db.execute(sql: requests) }
        migrator.registerMigration("25a") { db in try db.execute(sql: askedCounts) }
        migrator.registerMigration("26") { db in try db.execute(sql: waitingLists) }
        migrator.registerMigration("27") { db in try db.execute(sql: refusedSendings) }
        migrator.registerMigration("28") { db in try db.execute(sql: settledItems) }
        migrator.registerMigration("27a") { db in
            for statements in [sendSeconds, askersByNumber] { try db.execute(sql: statements) }
        }
        migrator.registerMigration("29") { db in try db.execute(sql: beyondSight) }
        migrator.registerMigration("30", foreignKeyChecks: .immediate) { db in try compareByValue(db) }
        migrator.registerMigration("31") { db in try db.execute(sql: forms) }
        return migrator
    }

    private static let quarantine = """
        -- Of the parser that could not read the message; a later one tries again.
        ALTER TABLE messages ADD COLUMN parser_version INTEGER CHECK (parser_version > 0);
        CREATE INDEX messages_quarantined ON messages(parser_version) WHERE state = 'quarantined';
        """

    private static let watches = """
        ALTER TABLE accounts ADD COLUMN is_watched INTEGER NOT NULL DEFAULT 0 CHECK (is_watched IN (0, 1));
        CREATE INDEX accounts_watched ON accounts(id) WHERE is_watched = 1;
        """

    private static let watchHolders = """
        -- Which process keeps a session open for the account's new mail; a holder that has died is none.
        CREATE TABLE watch_holders(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            holder TEXT NOT NULL CHECK (holder <> '')
        ) STRICT;
        """

    private static let refusedSignIns = """
        -- Since the last sign-in that worked, whatever else has failed in between; no number: none.
        ALTER TABLE accounts ADD COLUMN refused_sign_ins INTEGER CHECK (refused_sign_ins >= 0);
        UPDATE accounts SET refused_sign_ins = failures WHERE error_kind = 'credential';
        """

    private static let credentials = """
        -- What the secret is; the two are sealed for different purposes.
        ALTER TABLE accounts ADD COLUMN secret_kind TEXT NOT NULL DEFAULT 'password'
            CHECK (secret_kind IN ('password', 'refresh-token'));
        """

    private static let people = """
        CREATE TABLE settings(
            name TEXT PRIMARY KEY NOT NULL,
            value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Every address met, once, in the form in which people are compared.
        CREATE TABLE addresses(
            id INTEGER PRIMARY KEY,
            canonical TEXT NOT NULL UNIQUE CHECK (instr(canonical, '@') > 0)
        ) STRICT;

        CREATE TABLE users(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            display_name TEXT,
            email TEXT,
            address INTEGER REFERENCES addresses(id),
            created_at INTEGER NOT NULL,
            CHECK ((email IS NULL) = (address IS NULL))
        ) STRICT;
        CREATE INDEX users_address ON users(address) WHERE address IS NOT NULL;

        CREATE TABLE accounts(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            user INTEGER REFERENCES users(id),
            kind TEXT NOT NULL CHECK (kind IN ('mailbox', 'import')),
            email TEXT,
            address INTEGER REFERENCES addresses(id),
            preset TEXT NOT NULL,
            login TEXT NOT NULL,
            secret BLOB,
            imap_host TEXT, imap_port INTEGER, imap_security TEXT,
            smtp_host TEXT, smtp_port INTEGER, smtp_security TEXT,
            poll_minutes INTEGER NOT NULL CHECK (poll_minutes > 0),
            timeout_seconds INTEGER NOT NULL CHECK (timeout_seconds > 0),
            sent_folder TEXT,
            further_folders TEXT NOT NULL CHECK (json_valid(further_folders)),
            since INTEGER,
            ca_file TEXT,
            proxy TEXT,
            is_declared INTEGER NOT NULL CHECK (is_declared IN (0, 1)),
            is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
            -- Counts the changes of settings and secret.
            revision INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ok', 'failing', 'stopped')),
            last_attempt INTEGER,
            last_success INTEGER,
            next_poll INTEGER,
            failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
            error_code TEXT, error_kind TEXT, error_text TEXT, error_remedy TEXT,
            CHECK ((email IS NULL) = (address IS NULL)),
            CHECK (kind = 'import' OR (email IS NOT NULL AND imap_host IS NOT NULL)),
            CHECK ((imap_host IS NULL) = (imap_port IS NULL) AND (imap_host IS NULL) = (imap_security IS NULL)),
            CHECK ((smtp_host IS NULL) = (smtp_port IS NULL) AND (smtp_host IS NULL) = (smtp_security IS NULL)),
            CHECK (imap_port BETWEEN 1 AND 65535), CHECK (smtp_port BETWEEN 1 AND 65535),
            CHECK (imap_security IN ('tls', 'starttls', 'none')),
            CHECK (smtp_security IN ('tls', 'starttls', 'none'))
        ) STRICT;
        CREATE INDEX accounts_address ON accounts(address) WHERE address IS NOT NULL;
        CREATE INDEX accounts_user ON accounts(user);

        CREATE TABLE leases(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            holder TEXT NOT NULL CHECK (holder <> ''),
            process INTEGER NOT NULL,
            serial INTEGER NOT NULL CHECK (serial > 0),
            acquired_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE contacts(
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('person', 'lead', 'organisation')),
            name TEXT NOT NULL CHECK (name <> ''),
            name_key TEXT NOT NULL,
            external_id TEXT UNIQUE CHECK (external_id <> ''),
            organisation INTEGER REFERENCES contacts(id) ON DELETE SET NULL CHECK (organisation <> id),
            owner INTEGER REFERENCES users(id),
            do_not_email INTEGER NOT NULL DEFAULT 0 CHECK (do_not_email IN (0, 1)),
            notify_owner INTEGER NOT NULL DEFAULT 0 CHECK (notify_owner IN (0, 1)),
            is_private INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX contacts_name_key ON contacts(name_key);
        CREATE INDEX contacts_organisation ON contacts(organisation) WHERE organisation IS NOT NULL;
        CREATE INDEX contacts_owner ON contacts(owner) WHERE owner IS NOT NULL;

        CREATE TABLE contact_addresses(
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            address INTEGER NOT NULL REFERENCES addresses(id),
            position INTEGER NOT NULL CHECK (position >= 0),
            email TEXT NOT NULL CHECK (instr(email, '@') > 0),
            domain TEXT NOT NULL,
            is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
            PRIMARY KEY (contact, address)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_addresses_address ON contact_addresses(address, contact);
        CREATE UNIQUE INDEX contact_addresses_primary ON contact_addresses(contact) WHERE is_primary = 1;
        CREATE INDEX contact_addresses_domain ON contact_addresses(domain, contact);
        """

    private static let originals = """
        -- Append-only files of originals; bytes past committed_end are nobody's.
        CREATE TABLE packs(
            id INTEGER PRIMARY KEY,
            committed_end INTEGER NOT NULL CHECK (committed_end > 0),
            -- SHA-256 of the last committed record's header: what the next one names.
            chain BLOB NOT NULL CHECK (length(chain) = 32),
            is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE messages(
            id INTEGER PRIMARY KEY,
            message_id TEXT CHECK (message_id <> ''),
            -- Eight bytes of the Message-ID's SHA-256: a small index for long texts.
            message_id_key INTEGER,
            content_digest BLOB CHECK (length(content_digest) = 32),
            subject TEXT,
            date INTEGER,
            sort_date INTEGER NOT NULL,
            direction TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing', 'internal')),
            category TEXT NOT NULL CHECK (category IN ('personal', 'list', 'automatic', 'report')),
            state TEXT NOT NULL CHECK (state IN ('archived', 'review', 'ignored', 'private', 'quarantined')),
            reason TEXT,
            ignored_by INTEGER REFERENCES ignore_rules(id) ON DELETE SET NULL,
            thread TEXT,
            snippet TEXT,
            defects TEXT,
            created_at INTEGER NOT NULL,
            CHECK ((message_id IS NULL) = (message_id_key IS NULL)),
            CHECK (message_id IS NULL OR content_digest IS NOT NULL),
            CHECK (state <> 'quarantined' OR content_digest IS NULL),
            CHECK (state <> 'review' OR content_digest IS NOT NULL)
        ) STRICT;
        -- What makes two copies one message; its first column finds a Message-ID too.
        CREATE UNIQUE INDEX messages_identity ON messages(message_id_key, content_digest)
            WHERE message_id_key IS NOT NULL;
        CREATE INDEX messages_ignored_by ON messages(ignored_by) WHERE ignored_by IS NOT NULL;

        CREATE TABLE originals(
            id INTEGER PRIMARY KEY,
            sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
            pack INTEGER NOT NULL REFERENCES packs(id),
            offset INTEGER NOT NULL CHECK (offset >= 0),
            size INTEGER NOT NULL CHECK (size >= 0),
            message INTEGER NOT NULL REFERENCES messages(id)
        ) STRICT;
        CREATE INDEX originals_message ON originals(message);

        CREATE TABLE participants(
            message INTEGER NOT NULL REFERENCES messages(id),
            position INTEGER NOT NULL CHECK (position >= 0),
            role TEXT NOT NULL CHECK (role IN ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc')),
            address INTEGER NOT NULL REFERENCES addresses(id),
            email TEXT NOT NULL,
            name TEXT,
            PRIMARY KEY (message, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX participants_address ON participants(address, message);

        CREATE TABLE attachments(
            message INTEGER NOT NULL REFERENCES messages(id),
            position INTEGER NOT NULL CHECK (position >= 0),
            filename TEXT,
            content_type TEXT NOT NULL,
            size INTEGER NOT NULL CHECK (size >= 0),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            is_inline INTEGER NOT NULL CHECK (is_inline IN (0, 1)),
            content_id TEXT,
            PRIMARY KEY (message, position)
        ) STRICT, WITHOUT ROWID;
        """

    private static let ledger = """
        CREATE TABLE folders(
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts(id),
            name TEXT NOT NULL CHECK (name <> ''),
            role TEXT NOT NULL CHECK (role IN ('inbox', 'sent', 'other')),
            UNIQUE (account, name)
        ) STRICT;

        CREATE TABLE sweeps(
            folder INTEGER NOT NULL REFERENCES folders(id),
            uidvalidity INTEGER NOT NULL,
            swept_at INTEGER NOT NULL,
            PRIMARY KEY (folder, uidvalidity)
        ) STRICT, WITHOUT ROWID;

        -- One row for every UID that a polled folder ever showed.
        CREATE TABLE ledger(
            folder INTEGER NOT NULL REFERENCES folders(id),
            uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 0 AND 4294967295),
            uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
            state TEXT NOT NULL CHECK (state IN (
                'archived', 'review', 'ignored', 'private', 'duplicate', 'too-large', 'quarantined', 'gone')),
            reason TEXT,
            message INTEGER REFERENCES messages(id),
            original INTEGER REFERENCES originals(id),
            size INTEGER CHECK (size >= 0),
            internal_date INTEGER,
            recorded_at INTEGER NOT NULL,
            vanished_at INTEGER,
            PRIMARY KEY (folder, uidvalidity, uid),
            CHECK ((message IS NULL) = (original IS NULL)),
            CHECK (state NOT IN ('archived', 'review', 'private', 'duplicate', 'quarantined')
                OR message IS NOT NULL),
            CHECK (state NOT IN ('too-large', 'gone') OR message IS NULL),
            CHECK (state <> 'gone' OR vanished_at IS NOT NULL),
            CHECK (state NOT IN ('ignored', 'too-large') OR reason IS NOT NULL)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX ledger_message ON ledger(message) WHERE message IS NOT NULL;
        """

    private static let decisions = """
        CREATE TABLE ignore_rules(
            id INTEGER PRIMARY KEY,
            -- A canonical address, or a domain when there is no @ in it.
            pattern TEXT NOT NULL UNIQUE CHECK (pattern <> ''),
            created_by TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;

        -- A message in the history of a contact, with the reason why.
        CREATE TABLE history(
            message INTEGER NOT NULL REFERENCES messages(id),
            contact INTEGER NOT NULL REFERENCES contacts(id),
            sort_date INTEGER NOT NULL,
            role TEXT CHECK (role IN ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc')),
            email TEXT,
            linked_by TEXT NOT NULL CHECK (linked_by IN ('arrival', 'new-address', 'person')),
            person TEXT,
            linked_at INTEGER NOT NULL,
            removed_at INTEGER,
            removed_by TEXT,
            PRIMARY KEY (message, contact),
            CHECK ((linked_by = 'person') = (person IS NOT NULL)),
            CHECK (linked_by = 'person' OR (role IS NOT NULL AND email IS NOT NULL)),
            CHECK ((removed_at IS NULL) = (removed_by IS NULL))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX history_contact ON history(contact, sort_date, message) WHERE removed_at IS NULL;

        CREATE TABLE review_items(
            id INTEGER PRIMARY KEY,
            message INTEGER NOT NULL REFERENCES messages(id),
            address INTEGER REFERENCES addresses(id),
            email TEXT,
            reason TEXT NOT NULL CHECK (reason <> ''),
            sort_date INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'linked', 'ignored', 'private')),
            opened_at INTEGER NOT NULL,
            resolved_at INTEGER,
            resolved_by TEXT,
            CHECK ((address IS NULL) = (email IS NULL)),
            CHECK ((state = 'open') = (resolved_at IS NULL)),
            CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
        ) STRICT;
        CREATE UNIQUE INDEX review_items_open ON review_items(message) WHERE state = 'open';
        CREATE INDEX review_items_message ON review_items(message);
        CREATE INDEX review_items_address ON review_items(address, id) WHERE state = 'open';
        CREATE INDEX review_items_date ON review_items(sort_date, id) WHERE state = 'open';
        """
}
