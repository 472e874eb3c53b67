extension Schema {
    /// The full-text index. Which messages are in it stands with them: a message and its flag are
    /// written in one transaction, so that no mark of progress can run ahead.
    static let search = """
        ALTER TABLE messages ADD COLUMN is_indexed INTEGER NOT NULL DEFAULT 0 CHECK (is_indexed IN (0, 1));
        CREATE INDEX messages_unindexed ON messages(id)
            WHERE is_indexed = 0 AND content_digest IS NOT NULL AND erased_at IS NULL;
        \(searchTable)
        """

    /// Row numbers are those of messages. Blind recipients have a column of their own, since not
    /// everybody who sees a message sees them.
    static let searchTable = """
        CREATE VIRTUAL TABLE search USING fts5(subject, people, blind, body, files, tokenize = 'words');
        INSERT INTO search(search, rank) VALUES ('rank', 'bm25(6.0, 3.0, 3.0, 1.0, 3.0)');
        """
}
