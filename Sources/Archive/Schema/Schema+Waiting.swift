extension Schema {
    /// In which mailboxes what waits lies, in the order of the queue: a user's page is found without asking of
    /// everybody's items. Kept by the database itself; a row too many is harmless, since every reading asks who may decide
    /// about the copy.
    static let waitingCopies = """
        CREATE TABLE waiting_copies(
            account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
            sort_date INTEGER NOT NULL,
            item INTEGER NOT NULL REFERENCES review_items(id) ON DELETE CASCADE,
            PRIMARY KEY (account, sort_date, item)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX waiting_copies_item ON waiting_copies(item);

        CREATE TRIGGER waiting_copies_opened AFTER INSERT ON review_items WHEN NEW.state = 'open' BEGIN
            INSERT OR IGNORE INTO waiting_copies(account, sort_date, item)
                SELECT f.account, NEW.sort_date, NEW.id FROM ledger l JOIN folders f ON f.id = l.folder
                WHERE l.message = NEW.message;
        END;
        CREATE TRIGGER waiting_copies_changed AFTER UPDATE OF state, sort_date, message ON review_items
        WHEN OLD.state = 'open' OR NEW.state = 'open' BEGIN
            DELETE FROM waiting_copies WHERE item = OLD.id;
            INSERT OR IGNORE INTO waiting_copies(account, sort_date, item)
                SELECT f.account, NEW.sort_date, NEW.id FROM ledger l JOIN folders f ON f.id = l.folder
                WHERE l.message = NEW.message AND NEW.state = 'open';
        END;
        CREATE TRIGGER waiting_copies_arrived AFTER INSERT ON ledger WHEN NEW.message IS NOT NULL BEGIN
            INSERT OR IGNORE INTO waiting_copies(account, sort_date, item)
                SELECT f.account, r.sort_date, r.id FROM review_items r, folders f
                WHERE r.message = NEW.message AND r.state = 'open' AND f.id = NEW.folder;
        END;
        CREATE TRIGGER waiting_copies_joined AFTER UPDATE OF message ON ledger WHEN NEW.message IS NOT NULL BEGIN
            INSERT OR IGNORE INTO waiting_copies(account, sort_date, item)
                SELECT f.account, r.sort_date, r.id FROM review_items r, folders f
                WHERE r.message = NEW.message AND r.state = 'open' AND f.id = NEW.folder;
        END;

        INSERT OR IGNORE INTO waiting_copies(account, sort_date, item)
            SELECT f.account, r.sort_date, r.id FROM review_items r JOIN ledger l ON l.message = r.message
                JOIN folders f ON f.id = l.folder
            WHERE r.state = 'open';
        """
}
