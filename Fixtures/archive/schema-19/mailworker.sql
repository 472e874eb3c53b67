PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1');
INSERT INTO grdb_migrations VALUES('2');
INSERT INTO grdb_migrations VALUES('3');
INSERT INTO grdb_migrations VALUES('4');
INSERT INTO grdb_migrations VALUES('5');
INSERT INTO grdb_migrations VALUES('6');
INSERT INTO grdb_migrations VALUES('7');
INSERT INTO grdb_migrations VALUES('8');
INSERT INTO grdb_migrations VALUES('9');
INSERT INTO grdb_migrations VALUES('10');
INSERT INTO grdb_migrations VALUES('10a');
INSERT INTO grdb_migrations VALUES('11');
INSERT INTO grdb_migrations VALUES('12');
INSERT INTO grdb_migrations VALUES('13');
INSERT INTO grdb_migrations VALUES('14');
INSERT INTO grdb_migrations VALUES('18');
INSERT INTO grdb_migrations VALUES('18a');
INSERT INTO grdb_migrations VALUES('19');
INSERT INTO grdb_migrations VALUES('19a');
INSERT INTO grdb_migrations VALUES('8a');
INSERT INTO grdb_migrations VALUES('17');
CREATE TABLE settings(
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('key-check',X'c160df96daead78ed1b149282eefb59706de0c454217b86467f49e5c3034aa86311810f96651');
INSERT INTO settings VALUES('message-id-key',X'73544a4cb81581415aebd10304780dbd8de1504167c5da28629cbbf4d15d051aabaa410d734b969e93f9c1ffd98853d94de8a517934522cfb45ded15');
CREATE TABLE addresses(
    id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL UNIQUE CHECK (instr(canonical, '@') > 0)
) STRICT;
INSERT INTO addresses VALUES(1,'anna@firma.example');
INSERT INTO addresses VALUES(2,'ivan@klient.example');
INSERT INTO addresses VALUES(3,'stranger@else.example');
INSERT INTO addresses VALUES(4,'spam@else.example');
INSERT INTO addresses VALUES(5,'office@firm.example');
INSERT INTO addresses VALUES(6,'boris@firm.example');
INSERT INTO addresses VALUES(7,'boris2@firm.example');
CREATE TABLE users(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    display_name TEXT,
    email TEXT,
    address INTEGER REFERENCES addresses(id),
    created_at INTEGER NOT NULL, role INTEGER REFERENCES roles(id), department INTEGER REFERENCES departments(id), is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)), password TEXT CHECK (password LIKE 'scrypt$%'),
    CHECK ((email IS NULL) = (address IS NULL))
) STRICT;
INSERT INTO users VALUES(1,'anna',NULL,'anna@firma.example',1,1795909578,2,1,1,NULL);
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
    error_code TEXT, error_kind TEXT, error_text TEXT, error_remedy TEXT, secret_kind TEXT NOT NULL DEFAULT 'password'
    CHECK (secret_kind IN ('password', 'refresh-token')), is_watched INTEGER NOT NULL DEFAULT 0 CHECK (is_watched IN (0, 1)), colleagues_see TEXT NOT NULL DEFAULT 'everything'
    CHECK (colleagues_see IN ('everything', 'people', 'presence')), smtp_login TEXT CHECK (smtp_login <> ''), smtp_secret BLOB, pins TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(pins)), refused_sign_ins INTEGER CHECK (refused_sign_ins >= 0),
    CHECK ((email IS NULL) = (address IS NULL)),
    CHECK (kind = 'import' OR (email IS NOT NULL AND imap_host IS NOT NULL)),
    CHECK ((imap_host IS NULL) = (imap_port IS NULL) AND (imap_host IS NULL) = (imap_security IS NULL)),
    CHECK ((smtp_host IS NULL) = (smtp_port IS NULL) AND (smtp_host IS NULL) = (smtp_security IS NULL)),
    CHECK (imap_port BETWEEN 1 AND 65535), CHECK (smtp_port BETWEEN 1 AND 65535),
    CHECK (imap_security IN ('tls', 'starttls', 'none')),
    CHECK (smtp_security IN ('tls', 'starttls', 'none'))
) STRICT;
INSERT INTO accounts VALUES(1,'anna-mail',1,'mailbox','anna@firma.example',1,'yandex','anna@firma.example',X'e4664d2729693c1eb9707f249fa49d933c8f708b6a22047686add40937297253fb1c','imap.yandex.ru',993,'tls','smtp.yandex.ru',465,'tls',5,60,NULL,'[]',NULL,NULL,NULL,0,1,0,'new',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'password',0,'everything',NULL,NULL,'[]',NULL);
INSERT INTO accounts VALUES(2,'import',NULL,'import',NULL,NULL,'custom','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,60,NULL,'[]',NULL,NULL,NULL,0,1,0,'new',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'password',0,'everything',NULL,NULL,'[]',NULL);
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
, type TEXT CHECK (type <> ''), name_words TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO contacts VALUES(1,'person','Иван Петров','иван петров',NULL,NULL,NULL,0,0,0,1795909578,1795909578,NULL,'ivan petrov');
INSERT INTO contacts VALUES(2,'organisation','Firm','firm',NULL,NULL,NULL,0,0,0,1795909580,1795909580,NULL,'firm');
INSERT INTO contacts VALUES(3,'person','Boris One','boris one',NULL,2,1,0,0,1,1795909580,1795909581,NULL,'boris one');
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
INSERT INTO contact_addresses VALUES(2,5,0,'office@firm.example','firm.example',1);
INSERT INTO contact_addresses VALUES(3,6,0,'boris@firm.example','firm.example',1);
INSERT INTO contact_addresses VALUES(3,7,1,'boris2@firm.example','firm.example',0);
CREATE TABLE packs(
    id INTEGER PRIMARY KEY,
    committed_end INTEGER NOT NULL CHECK (committed_end > 0),
    -- SHA-256 of the last committed record's header: what the next one names.
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    is_sealed INTEGER NOT NULL CHECK (is_sealed IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO packs VALUES(1,956,X'08b7c815ca452a09a3a2adb9529e301bf4d0fe18f274b757bb0aadcb7c8ca2aa',0,1795909578);
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
    created_at INTEGER NOT NULL, parser_version INTEGER CHECK (parser_version > 0), erased_at INTEGER CHECK (erased_at IS NULL OR (
    state = 'private' AND subject IS NULL AND date IS NULL AND thread IS NULL AND snippet IS NULL
    AND defects IS NULL)), sender_check TEXT
    CHECK (sender_check IN ('verified', 'failed', 'unknown')), sender_check_facts TEXT, signature TEXT, is_indexed INTEGER NOT NULL DEFAULT 0 CHECK (is_indexed IN (0, 1)),
    CHECK ((message_id IS NULL) = (message_id_key IS NULL)),
    CHECK (message_id IS NULL OR content_digest IS NOT NULL),
    CHECK (state <> 'quarantined' OR content_digest IS NULL),
    CHECK (state <> 'review' OR content_digest IS NOT NULL)
) STRICT;
INSERT INTO messages VALUES(1,'1@fixture.example',-9069438536498148419,X'8a35fd13dc32487736eb42d107d0d2e101ac70e8c1e89cc1821c24268f0dcf56','Linked',1714989601,1714989601,'incoming','personal','archived',NULL,NULL,NULL,'Text 1',NULL,1795909578,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO messages VALUES(2,'2@fixture.example',5792395334475976169,X'a82a29ef5f5dabc2d510ee42dfd7d9ff92c78648999392efe0d5b5c53badb2f5','Waiting',1714989602,1714989602,'incoming','personal','review',NULL,NULL,NULL,'Text 2',NULL,1795909578,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO messages VALUES(3,'3@fixture.example',4448829209826363719,X'8ec607287dafa8f3a1e81e2a01fbcb3b1afe817100b4b4b5793e8e192ebc8d15','Outgoing',1714989603,1714989603,'outgoing','personal','archived',NULL,NULL,NULL,'Text 3',NULL,1795909578,NULL,NULL,NULL,NULL,NULL,1);
INSERT INTO messages VALUES(4,'4@fixture.example',4468538649201930965,X'1c67976a9aba164d0e8e064e5fb95bd30c437d565f3c4bc2b0c79826e1fce7dd','Ignored',1714989604,1714989604,'incoming','personal','ignored','rule',1,NULL,'Text 4',NULL,1795909578,NULL,NULL,NULL,NULL,NULL,1);
CREATE TABLE originals(
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    pack INTEGER NOT NULL REFERENCES packs(id),
    offset INTEGER NOT NULL CHECK (offset >= 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    message INTEGER NOT NULL REFERENCES messages(id)
, erasure TEXT CHECK (erasure IN ('due', 'done'))) STRICT;
INSERT INTO originals VALUES(1,X'427f9466df3ea9bfbcdbe960136f2cd2826e6d32e563ac1f4d7987a3556c975f',1,32,150,1,NULL);
INSERT INTO originals VALUES(2,X'a499bb579a3a141dcdcab26a380d2a37433377abca4451fbb8b3c5fc8a3b93c0',1,262,153,2,NULL);
INSERT INTO originals VALUES(3,X'e5fe72285d3904b872fbf1aa9c3cc666ab83086345bfa8440ed578a2b64625d2',1,495,152,3,NULL);
INSERT INTO originals VALUES(4,X'5cb0d7fe2a7c418d89069178bea96e3c1a03cdf2f109c0aa06bc866b2fda3215',1,727,149,4,NULL);
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
INSERT INTO ledger VALUES(1,1,1,'archived',NULL,1,1,150,NULL,1795909578,NULL);
INSERT INTO ledger VALUES(1,1,2,'review',NULL,2,2,153,NULL,1795909578,NULL);
INSERT INTO ledger VALUES(1,1,3,'archived',NULL,3,3,152,NULL,1795909578,NULL);
INSERT INTO ledger VALUES(1,1,4,'ignored','rule',4,4,149,NULL,1795909578,NULL);
CREATE TABLE ignore_rules(
    id INTEGER PRIMARY KEY,
    -- A canonical address, or a domain when there is no @ in it.
    pattern TEXT NOT NULL UNIQUE CHECK (pattern <> ''),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO ignore_rules VALUES(1,'spam@else.example','root',1795909579);
INSERT INTO ignore_rules VALUES(2,'noise.example','root',1795909581);
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
    removed_by TEXT, thread INTEGER REFERENCES messages(id) ON DELETE SET NULL,
    PRIMARY KEY (message, contact),
    CHECK ((linked_by = 'person') = (person IS NOT NULL)),
    CHECK (linked_by = 'person' OR (role IS NOT NULL AND email IS NOT NULL)),
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO history VALUES(1,1,1714989601,'from','ivan@klient.example','arrival',NULL,1795909578,NULL,NULL,NULL);
INSERT INTO history VALUES(3,1,1714989603,'to','ivan@klient.example','arrival',NULL,1795909578,NULL,NULL,NULL);
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
    resolved_by TEXT, kind TEXT NOT NULL DEFAULT 'unknown'
    CHECK (kind IN ('unknown', 'unreadable', 'ambiguous', 'unverified', 'look-alike', 'unlinked')),
    CHECK ((address IS NULL) = (email IS NULL)),
    CHECK ((state = 'open') = (resolved_at IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
) STRICT;
INSERT INTO review_items VALUES(1,2,3,'stranger@else.example','No matching contacts for stranger@else.example',1714989602,'open',1795909578,NULL,NULL,'unknown');
INSERT INTO review_items VALUES(2,4,4,'spam@else.example','No matching contacts for spam@else.example',1714989604,'ignored',1795909578,1795909579,'root','unknown');
CREATE TABLE erased_contacts(
    id INTEGER PRIMARY KEY,
    erased_at INTEGER NOT NULL
) STRICT;
CREATE TABLE audit(
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    person TEXT NOT NULL CHECK (person <> ''),
    system_user TEXT NOT NULL CHECK (system_user <> ''),
    origin TEXT NOT NULL CHECK (origin <> ''),
    action TEXT NOT NULL CHECK (action <> ''),
    subject TEXT
) STRICT;
INSERT INTO audit VALUES(1,1795909578,'root','root','no terminal','user add','user anna');
INSERT INTO audit VALUES(2,1795909578,'root','root','no terminal','account add','account anna-mail');
INSERT INTO audit VALUES(3,1795909578,'root','root','no terminal','contact add','contact 1');
INSERT INTO audit VALUES(4,1795909578,'root','root','no terminal','import','account import');
INSERT INTO audit VALUES(5,1795909579,'root','root','no terminal','queue ignore','rule 1, message 4');
INSERT INTO audit VALUES(6,1795909579,'root','root','no terminal','send','outbox 1');
INSERT INTO audit VALUES(7,1795909579,'root','root','no terminal','department add','department Sales');
INSERT INTO audit VALUES(8,1795909580,'root','root','no terminal','user edit','user anna');
INSERT INTO audit VALUES(9,1795909580,'root','root','no terminal','user token add','user anna, token script');
INSERT INTO audit VALUES(10,1795909580,'root','root','no terminal','contact add','contact 2');
INSERT INTO audit VALUES(11,1795909580,'root','root','no terminal','contact add','contact 3');
INSERT INTO audit VALUES(12,1795909580,'root','root','no terminal','contact add','contact 4');
INSERT INTO audit VALUES(13,1795909581,'root','root','no terminal','contact merge','contact 3, contact 4');
INSERT INTO audit VALUES(14,1795909581,'root','root','no terminal','rule add','rule 2');
INSERT INTO audit VALUES(15,1795909581,'root','root','no terminal','template add','template Offer');
INSERT INTO audit VALUES(16,1795909581,'root','root','no terminal','account signature','account 1');
INSERT INTO audit VALUES(17,1795909582,'root','root','no terminal','suppression add',NULL);
CREATE TABLE departments(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> '')
) STRICT;
INSERT INTO departments VALUES(1,'Sales');
CREATE TABLE roles(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    is_built_in INTEGER NOT NULL DEFAULT 0 CHECK (is_built_in IN (0, 1))
) STRICT;
INSERT INTO roles VALUES(1,'administrator',1);
INSERT INTO roles VALUES(2,'manager',1);
INSERT INTO roles VALUES(3,'employee',1);
CREATE TABLE role_rights(
    role INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
    right_name TEXT NOT NULL
        CHECK (right_name IN ('read', 'review', 'send', 'contacts', 'campaigns', 'administer')),
    scope TEXT NOT NULL CHECK (scope IN ('own', 'department', 'all')),
    PRIMARY KEY (role, right_name)
) STRICT, WITHOUT ROWID;
INSERT INTO role_rights VALUES(1,'administer','all');
INSERT INTO role_rights VALUES(1,'campaigns','all');
INSERT INTO role_rights VALUES(1,'contacts','all');
INSERT INTO role_rights VALUES(1,'read','all');
INSERT INTO role_rights VALUES(1,'review','all');
INSERT INTO role_rights VALUES(1,'send','all');
INSERT INTO role_rights VALUES(2,'campaigns','department');
INSERT INTO role_rights VALUES(2,'contacts','department');
INSERT INTO role_rights VALUES(2,'read','department');
INSERT INTO role_rights VALUES(2,'review','department');
INSERT INTO role_rights VALUES(2,'send','department');
INSERT INTO role_rights VALUES(3,'contacts','own');
INSERT INTO role_rights VALUES(3,'read','own');
INSERT INTO role_rights VALUES(3,'review','own');
INSERT INTO role_rights VALUES(3,'send','own');
CREATE TABLE contact_users(
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    PRIMARY KEY (contact, user)
) STRICT, WITHOUT ROWID;
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
INSERT INTO api_tokens VALUES(1,1,'script',X'e8576aa6f7fe01ba0b1b8fa36a9d5ab8655f66169c1b0389d0ab756dbbaa6b8c',1795909580,NULL,NULL,NULL);
CREATE TABLE token_rights(
    token INTEGER NOT NULL REFERENCES api_tokens(id) ON DELETE CASCADE,
    right_name TEXT NOT NULL
        CHECK (right_name IN ('read', 'review', 'send', 'contacts', 'campaigns', 'administer')),
    PRIMARY KEY (token, right_name)
) STRICT, WITHOUT ROWID;
INSERT INTO token_rights VALUES(1,'read');
CREATE TABLE contact_tags(
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    tag TEXT NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (contact, tag)
) STRICT, WITHOUT ROWID;
INSERT INTO contact_tags VALUES(2,'partner');
CREATE TABLE contact_phones(
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    -- The number in the form in which numbers are compared.
    digits TEXT NOT NULL CHECK (digits <> ''),
    position INTEGER NOT NULL CHECK (position >= 0),
    number TEXT NOT NULL CHECK (number <> ''),
    PRIMARY KEY (contact, digits)
) STRICT, WITHOUT ROWID;
INSERT INTO contact_phones VALUES(2,'74951234567',0,'+7 495 123-45-67');
CREATE TABLE merged_contacts(
    id INTEGER PRIMARY KEY,
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    external_id TEXT UNIQUE CHECK (external_id <> ''),
    merged_at INTEGER NOT NULL
) STRICT;
INSERT INTO merged_contacts VALUES(4,3,NULL,1795909581);
CREATE TABLE looks(
    known TEXT PRIMARY KEY NOT NULL CHECK (known <> ''),
    look TEXT NOT NULL,
    head INTEGER NOT NULL,
    tail INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO looks VALUES('firm.example','flrm.example',-708024163652986276,5825226155378898997);
INSERT INTO looks VALUES('klient.example','kllent.example',7757052740121020952,-5367591233647786850);
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
INSERT INTO undo VALUES(1,1795909578,'root',NULL,'contact add','contact 1','contacts','own',X'540e0100000000000000000000000000636f6e74616374730012000100000000000000010306706572736f6e0315d098d0b2d0b0d0bd20d09fd0b5d182d180d0bed0b20315d0b8d0b2d0b0d0bd20d0bfd0b5d182d180d0bed0b205050501000000000000000001000000000000000001000000000000000001000000006b0b67ca01000000006b0b67ca05030b6976616e20706574726f765406010200000000636f6e746163745f61646472657373657300120001000000000000000101000000000000000201000000000000000003136976616e406b6c69656e742e6578616d706c65030e6b6c69656e742e6578616d706c65010000000000000001',253,'[2]',NULL,NULL);
INSERT INTO undo VALUES(2,1795909579,'root',NULL,'queue ignore','rule 1, message 4','review','all',X'54040100000069676e6f72655f72756c657300120001000000000000000103117370616d40656c73652e6578616d706c650304726f6f7401000000006b0b67cb5416010000000000000000000000000000000000000000006d6573736167657300170001000000000000000400000000000000000306726576696577050500000000000000000000000000000000000000030769676e6f726564030472756c6501000000000000000100000000000000000000540b01020300000000000000006c6564676572001700010000000000000001010000000000000001010000000000000004030672657669657705000000000000000000030769676e6f726564030472756c65000000000000540b01000000000000000000007265766965775f6974656d73001700010000000000000002000000000003046f70656e00050500000000000000030769676e6f7265640001000000006b0b67cb0304726f6f7400',351,'[]',NULL,NULL);
INSERT INTO undo VALUES(3,1795909580,'root',NULL,'contact add','contact 2','contacts','own',X'540e0100000000000000000000000000636f6e7461637473001200010000000000000002030c6f7267616e69736174696f6e03044669726d03046669726d05050501000000000000000001000000000000000001000000000000000001000000006b0b67cc01000000006b0b67cc0503046669726d54020102636f6e746163745f746167730012000100000000000000020307706172746e6572540401020000636f6e746163745f70686f6e6573001200010000000000000002030b373439353132333435363701000000000000000003102b3720343935203132332d34352d36375406010200000000636f6e746163745f61646472657373657300120001000000000000000201000000000000000501000000000000000003136f6666696365406669726d2e6578616d706c65030c6669726d2e6578616d706c65010000000000000001',325,'[5]',NULL,NULL);
INSERT INTO undo VALUES(4,1795909580,'root',NULL,'contact add','contact 3','contacts','own',X'540e0100000000000000000000000000636f6e74616374730012000100000000000000030306706572736f6e0309426f726973204f6e650309626f726973206f6e650501000000000000000201000000000000000101000000000000000001000000000000000001000000000000000101000000006b0b67cc01000000006b0b67cc050309626f726973206f6e655406010200000000636f6e746163745f6164647265737365730012000100000000000000030100000000000000060100000000000000000312626f726973406669726d2e6578616d706c65030c6669726d2e6578616d706c65010000000000000001',240,'[6]',NULL,NULL);
INSERT INTO undo VALUES(5,1795909580,'root',NULL,'contact add','contact 4','contacts','own',X'540e0100000000000000000000000000636f6e74616374730012000100000000000000040306706572736f6e0309426f7269732054776f0309626f7269732074776f05050501000000000000000001000000000000000001000000000000000001000000006b0b67cc01000000006b0b67cc050309626f7269732074766f5406010200000000636f6e746163745f6164647265737365730012000100000000000000040100000000000000070100000000000000000313626f72697332406669726d2e6578616d706c65030c6669726d2e6578616d706c65010000000000000001',225,'[7]',NULL,NULL);
INSERT INTO undo VALUES(6,1795909581,'root',NULL,'contact merge','contact 3, contact 4','contacts','own',X'540e0100000000000000000000000000636f6e74616374730017000100000000000000030000000000000000000001000000006b0b67cc0000000000000000000000000001000000006b0b67cd000009000100000000000000040306706572736f6e0309426f7269732054776f0309626f7269732074776f05050501000000000000000001000000000000000001000000000000000001000000006b0b67cc01000000006b0b67cc050309626f7269732074766f5406010200000000636f6e746163745f6164647265737365730009010100000000000000040100000000000000070100000000000000000313626f72697332406669726d2e6578616d706c65030c6669726d2e6578616d706c6501000000000000000112000100000000000000030100000000000000070100000000000000010313626f72697332406669726d2e6578616d706c65030c6669726d2e6578616d706c650100000000000000005404010000006d65726765645f636f6e74616374730012000100000000000000040100000000000000030501000000006b0b67cd',404,'[]',NULL,NULL);
INSERT INTO undo VALUES(7,1795909581,'root',NULL,'rule add','rule 2','review','all',X'54040100000069676e6f72655f72756c6573001200010000000000000002030d6e6f6973652e6578616d706c650304726f6f7401000000006b0b67cd',60,'[]',NULL,NULL);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','search','search',0,'CREATE VIRTUAL TABLE search USING fts5(subject, people, blind, body, files, tokenize = ''words'')');
CREATE TABLE IF NOT EXISTS 'search_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO search_data VALUES(1,X'040418000800');
INSERT INTO search_data VALUES(10,X'000000010104040004010101020101030101040101');
INSERT INTO search_data VALUES(137438953473,X'0000005a02303404060103030104616e6e6104060101050103656c730406010103020578616d706c04080101040501056669726d610406010106010569676e6f7204020201047370616d0406010102010474657874040601030204080b0a0d0c0a0b');
INSERT INTO search_data VALUES(274877906945,X'0000005e02303303060103030104616e6e61030601010201066578616d706c03080101040501056669726d61030601010301046976616e030601010501066b6c69656e74030601010601056f7574676f030202010474657874030601030204080b0e0c0b0d0a');
INSERT INTO search_data VALUES(412316860417,X'0000005d02303202060103030104616e6e6102060101050103656c730206010103020578616d706c02080101040501056669726d6102060101060108737472616e6765720206010102010474657874020601030201047761697402020204080b0a0d0c0f0b');
INSERT INTO search_data VALUES(549755813889,X'0000005d02303101060103030104616e6e61010601010501066578616d706c01080101040501056669726d61010601010601046976616e010601010201066b6c69656e74010601010301046c696e6b010202010474657874010601030204080b0e0c0b0d09');
CREATE TABLE IF NOT EXISTS 'search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO search_idx VALUES(1,X'',2);
INSERT INTO search_idx VALUES(2,X'',2);
INSERT INTO search_idx VALUES(3,X'',2);
INSERT INTO search_idx VALUES(4,X'',2);
CREATE TABLE IF NOT EXISTS 'search_content'(id INTEGER PRIMARY KEY, c0, c1, c2, c3, c4);
INSERT INTO search_content VALUES(1,'Linked',replace('ivan@klient.example\nanna@firma.example','\n',char(10)),NULL,'Text 1',NULL);
INSERT INTO search_content VALUES(2,'Waiting',replace('stranger@else.example\nanna@firma.example','\n',char(10)),NULL,'Text 2',NULL);
INSERT INTO search_content VALUES(3,'Outgoing',replace('anna@firma.example\nivan@klient.example','\n',char(10)),NULL,'Text 3',NULL);
INSERT INTO search_content VALUES(4,'Ignored',replace('spam@else.example\nanna@firma.example','\n',char(10)),NULL,'Text 4',NULL);
CREATE TABLE IF NOT EXISTS 'search_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
INSERT INTO search_docsize VALUES(1,X'0106000200');
INSERT INTO search_docsize VALUES(2,X'0106000200');
INSERT INTO search_docsize VALUES(3,X'0106000200');
INSERT INTO search_docsize VALUES(4,X'0106000200');
CREATE TABLE IF NOT EXISTS 'search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO search_config VALUES('rank','bm25(6.0, 3.0, 3.0, 1.0, 3.0)');
INSERT INTO search_config VALUES('version',4);
CREATE TABLE outbox(
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES accounts(id),
    user INTEGER REFERENCES users(id),
    requested_by TEXT NOT NULL CHECK (requested_by <> ''),
    idempotency_key TEXT UNIQUE CHECK (idempotency_key <> ''),
    message_id TEXT NOT NULL UNIQUE CHECK (message_id <> ''),
    -- The ENVID of RFC 3461, by which delivery reports come back.
    envelope_id TEXT NOT NULL UNIQUE CHECK (envelope_id <> ''),
    -- The reverse-path; empty for reports of ours.
    sender TEXT NOT NULL CHECK (sender = '' OR instr(sender, '@') > 1),
    subject TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('single', 'automatic', 'mass')),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
    needs_utf8 INTEGER NOT NULL CHECK (needs_utf8 IN (0, 1)),
    size INTEGER NOT NULL CHECK (size > 0),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    -- The Bcc field of the copy in the Sent folder, which the wire does not have.
    blind_field BLOB,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN (
        'queued', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'held', 'cancelled')),
    -- Why it is in that state, and what the reader can do.
    reason_code TEXT, reason TEXT, remedy TEXT,
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    first_try INTEGER,
    next_try INTEGER,
    holder TEXT, claimed_at INTEGER,
    -- From here on the server may have the mail.
    data_begun_at INTEGER,
    finished_at INTEGER,
    filing TEXT NOT NULL DEFAULT 'none' CHECK (filing IN ('none', 'due', 'done')),
    message INTEGER REFERENCES messages(id),
    copy TEXT NOT NULL DEFAULT 'none' CHECK (copy IN ('none', 'due', 'done', 'unneeded', 'failed')),
    copy_tries INTEGER NOT NULL DEFAULT 0 CHECK (copy_tries >= 0),
    copy_next INTEGER, copy_error TEXT, filing_tries INTEGER NOT NULL DEFAULT 0 CHECK (filing_tries >= 0), filing_next INTEGER, filing_error TEXT, copy_holder TEXT CHECK (copy_holder <> ''),
    CHECK ((state = 'sending') = (holder IS NOT NULL)),
    CHECK ((holder IS NULL) = (claimed_at IS NULL)),
    CHECK (data_begun_at IS NULL OR state IN ('sending', 'uncertain')),
    CHECK (state <> 'uncertain' OR data_begun_at IS NOT NULL),
    CHECK ((state IN ('queued', 'retry')) = (next_try IS NOT NULL)),
    CHECK ((state IN ('sent', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (state NOT IN ('retry', 'failed', 'uncertain', 'held') OR reason IS NOT NULL),
    CHECK (message IS NULL OR filing = 'done')
) STRICT;
INSERT INTO outbox VALUES(1,1,1,'root',NULL,'tmvkqecebcfpslyr.e2n3hecr37avz737inslec7c@firma.example','mwy8phxnxa09dzvaxhqa74','anna@firma.example','Queued','single',1,0,283,X'7c62132b2fcca3e8f1f5ef2c9b1fafc4da83ebcf9178dc1a5e4c34af7473638e',NULL,'queued',NULL,NULL,NULL,0,1795909579,1795909584,NULL,1795909584,NULL,NULL,NULL,NULL,'none',NULL,'none',0,NULL,NULL,0,NULL,NULL,NULL);
CREATE TABLE outbox_recipients(
    item INTEGER NOT NULL REFERENCES outbox(id),
    position INTEGER NOT NULL CHECK (position >= 0),
    role TEXT NOT NULL CHECK (role IN ('to', 'cc', 'bcc')),
    email TEXT NOT NULL CHECK (email <> ''),
    canonical TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN (
        'waiting', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'cancelled')),
    -- The last reply about this recipient; all of them are in outbox_replies.
    code INTEGER CHECK (code BETWEEN 200 AND 599),
    status TEXT, reply TEXT, replied_at INTEGER,
    PRIMARY KEY (item, position)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_recipients VALUES(1,0,'to','stranger@else.example','stranger@else.example','waiting',NULL,NULL,NULL,NULL);
CREATE TABLE outbox_replies(
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES outbox(id),
    -- Nil: about all recipients of the attempt.
    position INTEGER,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    at INTEGER NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('connect', 'mail', 'rcpt', 'data', 'end-of-data')),
    code INTEGER CHECK (code BETWEEN 200 AND 599),
    status TEXT,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE outbox_content(
    item INTEGER NOT NULL REFERENCES outbox(id),
    piece INTEGER NOT NULL CHECK (piece >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) > 0),
    PRIMARY KEY (item, piece)
) STRICT;
INSERT INTO outbox_content VALUES(1,0,X'446174653a205361742c203238204e6f7620323032362032333a34363a3139202b303030300d0a46726f6d3a20616e6e61406669726d612e6578616d706c650d0a546f3a20737472616e67657240656c73652e6578616d706c650d0a4d6573736167652d49443a203c746d766b7165636562636670736c79722e65326e3368656372333761767a373337696e736c65633763406669726d612e6578616d706c653e0d0a5375626a6563743a205175657565640d0a4d494d452d56657273696f6e3a20312e300d0a436f6e74656e742d547970653a20746578742f706c61696e3b20636861727365743d7574662d380d0a436f6e74656e742d5472616e736665722d456e636f64696e673a20376269740d0a0d0a5465787420350d0a');
CREATE TABLE outbox_transitions(
    old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (old, new)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_transitions VALUES('failed','queued');
INSERT INTO outbox_transitions VALUES('held','cancelled');
INSERT INTO outbox_transitions VALUES('held','queued');
INSERT INTO outbox_transitions VALUES('queued','cancelled');
INSERT INTO outbox_transitions VALUES('queued','failed');
INSERT INTO outbox_transitions VALUES('queued','held');
INSERT INTO outbox_transitions VALUES('queued','sending');
INSERT INTO outbox_transitions VALUES('retry','cancelled');
INSERT INTO outbox_transitions VALUES('retry','failed');
INSERT INTO outbox_transitions VALUES('retry','held');
INSERT INTO outbox_transitions VALUES('retry','queued');
INSERT INTO outbox_transitions VALUES('retry','sending');
INSERT INTO outbox_transitions VALUES('sending','failed');
INSERT INTO outbox_transitions VALUES('sending','held');
INSERT INTO outbox_transitions VALUES('sending','queued');
INSERT INTO outbox_transitions VALUES('sending','retry');
INSERT INTO outbox_transitions VALUES('sending','sent');
INSERT INTO outbox_transitions VALUES('sending','uncertain');
INSERT INTO outbox_transitions VALUES('uncertain','failed');
INSERT INTO outbox_transitions VALUES('uncertain','queued');
INSERT INTO outbox_transitions VALUES('uncertain','retry');
INSERT INTO outbox_transitions VALUES('uncertain','sent');
CREATE TABLE send_counts(
    account INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
    minute INTEGER NOT NULL,
    messages INTEGER NOT NULL CHECK (messages >= 0),
    recipients INTEGER NOT NULL CHECK (recipients >= 0),
    PRIMARY KEY (account, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE send_pauses(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    -- Nil: until its settings change.
    until INTEGER,
    revision INTEGER NOT NULL,
    failures INTEGER NOT NULL CHECK (failures > 0),
    code TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, remedy TEXT
) STRICT;
CREATE TABLE send_limits(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    recipients_per_day INTEGER CHECK (recipients_per_day > 0),
    recipients_per_message INTEGER CHECK (recipients_per_message > 0),
    messages_per_minute INTEGER CHECK (messages_per_minute > 0),
    connections INTEGER CHECK (connections BETWEEN 1 AND 100)
) STRICT;
CREATE TABLE delivery_reports(
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES outbox(id),
    position INTEGER NOT NULL,
    report INTEGER NOT NULL REFERENCES messages(id),
    at INTEGER NOT NULL,
    action TEXT CHECK (action IN ('failed', 'delayed', 'delivered', 'relayed', 'expanded')),
    failure TEXT CHECK (failure IN ('hard', 'soft', 'unknown')),
    status TEXT, diagnostic TEXT,
    FOREIGN KEY (item, position) REFERENCES outbox_recipients(item, position),
    UNIQUE (report, item, position)
) STRICT;
CREATE TABLE suppressions(
    canonical TEXT PRIMARY KEY NOT NULL CHECK (instr(canonical, '@') > 1),
    email TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('hard-bounces', 'person')),
    evidence TEXT NOT NULL CHECK (evidence <> ''),
    created_at INTEGER NOT NULL,
    -- Nil: until a person removes it.
    expires_at INTEGER,
    created_by TEXT NOT NULL CHECK (created_by <> '')
) STRICT, WITHOUT ROWID;
INSERT INTO suppressions VALUES('never@else.example','never@else.example','person','entered by a person',1795909582,NULL,'root');
CREATE TABLE templates(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (name <> ''),
    subject TEXT NOT NULL,
    text TEXT, html TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL CHECK (updated_by <> ''),
    CHECK (text IS NOT NULL OR html IS NOT NULL)
) STRICT;
INSERT INTO templates VALUES(1,'Offer','For {{contact.name}}',replace('Text 5\n','\n',char(10)),NULL,1795909581,1795909581,'root');
CREATE TABLE signatures(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    text TEXT, html TEXT,
    CHECK (text IS NOT NULL OR html IS NOT NULL)
) STRICT;
INSERT INTO signatures VALUES(1,replace('Text 5\n','\n',char(10)),NULL);
CREATE TABLE withheld(
    folder INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
    uidvalidity INTEGER NOT NULL CHECK (uidvalidity BETWEEN 0 AND 4294967295),
    uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    attempts INTEGER NOT NULL CHECK (attempts > 0),
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    next_try INTEGER NOT NULL,
    size INTEGER CHECK (size >= 0),
    code TEXT NOT NULL CHECK (code <> ''),
    summary TEXT NOT NULL CHECK (summary <> ''),
    detail TEXT,
    PRIMARY KEY (folder, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE folder_marks(
    folder INTEGER PRIMARY KEY REFERENCES folders(id) ON DELETE CASCADE,
    uidvalidity INTEGER NOT NULL,
    mod_sequence INTEGER NOT NULL CHECK (mod_sequence > 0)
) STRICT;
CREATE TABLE gmail_marks(
    folder INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
    uidvalidity INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    -- Unsigned numbers of 64 bits, as the signed ones of the same bits.
    message_id INTEGER NOT NULL CHECK (message_id <> 0),
    thread_id INTEGER NOT NULL,
    labels TEXT NOT NULL CHECK (json_valid(labels)),
    PRIMARY KEY (folder, uidvalidity, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE fetched_bytes(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    -- Days since 1970, in UTC.
    day INTEGER NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE TABLE mailbox_identities(
    account INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
    login TEXT NOT NULL CHECK (login <> ''),
    host TEXT NOT NULL CHECK (host <> ''),
    server_name TEXT CHECK (server_name <> ''),
    noted_at INTEGER NOT NULL
) STRICT;
CREATE TABLE automatic_leads(
    contact INTEGER PRIMARY KEY REFERENCES contacts(id) ON DELETE CASCADE,
    reason TEXT NOT NULL CHECK (reason IN ('correspondent', 'sender')),
    message INTEGER REFERENCES messages(id) ON DELETE SET NULL
) STRICT;
CREATE TABLE declined_leads(
    address INTEGER PRIMARY KEY REFERENCES addresses(id) ON DELETE CASCADE,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE digests(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES users(id),
    created_at INTEGER NOT NULL,
    -- open: its mail is not queued yet; dropped: there was nothing to say any more, or nobody to tell.
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'queued', 'dropped')),
    item INTEGER REFERENCES outbox(id),
    CHECK ((state = 'queued') = (item IS NOT NULL))
) STRICT;
CREATE TABLE events(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('contact-mail')),
    user INTEGER NOT NULL REFERENCES users(id),
    contact INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    message INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    -- The one digest that tells it.
    digest INTEGER REFERENCES digests(id) ON DELETE SET NULL,
    UNIQUE (message, contact)
) STRICT;
CREATE TABLE other_reports(
    id INTEGER PRIMARY KEY,
    report INTEGER NOT NULL REFERENCES messages(id),
    position INTEGER NOT NULL CHECK (position >= 0),
    -- The Message-ID that it names, and the number under which messages are found.
    named TEXT NOT NULL CHECK (named <> ''),
    named_key INTEGER NOT NULL,
    email TEXT NOT NULL CHECK (email <> ''),
    canonical TEXT NOT NULL CHECK (canonical <> ''),
    at INTEGER NOT NULL,
    action TEXT CHECK (action IN ('failed', 'delayed', 'delivered', 'relayed', 'expanded')),
    failure TEXT CHECK (failure IN ('hard', 'soft', 'unknown')),
    status TEXT, diagnostic TEXT,
    -- Nil while no Sent folder has shown the mail.
    message INTEGER REFERENCES messages(id) CHECK (message <> report),
    UNIQUE (report, position)
) STRICT;
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
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('undo',7);
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
CREATE INDEX messages_quarantined ON messages(parser_version) WHERE state = 'quarantined';
CREATE INDEX originals_erasure ON originals(erasure) WHERE erasure IS NOT NULL;
CREATE INDEX review_items_any_address ON review_items(address) WHERE address IS NOT NULL;
CREATE TRIGGER audit_keeps_entries BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_replaces_none BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE INDEX accounts_watched ON accounts(id) WHERE is_watched = 1;
CREATE INDEX users_department ON users(department) WHERE department IS NOT NULL;
CREATE INDEX contact_users_user ON contact_users(user, contact);
CREATE INDEX contacts_name_words ON contacts(name_words) WHERE name_words <> '';
CREATE INDEX contacts_type ON contacts(type) WHERE type IS NOT NULL;
CREATE INDEX contact_tags_tag ON contact_tags(tag, contact);
CREATE INDEX contact_phones_digits ON contact_phones(digits, contact);
CREATE INDEX merged_contacts_contact ON merged_contacts(contact);
CREATE INDEX looks_head ON looks(head);
CREATE INDEX looks_tail ON looks(tail);
CREATE INDEX review_items_kind ON review_items(kind, sort_date, id) WHERE state = 'open';
CREATE INDEX history_thread ON history(thread) WHERE thread IS NOT NULL;
CREATE INDEX undo_open ON undo(id) WHERE undone_at IS NULL;
CREATE INDEX messages_unindexed ON messages(id)
    WHERE is_indexed = 0 AND content_digest IS NOT NULL AND erased_at IS NULL;
CREATE INDEX outbox_due ON outbox(account, priority, next_try, id) WHERE state IN ('queued', 'retry');
CREATE INDEX outbox_sending ON outbox(account, id) WHERE state = 'sending';
CREATE INDEX outbox_open ON outbox(state, id) WHERE state IN ('uncertain', 'held', 'failed');
CREATE INDEX outbox_user ON outbox(user, created_at) WHERE user IS NOT NULL;
CREATE INDEX outbox_filing ON outbox(id) WHERE filing = 'due';
CREATE INDEX outbox_copy ON outbox(account, copy_next, id) WHERE copy = 'due';
CREATE INDEX outbox_message ON outbox(message) WHERE message IS NOT NULL;
CREATE INDEX outbox_recipients_canonical ON outbox_recipients(canonical, item);
CREATE INDEX outbox_replies_item ON outbox_replies(item, id);
CREATE TRIGGER outbox_legal_transitions BEFORE UPDATE OF state ON outbox
    WHEN OLD.state <> NEW.state
        AND NOT EXISTS (SELECT 1 FROM outbox_transitions WHERE old = OLD.state AND new = NEW.state)
    BEGIN SELECT RAISE(ABORT, 'an outbox item cannot go from that state to this one'); END;
CREATE TRIGGER outbox_sent_means_all BEFORE UPDATE OF state ON outbox
    WHEN NEW.state = 'sent'
        AND EXISTS (SELECT 1 FROM outbox_recipients WHERE item = NEW.id AND state <> 'sent')
    BEGIN SELECT RAISE(ABORT, 'an item is sent when all its recipients are'); END;
CREATE TRIGGER outbox_frozen BEFORE UPDATE OF account, message_id, envelope_id, sender, size, sha256
    ON outbox BEGIN SELECT RAISE(ABORT, 'a queued mail does not change'); END;
CREATE TRIGGER outbox_content_frozen BEFORE UPDATE ON outbox_content
    BEGIN SELECT RAISE(ABORT, 'a queued mail does not change'); END;
CREATE TRIGGER outbox_sent_is_final BEFORE UPDATE OF state ON outbox_recipients
    WHEN OLD.state = 'sent' AND NEW.state <> 'sent'
    BEGIN SELECT RAISE(ABORT, 'what a server has accepted stays sent'); END;
CREATE INDEX delivery_reports_item ON delivery_reports(item, position);
CREATE TRIGGER ledger_settles_withheld AFTER INSERT ON ledger BEGIN
    DELETE FROM withheld
    WHERE folder = NEW.folder AND uidvalidity = NEW.uidvalidity AND uid = NEW.uid;
END;
CREATE INDEX gmail_marks_message ON gmail_marks(message_id);
CREATE INDEX automatic_leads_message ON automatic_leads(message) WHERE message IS NOT NULL;
CREATE INDEX digests_open ON digests(id) WHERE state = 'open';
CREATE INDEX digests_user ON digests(user, created_at);
CREATE INDEX digests_item ON digests(item) WHERE item IS NOT NULL;
CREATE INDEX events_contact ON events(contact, at);
CREATE INDEX events_user ON events(user, id);
CREATE INDEX events_untold ON events(user, at) WHERE digest IS NULL;
CREATE INDEX events_digest ON events(digest) WHERE digest IS NOT NULL;
CREATE TRIGGER events_told_once BEFORE UPDATE OF digest ON events
    WHEN OLD.digest IS NOT NULL AND NEW.digest IS NOT NULL AND NEW.digest <> OLD.digest
    BEGIN SELECT RAISE(ABORT, 'an event is told once'); END;
CREATE INDEX outbox_copying ON outbox(copy_holder) WHERE copy_holder IS NOT NULL;
CREATE INDEX other_reports_named ON other_reports(named_key) WHERE message IS NULL;
CREATE INDEX other_reports_message ON other_reports(message) WHERE message IS NOT NULL;
CREATE INDEX other_reports_canonical ON other_reports(canonical);
PRAGMA writable_schema=OFF;
COMMIT;
