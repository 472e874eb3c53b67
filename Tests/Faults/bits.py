"""bits [N [MESSAGES]]: flips one bit at N (100) random places of the originals and of the database's pages of an archive
of MESSAGES (2,000), each in a fresh copy. `verify` must name the place, and whose it is: in the database all messages that
have a row on the page. Every other original must stay readable, to the byte. MAILWORKER_SEED repeats a run."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys

import rig
from pages import Pages
from rig import ROOT, Installation, require

PACK_HEADER, RECORD_HEADER = 32, 80
# Other messages that are read after each flip.
OTHERS = 3


def make(bench, count):
    """An archive of mail of all kinds, with nothing left in its log."""
    mail, box = bench.join("mail"), bench.join("maildir")
    subprocess.run(
        [sys.executable, os.path.join(ROOT, "Benchmarks/generate.py"), str(count), mail, "--contacts", "50"],
        check=True, capture_output=True)  # fmt: skip
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(box, name))
    for folder in ("INBOX", "Sent"):
        shutil.copytree(os.path.join(mail, folder), os.path.join(box, "cur"), dirs_exist_ok=True)
    whole = Installation(bench.join("whole"))
    os.makedirs(whole.home)
    whole.succeed("init")
    whole.succeed("user", "add", rig.USER, "--email", f"{rig.USER}@firma.example")
    whole.succeed("contact", "import", os.path.join(mail, "contacts.csv"))
    whole.succeed("import", box, limit=600)
    whole.verify("of the new archive")
    log = os.path.join(whole.data, "mailworker.db-wal")
    require(not os.path.exists(log) or os.path.getsize(log) == 0, "the log is not copied into the database")
    return whole


class Bits:
    def __init__(self, bench, count, chance):
        self.bench, self.chance = bench, chance
        self.whole = make(bench, count)
        self.database = os.path.join(self.whole.data, "mailworker.db")
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            # Where each message's record lies, and what a person could read of the others.
            self.records = database.execute("SELECT pack, offset, size, message FROM originals ORDER BY pack, offset").fetchall()
            self.packs = dict(database.execute("SELECT id, committed_end FROM packs"))
            self.digests = set(database.execute("SELECT message, hex(sha256) FROM originals"))
        self.pages = Pages(self.database)
        self.named, self.unreadable = 0, []

    def place(self, number):
        """Half of them in the database, half in the originals, evenly over their bytes: the pack, and where in it."""
        if number % 2 == 0:
            offset = self.chance.randrange(os.path.getsize(self.database))
            # The first page is one of many, and written anew whenever the archive is opened.
            return None, offset % 4096 if number == 0 else offset
        pack = self.chance.choices(list(self.packs), list(self.packs.values()))[0]
        return pack, self.chance.randrange(self.packs[pack])

    def flip(self, number):
        pack, offset = self.place(number)
        bit = self.chance.randrange(8)
        victim = self.whole.copy(self.bench.join("victim"))
        name = "mailworker.db" if pack is None else f"originals/pack-{pack:06}.mwp"
        when = f"after a flip of bit {bit} at {offset} of {name}"
        with open(os.path.join(victim.data, name), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << bit]))
        run = victim.run("verify", "--json")
        require(run.status == 1 and run.output, f"{when} verify ended with {run.status}: {run.errors}")
        findings = json.loads(run.output)["findings"]
        message = self.check_named(pack, offset, findings, when)
        self.named += any(finding.get("message") is not None for finding in findings)
        self.read_others(victim, message, pack is not None, when)

    def check_named(self, pack, offset, findings, when):
        """The message that was hit, when it was an original."""
        message = None
        if pack is None:
            found = self.check_page(offset // 4096 + 1, findings, when)
        elif offset < PACK_HEADER:
            found = any(finding["place"].startswith(f"pack {pack}") for finding in findings)
        else:
            message = next(
                message for number, start, size, message in self.records
                if number == pack and start <= offset < start + RECORD_HEADER + size)  # fmt: skip
            found = any(str(finding.get("message")) == str(message) for finding in findings)
        require(found, f"{when} verify does not name it: {findings[:3]}")
        return message

    def check_page(self, page, findings, when):
        """Whether the page is named, whose messages and whose remedy must be."""
        named = [finding for finding in findings if finding["place"].split(" (")[0] == f"database page {page}"]
        owner = self.pages.owner(page) or ""
        missing = self.pages.messages(page) - {int(finding["message"]) for finding in findings if finding.get("message")}
        require(not missing, f"{when}, a page of {owner}, verify does not name messages {sorted(missing)[:5]}")
        if owner.startswith("search_"):
            require(any("search --rebuild" in finding["text"] for finding in named), f"{when} the search index has no remedy")
        return named or page == 1 and any(finding["place"] == "database" for finding in findings)

    def read_others(self, victim, hit, is_original, when):
        for _ in range(OTHERS):
            message = self.chance.choice(self.records)[3]
            if message == hit:
                continue
            shown, original = (victim.run("message", word, str(message), is_text=False) for word in ("show", "original"))
            digest = hashlib.sha256(original.output).hexdigest().upper()
            if shown.status == 0 and original.status == 0 and (message, digest) in self.digests:
                continue
            what = f"{when} message {message} is not readable: {shown.errors or original.errors}"
            # A page of the database has the rows of many.
            require(not is_original, what)
            self.unreadable.append(what)


def torture(bench):
    flips, count = (int(word) for word in (sys.argv[1:] + ["100", "2000"][len(sys.argv) - 1 :])[:2])
    seed = int(os.environ.get("MAILWORKER_SEED", random.randrange(1 << 31)))
    bits = Bits(bench, count, random.Random(seed))
    for number in range(flips):
        rig.progress(f"flip {number + 1} of {flips}")
        bits.flip(number)
    rig.progress("")
    for line in bits.unreadable:
        print(line)
    print(f"bits: {flips} flips (seed {seed}), each reported with its place, {bits.named} with messages; "
          f"{len(bits.unreadable)} of {OTHERS * flips} other messages not readable")


if __name__ == "__main__":
    rig.main(torture)
