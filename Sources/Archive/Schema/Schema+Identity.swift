extension Schema {
    /// Which mailbox and which server an account means.
    static let identity = """
        -- Keys that its servers may have, in place of a certificate authority's word.
        ALTER TABLE accounts ADD COLUMN pins TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(pins));

        -- The mailbox that was read so far; no row before the first poll, or when a person has confirmed
        -- that it may change.
        CREATE TABLE mailbox_identities(
            account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
            login TEXT NOT NULL CHECK (login <> ''),
            host TEXT NOT NULL CHECK (host <> ''),
            server_name TEXT CHECK (server_name <> ''),
            noted_at INTEGER NOT NULL
        ) STRICT;
        """
}
