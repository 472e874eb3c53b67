extension Schema {
    /// Mail that we send. The rows hold every promise by themselves: what was accepted is never
    /// tried again, the bytes never change, and an item is sent only when all its recipients are.
    static let outbox = """
        CREATE TABLE outbox(
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES accounts(id),
            user INTEGER REFERENCES users(id),
            requested_by TEXT NOT NULL CHECK (requested_by <> ''),
            idempotency_key TEXT UNIQUE CHECK (idempotency_key <> ''),
            message_id TEXT NOT NULL UNIQUE CHECK (message_id <> ''),
            -- The ENVID of RFC 3461, by which delivery reports come back.
            envelope_id TEXT NOT NULL UNIQUE CHECK (envelope_id <> ''),
            -- The reverse-path; empty for reports of ours.
            sender TEXT NOT NULL CHECK (sender = '' OR instr(sender, '@') > 1),
            subject TEXT,
            kind TEXT NOT NULL CHECK (kind IN ('single', 'automatic', 'mass')),
            priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
            needs_utf8 INTEGER NOT NULL CHECK (needs_utf8 IN (0, 1)),
            size INTEGER NOT NULL CHECK (size > 0),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            -- The Bcc field of the copy in the Sent folder, which the wire does not have.
            blind_field BLOB,
            state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN (
                'queued', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'held', 'cancelled')),
            -- Why it is in that state, and what the reader can do.
            reason_code TEXT, reason TEXT, remedy TEXT,
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            created_at INTEGER NOT NULL,
            not_before INTEGER NOT NULL,
            first_try INTEGER,
            next_try INTEGER,
            holder TEXT, claimed_at INTEGER,
            -- From here on the server may have the mail.
            data_begun_at INTEGER,
            finished_at INTEGER,
            filing TEXT NOT NULL DEFAULT 'none' CHECK (filing IN ('none', 'due', 'done')),
            message INTEGER REFERENCES messages(id),
            copy TEXT NOT NULL DEFAULT 'none' CHECK (copy IN ('none', 'due', 'done', 'unneeded', 'failed')),
            copy_tries INTEGER NOT NULL DEFAULT 0 CHECK (copy_tries >= 0),
            copy_next INTEGER, copy_error TEXT,
            CHECK ((state = 'sending') = (holder IS NOT NULL)),
            CHECK ((holder IS NULL) = (claimed_at IS NULL)),
            CHECK (data_begun_at IS NULL OR state IN ('sending', 'uncertain')),
            CHECK (state <> 'uncertain' OR data_begun_at IS NOT NULL),
            CHECK ((state IN ('queued', 'retry')) = (next_try IS NOT NULL)),
            CHECK ((state IN ('sent', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
            CHECK (state NOT IN ('retry', 'failed', 'uncertain', 'held') OR reason IS NOT NULL),
            CHECK (message IS NULL OR filing = 'done')
        ) STRICT;
        CREATE INDEX outbox_due ON outbox(account, priority, next_try, id) WHERE state IN ('queued', 'retry');
        CREATE INDEX outbox_sending ON outbox(account, id) WHERE state = 'sending';
        CREATE INDEX outbox_open ON outbox(state, id) WHERE state IN ('uncertain', 'held', 'failed');
        CREATE INDEX outbox_user ON outbox(user, created_at) WHERE user IS NOT NULL;
        CREATE INDEX outbox_filing ON outbox(id) WHERE filing = 'due';
        CREATE INDEX outbox_copy ON outbox(account, copy_next, id) WHERE copy = 'due';
        CREATE INDEX outbox_message ON outbox(message) WHERE message IS NOT NULL;

        CREATE TABLE outbox_recipients(
            item INTEGER NOT NULL REFERENCES outbox(id),
            position INTEGER NOT NULL CHECK (position >= 0),
            role TEXT NOT NULL CHECK (role IN ('to', 'cc', 'bcc')),
            email TEXT NOT NULL CHECK (email <> ''),
            canonical TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN (
                'waiting', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'cancelled')),
            -- The last reply about this recipient; all of them are in outbox_replies.
            code INTEGER CHECK (code BETWEEN 200 AND 599),
            status TEXT, reply TEXT, replied_at INTEGER,
            PRIMARY KEY (item, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX outbox_recipients_canonical ON outbox_recipients(canonical, item);

        -- Every reply of a server, as it said it.
        CREATE TABLE outbox_replies(
            id INTEGER PRIMARY KEY,
            item INTEGER NOT NULL REFERENCES outbox(id),
            -- Nil: about all recipients of the attempt.
            position INTEGER,
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            at INTEGER NOT NULL,
            stage TEXT NOT NULL CHECK (stage IN ('connect', 'mail', 'rcpt', 'data', 'end-of-data')),
            code INTEGER CHECK (code BETWEEN 200 AND 599),
            status TEXT,
            text TEXT NOT NULL
        ) STRICT;
        CREATE INDEX outbox_replies_item ON outbox_replies(item, id);

        -- The frozen bytes, in pieces, until the archive has them as an original.
        CREATE TABLE outbox_content(
            item INTEGER NOT NULL REFERENCES outbox(id),
            piece INTEGER NOT NULL CHECK (piece >= 0),
            bytes BLOB NOT NULL CHECK (length(bytes) > 0),
            PRIMARY KEY (item, piece)
        ) STRICT;

        CREATE TABLE outbox_transitions(
            old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (old, new)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO outbox_transitions(old, new) VALUES
            ('queued', 'sending'), ('queued', 'held'), ('queued', 'cancelled'), ('queued', 'failed'),
            ('sending', 'sent'), ('sending', 'retry'), ('sending', 'failed'), ('sending', 'uncertain'),
            ('sending', 'held'), ('sending', 'queued'),
            ('retry', 'sending'), ('retry', 'held'), ('retry', 'cancelled'), ('retry', 'failed'),
            ('retry', 'queued'),
            ('held', 'queued'), ('held', 'cancelled'),
            ('uncertain', 'sent'), ('uncertain', 'failed'), ('uncertain', 'retry'), ('uncertain', 'queued'),
            ('failed', 'queued');

        CREATE TRIGGER outbox_legal_transitions BEFORE UPDATE OF state ON outbox
            WHEN OLD.state <> NEW.state
                AND NOT EXISTS (SELECT 1 FROM outbox_transitions WHERE old = OLD.state AND new = NEW.state)
            BEGIN SELECT RAISE(ABORT, 'an outbox item cannot go from that state to this one'); END;
        CREATE TRIGGER outbox_sent_means_all BEFORE UPDATE OF state ON outbox
            WHEN NEW.state = 'sent'
                AND EXISTS (SELECT 1 FROM outbox_recipients WHERE item = NEW.id AND state <> 'sent')
            BEGIN SELECT RAISE(ABORT, 'an item is sent when all its recipients are'); END;
        CREATE TRIGGER outbox_frozen BEFORE UPDATE OF account, message_id, envelope_id, sender, size, sha256
            ON outbox BEGIN SELECT RAISE(ABORT, 'a queued mail does not change'); END;
        CREATE TRIGGER outbox_content_frozen BEFORE UPDATE ON outbox_content
            BEGIN SELECT RAISE(ABORT, 'a queued mail does not change'); END;
        CREATE TRIGGER outbox_sent_is_final BEFORE UPDATE OF state ON outbox_recipients
            WHEN OLD.state = 'sent' AND NEW.state <> 'sent'
            BEGIN SELECT RAISE(ABORT, 'what a server has accepted stays sent'); END;

        -- Recipients and messages of each minute, from which daily quotas and the pace are counted.
        CREATE TABLE send_counts(
            account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
            minute INTEGER NOT NULL,
            messages INTEGER NOT NULL CHECK (messages >= 0),
            recipients INTEGER NOT NULL CHECK (recipients >= 0),
            PRIMARY KEY (account, minute)
        ) STRICT, WITHOUT ROWID;

        -- An account that may not send for now, and why.
        CREATE TABLE send_pauses(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            -- Nil: until its settings change.
            until INTEGER,
            revision INTEGER NOT NULL,
            failures INTEGER NOT NULL CHECK (failures > 0),
            code TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT
        ) STRICT;

        -- Limits that somebody set; without a row the provider's hold.
        CREATE TABLE send_limits(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            recipients_per_day INTEGER CHECK (recipients_per_day > 0),
            recipients_per_message INTEGER CHECK (recipients_per_message > 0),
            messages_per_minute INTEGER CHECK (messages_per_minute > 0),
            connections INTEGER CHECK (connections BETWEEN 1 AND 100)
        ) STRICT;

        -- What came back about a recipient.
        CREATE TABLE delivery_reports(
            id INTEGER PRIMARY KEY,
            item INTEGER NOT NULL REFERENCES outbox(id),
            position INTEGER NOT NULL,
            report INTEGER NOT NULL REFERENCES messages(id),
            at INTEGER NOT NULL,
            action TEXT CHECK (action IN ('failed', 'delayed', 'delivered', 'relayed', 'expanded')),
            failure TEXT CHECK (failure IN ('hard', 'soft', 'unknown')),
            status TEXT, diagnostic TEXT,
            FOREIGN KEY (item, position) REFERENCES outbox_recipients(item, position),
            UNIQUE (report, item, position)
        ) STRICT;
        CREATE INDEX delivery_reports_item ON delivery_reports(item, position);

        -- Addresses that automatic and mass mail leaves out.
        CREATE TABLE suppressions(
            canonical TEXT PRIMARY KEY NOT NULL CHECK (instr(canonical, '@') > 1),
            email TEXT NOT NULL,
            reason TEXT NOT NULL CHECK (reason IN ('hard-bounces', 'person')),
            evidence TEXT NOT NULL CHECK (evidence <> ''),
            created_at INTEGER NOT NULL,
            -- Nil: until a person removes it.
            expires_at INTEGER,
            created_by TEXT NOT NULL CHECK (created_by <> '')
        ) STRICT, WITHOUT ROWID;
        """
}
