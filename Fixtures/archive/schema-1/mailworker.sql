PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1');
CREATE TABLE settings(
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('key-check',X'c1947d407fcdc3f0ce19b909d7d0f55587848d74384e55e437d6c58c2e6a71af17855387e7a5');
CREATE TABLE addresses(
    id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL UNIQUE CHECK (instr(canonical, '@') > 0)
) STRICT;
INSERT INTO addresses VALUES(1,'anna@firma.example');
INSERT INTO addresses VALUES(2,'ivan@klient.example');
INSERT INTO addresses VALUES(3,'stranger@else.example');
INSERT INTO addresses VALUES(4,'spam@else.example');
CREATE TABLE users(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    display_name TEXT,
    email TEXT,
    address INTEGER REFERENCES addresses(id),
    created_at INTEGER NOT NULL,
    CHECK ((email IS NULL) = (address IS NULL))
) STRICT;
INSERT INTO users VALUES(1,'anna',NULL,'anna@firma.example',1,1795533490);
CREATE TABLE accounts(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    user INTEGER REFERENCES users(id),
    kind TEXT NOT NULL CHECK (kind IN ('mailbox', 'import')),
    email TEXT,
    address INTEGER REFERENCES addresses(id),
    preset TEXT NOT NULL,
    login TEXT NOT NULL,
    secret BLOB,
    imap_host TEXT, imap_port INTEGER, imap_security TEXT,
    smtp_host TEXT, smtp_port INTEGER, smtp_security TEXT,
    poll_minutes INTEGER NOT NULL CHECK (poll_minutes > 0),
    timeout_seconds INTEGER NOT NULL CHECK (timeout_seconds > 0),
    sent_folder TEXT,
    further_folders TEXT NOT NULL CHECK (json_valid(further_folders)),
    since INTEGER,
    ca_file TEXT,
    proxy TEXT,
    is_declared INTEGER NOT NULL CHECK (is_declared IN (0, 1)),
    is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
    -- Counts the changes of settings and secret.
    revision INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ok', 'failing', 'stopped')),
    last_attempt INTEGER,
    last_success INTEGER,
    next_poll INTEGER,
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    error_code TEXT, error_kind TEXT, error_text TEXT, error_remedy TEXT,
    CHECK ((email IS NULL) = (address IS NULL)),
    CHECK (kind = 'import' OR (email IS NOT NULL AND imap_host IS NOT NULL)),
    CHECK ((imap_host IS NULL) = (imap_port IS NULL) AND (imap_host IS NULL) = (imap_security IS NULL)),
    CHECK ((smtp_host IS NULL) = (smtp_port IS NULL) AND (smtp_host IS NULL) = (smtp_security IS NULL)),
    CHECK (imap_port BETWEEN 1 AND 65535), CHECK (smtp_port BETWEEN 1 AND 65535),
    CHECK (imap_security IN ('tls', 'starttls', 'none')),
    CHECK (smtp_security IN ('tls', 'starttls', 'none'))
) STRICT;
INSERT INTO accounts VALUES(1,'anna-mail',1,'mailbox','anna@firma.example',1,'yandex','anna@firma.example',X'b7a5dcd05180464a4a4e281f8df4d3d7295e569a16b886d7d904ce44c402771186c2','imap.yandex.ru',993,'tls','smtp.yandex.ru',465,'tls',5,60,NULL,'[]',NULL,NULL,NULL,0,1,0,'new',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO accounts VALUES(2,'import',NULL,'import',NULL,NULL,'custom','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,60,NULL,'[]',NULL,NULL,NULL,0,1,0,'new',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE leases(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    holder TEXT NOT NULL CHECK (holder <> ''),
    process INTEGER NOT NULL,
    serial INTEGER NOT NULL CHECK (serial > 0),
    acquired_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE contacts(
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'lead', 'organisation')),
    name TEXT NOT NULL CHECK (name <> ''),
    name_key TEXT NOT NULL,
    external_id TEXT UNIQUE CHECK (external_id <> ''),
    organisation INTEGER REFERENCES contacts(id) ON DELETE SET NULL CHECK (organisation <> id),
    owner INTEGER REFERENCES users(id),
    do_not_email INTEGER NOT NULL DEFAULT 0 CHECK (do_not_email IN (0, 1)),
    notify_owner INTEGER NOT NULL DEFAULT 0 CHECK (notify_owner IN (0, 1)),
    is_private INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO contacts VALUES(1,'person','Иван Петров','иван петров',NULL,NULL,NULL,0,0,0,1795533490,1795533490);
CREATE TABLE contact_addresses(
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    address INTEGER NOT NULL REFERENCES addresses(id),
    position INTEGER NOT NULL CHECK (position >= 0),
    email TEXT NOT NULL CHECK (instr(email, '@') > 0),
    domain TEXT NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    PRIMARY KEY (contact, address)
) STRICT, WITHOUT ROWID;
INSERT INTO contact_addresses VALUES(1,2,0,'ivan@klient.example','klient.example',1);
CREATE TABLE packs(
    id INTEGER PRIMARY KEY,
    committed_end INTEGER NOT NULL CHECK (committed_end > 0),
    -- SHA-256 of the last committed record's header: what the next one names.
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO packs VALUES(1,956,X'5a2ed606d2db947b2adf0fd04c3c1b6fe1890c3076a9f157f7ea3b4e950ed36d',0,1795533491);
CREATE TABLE messages(
    id INTEGER PRIMARY KEY,
    message_id TEXT CHECK (message_id <> ''),
    -- Eight bytes of the Message-ID's SHA-256: a small index for long texts.
    message_id_key INTEGER,
    content_digest BLOB CHECK (length(content_digest) = 32),
    subject TEXT,
    date INTEGER,
    sort_date INTEGER NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing', 'internal')),
    category TEXT NOT NULL CHECK (category IN ('personal', 'list', 'automatic', 'report')),
    state TEXT NOT NULL CHECK (state IN ('archived', 'review', 'ignored', 'private', 'quarantined')),
    reason TEXT,
    ignored_by INTEGER REFERENCES ignore_rules(id) ON DELETE SET NULL,
    thread TEXT,
    snippet TEXT,
    defects TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((message_id IS NULL) = (message_id_key IS NULL)),
    CHECK (message_id IS NULL OR content_digest IS NOT NULL),
    CHECK (state <> 'quarantined' OR content_digest IS NULL),
    CHECK (state <> 'review' OR content_digest IS NOT NULL)
) STRICT;
INSERT INTO messages VALUES(1,'1@fixture.example',-9069438536498148419,X'8a35fd13dc32487736eb42d107d0d2e101ac70e8c1e89cc1821c24268f0dcf56','Linked',1714989601,1714989601,'incoming','personal','archived',NULL,NULL,NULL,'Text 1',NULL,1795533491);
INSERT INTO messages VALUES(2,'2@fixture.example',5792395334475976169,X'a82a29ef5f5dabc2d510ee42dfd7d9ff92c78648999392efe0d5b5c53badb2f5','Waiting',1714989602,1714989602,'incoming','personal','review',NULL,NULL,NULL,'Text 2',NULL,1795533491);
INSERT INTO messages VALUES(3,'3@fixture.example',4448829209826363719,X'8ec607287dafa8f3a1e81e2a01fbcb3b1afe817100b4b4b5793e8e192ebc8d15','Outgoing',1714989603,1714989603,'outgoing','personal','archived',NULL,NULL,NULL,'Text 3',NULL,1795533491);
INSERT INTO messages VALUES(4,'4@fixture.example',4468538649201930965,X'1c67976a9aba164d0e8e064e5fb95bd30c437d565f3c4bc2b0c79826e1fce7dd','Ignored',1714989604,1714989604,'incoming','personal','ignored','by a person',NULL,NULL,'Text 4',NULL,1795533491);
CREATE TABLE originals(
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    pack INTEGER NOT NULL REFERENCES packs(id),
    offset INTEGER NOT NULL CHECK (offset >= 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    message INTEGER NOT NULL REFERENCES messages(id)
) STRICT;
INSERT INTO originals VALUES(1,X'427f9466df3ea9bfbcdbe960136f2cd2826e6d32e563ac1f4d7987a3556c975f',1,32,150,1);
INSERT INTO originals VALUES(2,X'a499bb579a3a141dcdcab26a380d2a37433377abca4451fbb8b3c5fc8a3b93c0',1,262,153,2);
INSERT INTO originals VALUES(3,X'e5fe72285d3904b872fbf1aa9c3cc666ab83086345bfa8440ed578a2b64625d2',1,495,152,3);
INSERT INTO originals VALUES(4,X'5cb0d7fe2a7c418d89069178bea96e3c1a03cdf2f109c0aa06bc866b2fda3215',1,727,149,4);
CREATE TABLE participants(
    message INTEGER NOT NULL REFERENCES messages(id),
    position INTEGER NOT NULL CHECK (position >= 0),
    role TEXT NOT NULL CHECK (role IN ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc')),
    address INTEGER NOT NULL REFERENCES addresses(id),
    email TEXT NOT NULL,
    name TEXT,
    PRIMARY KEY (message, position)
) STRICT, WITHOUT ROWID;
INSERT INTO participants VALUES(1,0,'from',2,'ivan@klient.example',NULL);
INSERT INTO participants VALUES(1,1,'to',1,'anna@firma.example',NULL);
INSERT INTO participants VALUES(2,0,'from',3,'stranger@else.example',NULL);
INSERT INTO participants VALUES(2,1,'to',1,'anna@firma.example',NULL);
INSERT INTO participants VALUES(3,0,'from',1,'anna@firma.example',NULL);
INSERT INTO participants VALUES(3,1,'to',2,'ivan@klient.example',NULL);
INSERT INTO participants VALUES(4,0,'from',4,'spam@else.example',NULL);
INSERT INTO participants VALUES(4,1,'to',1,'anna@firma.example',NULL);
CREATE TABLE attachments(
    message INTEGER NOT NULL REFERENCES messages(id),
    position INTEGER NOT NULL CHECK (position >= 0),
    filename TEXT,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    is_inline INTEGER NOT NULL CHECK (is_inline IN (0, 1)),
    content_id TEXT,
    PRIMARY KEY (message, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE folders(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts(id),
    name TEXT NOT NULL CHECK (name <> ''),
    role TEXT NOT NULL CHECK (role IN ('inbox', 'sent', 'other')),
    UNIQUE (account, name)
) STRICT;
INSERT INTO folders VALUES(1,2,'Imported','other');
CREATE TABLE sweeps(
    folder INTEGER NOT NULL REFERENCES folders(id),
    uidvalidity INTEGER NOT NULL,
    swept_at INTEGER NOT NULL,
    PRIMARY KEY (folder, uidvalidity)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger(
    folder INTEGER NOT NULL REFERENCES folders(id),
    uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 0 AND 4294967295),
    uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    state TEXT NOT NULL CHECK (state IN (
        'archived', 'review', 'ignored', 'private', 'duplicate', 'too-large', 'quarantined', 'gone')),
    reason TEXT,
    message INTEGER REFERENCES messages(id),
    original INTEGER REFERENCES originals(id),
    size INTEGER CHECK (size >= 0),
    internal_date INTEGER,
    recorded_at INTEGER NOT NULL,
    vanished_at INTEGER,
    PRIMARY KEY (folder, uidvalidity, uid),
    CHECK ((message IS NULL) = (original IS NULL)),
    CHECK (state NOT IN ('archived', 'review', 'private', 'duplicate', 'quarantined')
        OR message IS NOT NULL),
    CHECK (state NOT IN ('too-large', 'gone') OR message IS NULL),
    CHECK (state <> 'gone' OR vanished_at IS NOT NULL),
    CHECK (state NOT IN ('ignored', 'too-large') OR reason IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger VALUES(1,1,1,'archived',NULL,1,1,150,NULL,1795533491,NULL);
INSERT INTO ledger VALUES(1,1,2,'review',NULL,2,2,153,NULL,1795533491,NULL);
INSERT INTO ledger VALUES(1,1,3,'archived',NULL,3,3,152,NULL,1795533491,NULL);
INSERT INTO ledger VALUES(1,1,4,'ignored','by a person',4,4,149,NULL,1795533491,NULL);
CREATE TABLE ignore_rules(
    id INTEGER PRIMARY KEY,
    -- A canonical address, or a domain when there is no @ in it.
    pattern TEXT NOT NULL UNIQUE CHECK (pattern <> ''),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO ignore_rules VALUES(1,'spam@else.example','root',1795533491);
CREATE TABLE history(
    message INTEGER NOT NULL REFERENCES messages(id),
    contact INTEGER NOT NULL REFERENCES contacts(id),
    sort_date INTEGER NOT NULL,
    role TEXT CHECK (role IN ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc')),
    email TEXT,
    linked_by TEXT NOT NULL CHECK (linked_by IN ('arrival', 'new-address', 'person')),
    person TEXT,
    linked_at INTEGER NOT NULL,
    removed_at INTEGER,
    removed_by TEXT,
    PRIMARY KEY (message, contact),
    CHECK ((linked_by = 'person') = (person IS NOT NULL)),
    CHECK (linked_by = 'person' OR (role IS NOT NULL AND email IS NOT NULL)),
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO history VALUES(1,1,1714989601,'from','ivan@klient.example','arrival',NULL,1795533491,NULL,NULL);
INSERT INTO history VALUES(3,1,1714989603,'to','ivan@klient.example','arrival',NULL,1795533491,NULL,NULL);
CREATE TABLE review_items(
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages(id),
    address INTEGER REFERENCES addresses(id),
    email TEXT,
    reason TEXT NOT NULL CHECK (reason <> ''),
    sort_date INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'linked', 'ignored', 'private')),
    opened_at INTEGER NOT NULL,
    resolved_at INTEGER,
    resolved_by TEXT,
    CHECK ((address IS NULL) = (email IS NULL)),
    CHECK ((state = 'open') = (resolved_at IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
) STRICT;
INSERT INTO review_items VALUES(1,2,3,'stranger@else.example','No matching contacts for stranger@else.example',1714989602,'open',1795533491,NULL,NULL);
INSERT INTO review_items VALUES(2,4,4,'spam@else.example','No matching contacts for spam@else.example',1714989604,'ignored',1795533491,1795533491,'root');
CREATE INDEX users_address ON users(address) WHERE address IS NOT NULL;
CREATE INDEX accounts_address ON accounts(address) WHERE address IS NOT NULL;
CREATE INDEX accounts_user ON accounts(user);
CREATE INDEX contacts_name_key ON contacts(name_key);
CREATE INDEX contacts_organisation ON contacts(organisation) WHERE organisation IS NOT NULL;
CREATE INDEX contacts_owner ON contacts(owner) WHERE owner IS NOT NULL;
CREATE INDEX contact_addresses_address ON contact_addresses(address, contact);
CREATE UNIQUE INDEX contact_addresses_primary ON contact_addresses(contact) WHERE is_primary = 1;
CREATE INDEX contact_addresses_domain ON contact_addresses(domain, contact);
CREATE UNIQUE INDEX messages_identity ON messages(message_id_key, content_digest)
    WHERE message_id_key IS NOT NULL;
CREATE INDEX messages_ignored_by ON messages(ignored_by) WHERE ignored_by IS NOT NULL;
CREATE INDEX originals_message ON originals(message);
CREATE INDEX participants_address ON participants(address, message);
CREATE INDEX ledger_message ON ledger(message) WHERE message IS NOT NULL;
CREATE INDEX history_contact ON history(contact, sort_date, message) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX review_items_open ON review_items(message) WHERE state = 'open';
CREATE INDEX review_items_message ON review_items(message);
CREATE INDEX review_items_address ON review_items(address, id) WHERE state = 'open';
CREATE INDEX review_items_date ON review_items(sort_date, id) WHERE state = 'open';
COMMIT;
