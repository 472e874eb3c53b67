extension Schema {
    /// Who may see and change what. The three first roles are there from the beginning; a user
    /// without a role has no rights.
    static let rights = """
        CREATE TABLE departments(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE CHECK (name <> '')
        ) STRICT;

        CREATE TABLE roles(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            is_built_in INTEGER NOT NULL DEFAULT 0 CHECK (is_built_in IN (0, 1))
        ) STRICT;
        CREATE TABLE role_rights(
            role INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
            right_name TEXT NOT NULL
                CHECK (right_name IN ('read', 'review', 'send', 'contacts', 'campaigns', 'administer')),
            scope TEXT NOT NULL CHECK (scope IN ('own', 'department', 'all')),
            PRIMARY KEY (role, right_name)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO roles(id, name, is_built_in)
            VALUES (1, 'administrator', 1), (2, 'manager', 1), (3, 'employee', 1);
        INSERT INTO role_rights(role, right_name, scope) VALUES
            (1, 'read', 'all'), (1, 'review', 'all'), (1, 'send', 'all'), (1, 'contacts', 'all'),
            (1, 'campaigns', 'all'), (1, 'administer', 'all'),
            (2, 'read', 'department'), (2, 'review', 'department'), (2, 'send', 'department'),
            (2, 'contacts', 'department'), (2, 'campaigns', 'department'),
            (3, 'read', 'own'), (3, 'review', 'own'), (3, 'send', 'own'), (3, 'contacts', 'own');

        ALTER TABLE users ADD COLUMN role INTEGER REFERENCES roles(id);
        UPDATE users SET role = 3;
        ALTER TABLE users ADD COLUMN department INTEGER REFERENCES departments(id);
        CREATE INDEX users_department ON users(department) WHERE department IS NOT NULL;
        ALTER TABLE users ADD COLUMN is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1));
        -- The scrypt of the password with its salt and its costs; NULL lets nobody sign in.
        ALTER TABLE users ADD COLUMN password TEXT CHECK (password LIKE 'scrypt$%');

        -- What the mailbox's user lets colleagues see of the mail in it.
        ALTER TABLE accounts ADD COLUMN colleagues_see TEXT NOT NULL DEFAULT 'everything'
            CHECK (colleagues_see IN ('everything', 'people', 'presence'));

        -- Who besides the owner sees a private contact.
        CREATE TABLE contact_users(
            contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
            user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            PRIMARY KEY (contact, user)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX contact_users_user ON contact_users(user, contact);

        -- Of a token only the digest is kept: what is drawn by chance needs no slow hash.
        CREATE TABLE api_tokens(
            id INTEGER PRIMARY KEY,
            user INTEGER NOT NULL REFERENCES users(id),
            name TEXT NOT NULL CHECK (name <> ''),
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            used_at INTEGER,
            revoked_at INTEGER,
            UNIQUE (user, name)
        ) STRICT;
        CREATE TABLE token_rights(
            token INTEGER NOT NULL REFERENCES api_tokens(id) ON DELETE CASCADE,
            right_name TEXT NOT NULL
                CHECK (right_name IN ('read', 'review', 'send', 'contacts', 'campaigns', 'administer')),
            PRIMARY KEY (token, right_name)
        ) STRICT, WITHOUT ROWID;
        """
}
