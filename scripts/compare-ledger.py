#!/usr/bin/python3
"""compare-ledger.py DATABASE ACCOUNT SNAPSHOT: every message that the server shows has its row in the ledger, with
exactly its bytes as original, and the ledger shows no other as present.

SNAPSHOT is what `imap-mailbox.py ... snapshot` printed. Prints how many messages agree; names the first
differences and ends with 1 when there are any.
"""

import sqlite3
import sys


def main():
    database, account, snapshot = sys.argv[1:]
    server = {}
    with open(snapshot, encoding="utf-8") as lines:
        for line in lines:
            folder, validity, uid, _, _, _, digest = line.split()
            server[folder, int(validity), int(uid)] = digest
    epochs = {(folder, validity) for folder, validity, _ in server}
    archive = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    ledger = {}
    for name, validity, uid, state, vanished, digest in archive.execute(
        """SELECT folders.name, uidvalidity, uid, ledger.state, vanished_at, lower(hex(sha256))
           FROM ledger JOIN folders ON folders.id = ledger.folder JOIN accounts ON accounts.id = folders.account
           LEFT JOIN originals ON originals.id = ledger.original WHERE accounts.name = ?""",
        [account],
    ):
        # Rows of an earlier UIDVALIDITY stay as they are.
        if vanished is None and (name, validity) in epochs:
            # Mail between colleagues is recorded without a copy.
            ledger[name, validity, uid] = None if state == "ignored" and not digest else digest
    differences = [f"{key} is on the server and not in the ledger" for key in server.keys() - ledger.keys()]
    differences += [f"{key} is in the ledger and not on the server" for key in ledger.keys() - server.keys()]
    differences += [
        f"{key}: the original has other bytes"
        for key in server.keys() & ledger.keys()
        if ledger[key] is not None and ledger[key] != server[key]
    ]
    for difference in sorted(differences)[:10]:
        print(difference, file=sys.stderr)
    print(len(server))
    sys.exit(1 if differences or not server else 0)


if __name__ == "__main__":
    main()
