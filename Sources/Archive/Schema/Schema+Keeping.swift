extension Schema {
    /// The same body reads differently under another Content-Type or Content-Transfer-Encoding.
    static let forms = """
        -- A digest of these. Nil: the message came before they were looked at, and whatever has its content is its copy.
        ALTER TABLE messages ADD COLUMN form_digest BLOB CHECK (length(form_digest) = 32);
        DROP INDEX messages_identity;
        -- What makes two copies one message; its first column finds a Message-ID too.
        CREATE UNIQUE INDEX messages_identity ON messages(message_id_key, content_digest, coalesce(form_digest, x''))
            WHERE message_id_key IS NOT NULL;
        """

    /// What is left of a message that was erased: its place in the ledger, and digests that
    /// keep it from coming back.
    static let erasure = """
        ALTER TABLE messages ADD COLUMN erased_at INTEGER CHECK (erased_at IS NULL OR (
            state = 'private' AND subject IS NULL AND date IS NULL AND thread IS NULL AND snippet IS NULL
            AND defects IS NULL));
        -- The bytes in the pack are overwritten after the transaction that marks them as due.
        ALTER TABLE originals ADD COLUMN erasure TEXT CHECK (erasure IN ('due', 'done'));
        CREATE INDEX originals_erasure ON originals(erasure) WHERE erasure IS NOT NULL;
        -- Numbers that no other contact may get.
        CREATE TABLE erased_contacts(
            id INTEGER PRIMARY KEY,
            erased_at INTEGER NOT NULL
        ) STRICT;
        -- Whether anybody still needs an address is asked for each that an erasure leaves behind.
        CREATE INDEX review_items_any_address ON review_items(address) WHERE address IS NOT NULL;
        """

    /// What lies where in a pack, and so what lies there that no row speaks of. Grows at its end.
    static let placesOfOriginals = "CREATE INDEX originals_place ON originals(pack, offset, size)"

    /// Erased mail without a Message-ID, by the digest of its content.
    static let namelessTombstones = """
        CREATE INDEX messages_nameless_tombstones ON messages(content_digest)
            WHERE message_id_key IS NULL AND erased_at IS NOT NULL
        """

    /// Who did what: numbers and names of actions, no subjects and no addresses of mail.
    static let audit = """
        CREATE TABLE audit(
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            person TEXT NOT NULL CHECK (person <> ''),
            system_user TEXT NOT NULL CHECK (system_user <> ''),
            origin TEXT NOT NULL CHECK (origin <> ''),
            action TEXT NOT NULL CHECK (action <> ''),
            subject TEXT
        ) STRICT;
        CREATE TRIGGER audit_keeps_entries BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
        CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
        -- INSERT OR REPLACE deletes without asking the first one.
        CREATE TRIGGER audit_replaces_none BEFORE INSERT ON audit
            WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
        """
}
