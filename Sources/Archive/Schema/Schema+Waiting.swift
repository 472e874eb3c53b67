extension Schema {
    /// In which mailboxes what waits lies; `waitingLists` has taken its place.
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

    /// The queue as lists: of everything, and of each mailbox what lies in it. All that a listing may leave out or group
    /// by stands in the rows, so that pages, counts and groups are read from an index alone. Kept by the database
    /// itself.
    static let waitingLists = """
        DROP TRIGGER waiting_copies_opened;
        DROP TRIGGER waiting_copies_changed;
        DROP TRIGGER waiting_copies_arrived;
        DROP TRIGGER waiting_copies_joined;
        DROP TABLE waiting_copies;
        DROP INDEX review_items_date;
        DROP INDEX review_items_kind;

        CREATE TABLE waiting(
            -- 0: the list of everything.
            account INTEGER NOT NULL CHECK (account >= 0),
            sort_date INTEGER NOT NULL,
            item INTEGER NOT NULL,
            address INTEGER,
            kind TEXT NOT NULL,
            direction TEXT NOT NULL,
            -- The last account before this one that has a copy too, by number; 0: none.
            copy_before INTEGER NOT NULL CHECK (copy_before >= 0),
            PRIMARY KEY (account, sort_date, item)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX waiting_address ON waiting(
            account, address, sort_date, item, kind, direction, copy_before);

        CREATE TRIGGER waiting_opened AFTER INSERT ON review_items WHEN NEW.state = 'open' BEGIN
            \(listing("r.id = NEW.id"))
        END;
        CREATE TRIGGER waiting_changed AFTER UPDATE OF state, sort_date, message, address, kind ON review_items
        WHEN NEW.state = 'open' BEGIN
            \(delisting(date: "OLD.sort_date", item: "OLD.id", message: "OLD.message"))
            \(listing("r.id = NEW.id"))
        END;
        CREATE TRIGGER waiting_settled AFTER UPDATE OF state ON review_items
        WHEN OLD.state = 'open' AND NEW.state <> 'open' BEGIN
            \(delisting(date: "OLD.sort_date", item: "OLD.id", message: "OLD.message"))
        END;
        CREATE TRIGGER waiting_closed AFTER DELETE ON review_items WHEN OLD.state = 'open' BEGIN
            \(delisting(date: "OLD.sort_date", item: "OLD.id", message: "OLD.message"))
        END;
        CREATE TRIGGER waiting_copied AFTER INSERT ON ledger WHEN \(isOpen("NEW.message")) BEGIN
            \(renewal("NEW.message", folder: "NEW.folder"))
        END;
        CREATE TRIGGER waiting_moved AFTER UPDATE OF message ON ledger
        WHEN \(isOpen("OLD.message")) OR \(isOpen("NEW.message")) BEGIN
            \(renewal("OLD.message", folder: "OLD.folder"))
            \(renewal("NEW.message", folder: "NEW.folder"))
        END;
        CREATE TRIGGER waiting_dropped AFTER DELETE ON ledger WHEN \(isOpen("OLD.message")) BEGIN
            \(renewal("OLD.message", folder: "OLD.folder"))
        END;
        CREATE TRIGGER waiting_turned AFTER UPDATE OF direction ON messages WHEN \(isOpen("NEW.id")) BEGIN
            \(renewal("NEW.id", folder: "NULL"))
        END;

        \(listing("1"))
        """

    /// Takes what is settled from the list of everything and from that of its mailbox without a temporary table for
    /// each item; what lies in several mailboxes leaves the others too.
    static let settledItems = """
        DROP TRIGGER waiting_settled;
        CREATE TRIGGER waiting_settled AFTER UPDATE OF state ON review_items
        WHEN OLD.state = 'open' AND NEW.state <> 'open' BEGIN
            DELETE FROM waiting WHERE account = 0 AND sort_date = OLD.sort_date AND item = OLD.id;
            DELETE FROM waiting WHERE sort_date = OLD.sort_date AND item = OLD.id AND account = (
                SELECT f.account FROM ledger l JOIN folders f ON f.id = l.folder
                WHERE l.message = OLD.message LIMIT 1);
        END;
        CREATE TRIGGER waiting_settled_copies AFTER UPDATE OF state ON review_items
        WHEN OLD.state = 'open' AND NEW.state <> 'open'
            AND (SELECT count(*) FROM ledger WHERE message = OLD.message) > 1 BEGIN
            \(delisting(date: "OLD.sort_date", item: "OLD.id", message: "OLD.message"))
        END;
        """

    private static func isOpen(_ message: String) -> String {
        "EXISTS (SELECT 1 FROM review_items WHERE message = \(message) AND state = 'open')"
    }

    /// Lists anew what waits of a message.
    ///
    /// - Parameter folder: one in which it lies, or lay before this change.
    private static func renewal(_ message: String, folder: String) -> String {
        let open = "FROM review_items WHERE message = \(message) AND state = 'open'"
        return """
            \(delisting(
                date: "(SELECT sort_date \(open))", item: "(SELECT id \(open))", message: message, folder: folder))
            \(listing("r.message = \(message)"))
            """
    }

    /// Names the whole key: an index on items alone would cost more than it is worth.
    private static func delisting(
        date: String, item: String, message: String, folder: String = "NULL"
    ) -> String {
        """
        DELETE FROM waiting WHERE sort_date = \(date) AND item = \(item) AND account IN (
            SELECT 0 UNION ALL SELECT account FROM folders
                WHERE id = \(folder) OR id IN (SELECT folder FROM ledger WHERE message = \(message)));
        """
    }

    /// - Parameter items: a condition on `r`, the row of `review_items`.
    private static func listing(_ items: String) -> String {
        """
        INSERT INTO waiting(account, sort_date, item, address, kind, direction, copy_before)
            SELECT 0, r.sort_date, r.id, r.address, r.kind, m.direction, 0
            FROM review_items r JOIN messages m ON m.id = r.message
            WHERE r.state = 'open' AND \(items);
        INSERT INTO waiting(account, sort_date, item, address, kind, direction, copy_before)
            SELECT f.account, r.sort_date, r.id, r.address, r.kind, m.direction,
                coalesce((SELECT max(g.account) FROM ledger k JOIN folders g ON g.id = k.folder
                    WHERE k.message = r.message AND g.account < f.account), 0)
            FROM review_items r JOIN messages m ON m.id = r.message
                JOIN ledger l ON l.message = r.message JOIN folders f ON f.id = l.folder
            WHERE r.state = 'open' AND \(items) GROUP BY r.id, f.account;
        """
    }
}
