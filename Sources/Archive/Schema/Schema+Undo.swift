extension Schema {
    /// What people did, row by row, to be taken back. Numbers are never used again: somebody may have noted one.
    static let undo = """
        CREATE TABLE undo(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            person TEXT NOT NULL CHECK (person <> ''),
            -- Nil: the administrator.
            user INTEGER REFERENCES users(id) ON DELETE SET NULL,
            action TEXT NOT NULL CHECK (action <> ''),
            subject TEXT,
            -- What taking it back takes.
            right_name TEXT NOT NULL
                CHECK (right_name IN ('read', 'review', 'send', 'contacts', 'campaigns', 'administer')),
            scope TEXT NOT NULL CHECK (scope IN ('own', 'department', 'all')),
            -- A changeset of SQLite's session extension; gone once it was taken back.
            changes BLOB CHECK (length(changes) > 0),
            size INTEGER NOT NULL CHECK (size > 0),
            -- The addresses that it was the first to name.
            made_addresses TEXT NOT NULL CHECK (json_valid(made_addresses)),
            undone_at INTEGER,
            undone_by TEXT,
            CHECK ((undone_at IS NULL) = (undone_by IS NULL)),
            CHECK ((undone_at IS NULL) = (changes IS NOT NULL))
        ) STRICT;
        CREATE INDEX undo_open ON undo(id) WHERE undone_at IS NULL;
        """

    /// What of an action its user could not decide about once it was done; they take it back all the same.
    static let beyondSight = """
        ALTER TABLE undo ADD COLUMN beyond TEXT CHECK (beyond IS NULL OR json_valid(beyond));
        """

    /// A row that is older than a column lacks it on the disk. Reading gives the column's default, and the session
    /// extension of SQLite 3.40 gives NULL: what it noted could never be put back.
    static let completeRows = """
        UPDATE review_items SET kind = kind;
        UPDATE messages SET is_indexed = is_indexed;
        """
}
