"""What an archive holds, read from a copy of its files, in a form that does not depend on
how it got there: no row numbers, no times of recording, no order of arrival."""

import glob
import hashlib
import os
import shutil
import sqlite3
import tempfile

from rig import Violation, require

RECORD_HEADER = 80


class Snapshot:
    """A moment of an archive. The files are copied first: opening the database itself would
    already repair what a killed process has left."""

    def __init__(self, data):
        self.data = data
        self.scratch = tempfile.mkdtemp(prefix="mailworker-state.")
        for name in ("mailworker.db", "mailworker.db-wal"):
            if os.path.exists(os.path.join(data, name)):
                shutil.copy(os.path.join(data, name), self.scratch)
        self.database = sqlite3.connect(os.path.join(self.scratch, "mailworker.db"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def rows(self, query, *arguments):
        return self.database.execute(query, arguments).fetchall()

    def ledger(self):
        """(folder, UIDVALIDITY, UID) to (state, digest of the original or None)."""
        return {
            (folder, validity, uid): (state, original.hex() if original else None)
            for folder, validity, uid, state, original in self.rows(
                "SELECT f.name, l.uidvalidity, l.uid, l.state, o.sha256 FROM ledger l"
                " JOIN folders f ON f.id = l.folder LEFT JOIN originals o ON o.id = l.original")
        }  # fmt: skip

    def check_originals(self):
        """Every original lies where the database says, byte for byte; of an erased one nothing."""
        packs = {}
        try:
            for sha, pack, offset, size, erasure in self.rows("SELECT sha256, pack, offset, size, erasure FROM originals"):
                if pack not in packs:
                    packs[pack] = open(os.path.join(self.data, "originals", f"pack-{pack:06d}.mwp"), "rb")
                packs[pack].seek(offset + RECORD_HEADER)
                data = packs[pack].read(size)
                # One whose erasure is due is nobody's to read any more.
                require(
                    len(data) == size and (
                        hashlib.sha256(data).digest() == sha if erasure is None else erasure == "due" or not any(data)),
                    f"the original at pack {pack}, offset {offset} is not what it was")  # fmt: skip
        except FileNotFoundError as missing:
            raise Violation(f"a pack is missing: {missing.filename}") from None
        finally:
            for file in packs.values():
                file.close()

    def check_doubles(self):
        """Nothing stands twice: bytes, messages, history entries, open review items."""
        # An archive that no version has opened that looks at how bodies are to be read has no such column.
        has_form = self.rows("SELECT 1 FROM pragma_table_info('messages') WHERE name = 'form_digest'")
        form = ", form_digest" if has_form else ""
        for what, query in (
            ("an original", "SELECT 1 FROM originals GROUP BY sha256 HAVING count(*) > 1"),
            ("a message", f"SELECT 1 FROM messages WHERE message_id IS NOT NULL GROUP BY message_id, content_digest{form} HAVING count(*) > 1"),
            ("a history entry", "SELECT 1 FROM history WHERE removed_at IS NULL GROUP BY message, contact HAVING count(*) > 1"),
            ("a review item", "SELECT 1 FROM review_items WHERE state = 'open' GROUP BY message HAVING count(*) > 1"),
        ):  # fmt: skip
            require(not self.rows(query), f"{what} stands twice")

    def check_indexes(self):
        """SQLite's own check; and the full-text index holds the messages that are marked as indexed."""
        require(self.rows("PRAGMA integrity_check") == [("ok",)], "the database is damaged")
        # The index itself cannot be opened without the program's tokenizer; its list of rows can.
        marked = self.rows("SELECT id FROM messages WHERE is_indexed = 1 AND erased_at IS NULL ORDER BY id")
        require(marked == self.rows("SELECT id FROM search_docsize ORDER BY id"), "the index disagrees with its marks")

    def lines(self):
        """The whole state as sorted lines."""
        self.check_originals()
        self.check_doubles()
        self.check_indexes()
        lines, names = [], {}
        for id, header, content, *rest in self.rows(
            "SELECT id, message_id, content_digest, subject, date, sort_date, direction, category, state, reason,"
            " thread, snippet, defects FROM messages"):  # fmt: skip
            shas = sorted(row[0].hex() for row in self.rows("SELECT sha256 FROM originals WHERE message = ?", id))
            # Which of several copies came first is chance; that it is one message is not.
            names[id] = f"{header} {content.hex() if content else shas}"
            people = self.rows(
                "SELECT role, email, name FROM participants WHERE message = ? ORDER BY position", id)
            files = self.rows(
                "SELECT filename, content_type, size, hex(sha256) FROM attachments WHERE message = ? ORDER BY position", id)
            copies = sorted(row[0] for row in self.rows("SELECT state FROM ledger WHERE message = ?", id))
            lines.append(f"message {names[id]} {rest} {people} {files} originals {shas} copies {copies}")
        # Imported mail is numbered as it is committed, which is no promise.
        for account, folder, validity, uid, state, reason, size, vanished, id in self.rows(
            "SELECT a.name, f.name, l.uidvalidity, iif(a.kind = 'import', 0, l.uid), l.state, l.reason, l.size, l.vanished_at IS NOT NULL,"
            " l.message FROM ledger l JOIN folders f ON f.id = l.folder JOIN accounts a ON a.id = f.account"):  # fmt: skip
            what = f"{state} {reason}" if id is None else f"copy of {names[id]}"
            lines.append(f"ledger {account} {folder} {validity} {uid} {size} {bool(vanished)} {what}")
        for id, contact, role, email, linked_by in self.rows(
            "SELECT h.message, c.external_id, h.role, h.email, h.linked_by FROM history h"
            " JOIN contacts c ON c.id = h.contact WHERE h.removed_at IS NULL"):  # fmt: skip
            lines.append(f"history {contact} {role} {email} {linked_by} {names[id]}")
        for id, email, reason, state in self.rows("SELECT message, email, reason, state FROM review_items"):
            lines.append(f"review {email} {reason} {state} {names[id]}")
        for id, *words in self.rows("SELECT id, c0, c1, c2, c3, c4 FROM search_content"):
            lines.append(f"words {names[id]} {words}")
        for row in self.rows("SELECT folder, uidvalidity FROM sweeps"):
            lines.append(f"sweep {row}")
        for row in self.rows("SELECT name, state, failures, error_code FROM accounts"):
            lines.append(f"account {row}")
        return sorted(lines)


def lines(installation):
    with Snapshot(installation.data) as snapshot:
        return snapshot.lines()


def require_same(expected, actual, when):
    if expected != actual:
        missing = [line for line in expected if line not in set(actual)]
        added = [line for line in actual if line not in set(expected)]
        shown = [f"- {line[:300]}" for line in missing[:5]] + [f"+ {line[:300]}" for line in added[:5]]
        raise Violation(
            f"the archive is not as undisturbed {when}: {len(missing)} lines missing, {len(added)} added\n"
            + "\n".join(shown))  # fmt: skip


def packs(installation):
    return len(glob.glob(os.path.join(installation.data, "originals", "*.mwp")))
