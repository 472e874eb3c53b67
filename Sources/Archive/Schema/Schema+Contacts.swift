import GRDB
import MailModel
import Matcher

extension Schema {
    /// What is known about contacts besides name and addresses, what a message says about who
    /// sent it, and why an item waits.
    static let contactDetails = """
        ALTER TABLE contacts ADD COLUMN type TEXT CHECK (type <> '');
        -- The words of the name in Latin letters, sorted: one form for every spelling.
        ALTER TABLE contacts ADD COLUMN name_words TEXT NOT NULL DEFAULT '';
        CREATE INDEX contacts_name_words ON contacts(name_words) WHERE name_words <> '';
        CREATE INDEX contacts_type ON contacts(type) WHERE type IS NOT NULL;

        CREATE TABLE contact_tags(
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            tag TEXT NOT NULL CHECK (tag <> ''),
            PRIMARY KEY (contact, tag)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_tags_tag ON contact_tags(tag, contact);

        CREATE TABLE contact_phones(
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            -- The number in the form in which numbers are compared.
            digits TEXT NOT NULL CHECK (digits <> ''),
            position INTEGER NOT NULL CHECK (position >= 0),
            number TEXT NOT NULL CHECK (number <> ''),
            PRIMARY KEY (contact, digits)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_phones_digits ON contact_phones(digits, contact);

        -- A contact that became part of another: its number and external id lead there.
        CREATE TABLE merged_contacts(
            id INTEGER PRIMARY KEY,
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            external_id TEXT UNIQUE CHECK (external_id <> ''),
            merged_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX merged_contacts_contact ON merged_contacts(contact);

        -- How a contact's address, or the domain of one, looks to a reader; the numbers of its
        -- halves find what differs in one letter, since one half is then the same.
        CREATE TABLE looks(
            known TEXT PRIMARY KEY NOT NULL CHECK (known <> ''),
            look TEXT NOT NULL,
            head INTEGER NOT NULL,
            tail INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX looks_head ON looks(head);
        CREATE INDEX looks_tail ON looks(tail);

        -- What the configured authority found out about the sender, and the field that says it.
        ALTER TABLE messages ADD COLUMN sender_check TEXT
            CHECK (sender_check IN ('verified', 'failed', 'unknown'));
        ALTER TABLE messages ADD COLUMN sender_check_facts TEXT;
        -- Telephone numbers and lines of the signature, one in a line: they suggest whose it is.
        ALTER TABLE messages ADD COLUMN signature TEXT;

        ALTER TABLE review_items ADD COLUMN kind TEXT NOT NULL DEFAULT 'unknown'
            CHECK (kind IN ('unknown', 'unreadable', 'ambiguous', 'unverified', 'look-alike', 'unlinked'));
        UPDATE review_items SET kind = 'unreadable' WHERE reason = 'could not be read';
        CREATE INDEX review_items_kind ON review_items(kind, sort_date, id) WHERE state = 'open';

        -- The message of ours that was answered, when that is why it is linked.
        ALTER TABLE history ADD COLUMN thread INTEGER REFERENCES messages(id) ON DELETE SET NULL;
        CREATE INDEX history_thread ON history(thread) WHERE thread IS NOT NULL;
        """

    /// Gives the contacts of an older archive what is derived from names and addresses.
    static func deriveContactDetails(_ db: Database) throws {
        let setWords = try PreparedStatement(db, "UPDATE contacts SET name_words = ? WHERE id = ?")
        var names: [(Int64, String)] = []
        try PreparedStatement(db, "SELECT id, name FROM contacts").forEachRow {
            names.append(($0.int64(0), $0.text(1)))
        }
        for (id, name) in names {
            try setWords.bind(1, NameWords(name).key)
            setWords.bind(2, id)
            try setWords.run()
        }
        let looks = try LookRegister(db)
        var known: [CanonicalAddress] = []
        try PreparedStatement(
            db,
            "SELECT DISTINCT a.canonical FROM contact_addresses ca JOIN addresses a ON a.id = ca.address"
        ).forEachRow { known.append(CanonicalAddress(rawValue: $0.text(0))) }
        for address in known { try looks.add(address) }
    }
}
