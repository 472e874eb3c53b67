extension Schema {
    /// What people have put in place of a message's own words. The rows of messages show it; the words that they
    /// would have by themselves stand here, to be put back.
    static let edits = """
        CREATE TABLE message_edits(
            message INTEGER PRIMARY KEY REFERENCES messages(id),
            -- NULL: the message's own; empty: none.
            subject TEXT,
            text TEXT,
            own_subject TEXT,
            own_snippet TEXT,
            person TEXT NOT NULL CHECK (person <> ''),
            edited_at INTEGER NOT NULL,
            CHECK (subject IS NOT NULL OR text IS NOT NULL)
        ) STRICT;
        """
}
