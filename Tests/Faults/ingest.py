"""ingest [KILLS [SEED]]: kills syncs of a mailbox that keeps changing: mail arrives, is removed,
is moved between folders, and folders get a new UIDVALIDITY, between the kills and during
them. After each kill and each whole sync the archive is compared with what the server has
shown until then. The same seed gives the same changes and the same moments."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import rig
import state
from rig import Installation, require

CONTACTS = 7
FOLDERS = ["INBOX", "Sent", "Archive"]
# The kills of one archive; a fresh one follows, so that none grows dull.
ROUNDS_AN_ARCHIVE = 25


class Mailbox:
    """The user's mailbox, and what it has ever shown."""

    def __init__(self, server, random):
        self.server, self.random = server, random
        self.next = 0
        self.messages = {}
        # (folder, UIDVALIDITY, UID) to the digest of the message: everything ever listed.
        self.ever = {}
        self.now = {}
        self.counts = dict.fromkeys(("delivered", "removed", "moved", "resets"), 0)
        for folder in FOLDERS:
            server.clear(folder)

    def deliver(self, count):
        for _ in range(count):
            data = rig.message(self.next, CONTACTS, size=self.random.choice([500, 2000, 9000, 60_000]))
            self.messages[rig.digest(data)] = self.next
            self.next += 1
            self.server.deliver(self.random.choice(FOLDERS), [data])
            self.counts["delivered"] += 1

    def change(self):
        """One change as other clients make them."""
        kind = self.random.random()
        files = [(folder, file) for folder in FOLDERS for file in self.server.files(folder)]
        if kind < 0.45 or len(files) < 10:
            self.deliver(self.random.randint(1, 8))
        elif kind < 0.65:
            for _, file in self.random.sample(files, min(len(files), self.random.randint(1, 4))):
                self.server.remove(file)
                self.counts["removed"] += 1
        elif kind < 0.95:
            for folder, file in self.random.sample(files, min(len(files), self.random.randint(1, 4))):
                self.server.move(file, self.random.choice([other for other in FOLDERS if other != folder]))
                self.counts["moved"] += 1
        else:
            self.server.forget_uids(self.random.choice(FOLDERS))
            self.counts["resets"] += 1

    def note(self):
        """Asks the server what it shows, as nobody's client."""
        self.now = self.server.listing(FOLDERS)
        for place, digest in self.now.items():
            require(self.ever.get(place, digest) == digest, f"the server itself gave {place} to two messages")
            self.ever[place] = digest


class Checks:
    """What must hold of the archive against the mailbox."""

    def __init__(self, mailbox):
        self.mailbox = mailbox
        self.known = {}

    def always(self, installation, when):
        """After a kill at any moment. Listings that only the killed sync has seen are unknown
        here, so of a place that nobody else saw only the content is checked."""
        with state.Snapshot(installation.data) as snapshot:
            snapshot.check_originals()
            snapshot.check_doubles()
            snapshot.check_indexes()
            ledger = snapshot.ledger()
            for place, row in self.known.items():
                require(place in ledger, f"{when} the ledger row of {place} is gone")
                require(row[1] is None or ledger[place][1] == row[1], f"{when} {place} speaks of another message")
            for place, (_, original) in ledger.items():
                require(original is None or original in self.mailbox.messages, f"{when} {place} has bytes that nobody sent")
                seen = self.mailbox.ever.get(place)
                require(original is None or seen in (None, original), f"{when} {place} has the bytes of another message")
            self.known = ledger
            return ledger, snapshot.rows(
                "SELECT o.sha256, m.state, (SELECT count(*) FROM history WHERE message = m.id AND removed_at IS NULL),"
                " (SELECT count(*) FROM review_items WHERE message = m.id AND state = 'open')"
                " FROM originals o JOIN messages m ON m.id = o.message")  # fmt: skip

    def whole(self, installation, when):
        """After a sync that ended by itself while nothing changed."""
        ledger, messages = self.always(installation, when)
        for place, digest in self.mailbox.now.items():
            require(place in ledger, f"{when} {place} is lost")
            require(ledger[place][1] == digest, f"{when} {place} is {ledger[place]}, not the message that it is")
        filed = {}
        for sha, kind, histories, reviews in messages:
            number = self.mailbox.messages[sha.hex()]
            filed[number] = filed.get(number, 0) + 1
            is_stranger = number % 4 == 3
            require(
                (kind, histories, reviews) == (("review", 0, 1) if is_stranger else ("archived", 1, 0)),
                f"{when} message {number} is {kind}, in {histories} histories and {reviews} review items")
        require(all(count == 1 for count in filed.values()), f"{when} a message is there twice")
        return len(filed)


class Torture:
    def __init__(self, bench, kills, seed):
        self.bench, self.kills, self.seed = bench, kills, seed
        self.random = random.Random(seed)
        self.server = bench.serve()
        self.whole_seconds = 0.3
        self.killed = self.survived = self.archives = self.syncs = self.filed = self.midway = 0
        self.counts = {}

    def sync(self, installation, when):
        run = installation.sync()
        require(run.status == 0, f"{when} a sync failed: {run.status} {run.errors}{run.output[-1500:]}")
        self.syncs += 1
        self.whole_seconds = 0.8 * self.whole_seconds + 0.2 * run.seconds

    def change_meanwhile(self, mailbox, ended):
        while not ended.wait(self.random.uniform(0, self.whole_seconds / 2)):
            mailbox.change()

    def kill(self, installation, mailbox, checks, when):
        before = len(checks.known)
        moment = self.random.uniform(0, self.whole_seconds * 1.1)
        # By turns the mailbox stands still or changes while it is read.
        is_changing = self.random.random() < 0.5
        victim = installation.start("sync", "--json")
        ended = threading.Event()
        changing = threading.Thread(target=self.change_meanwhile, args=(mailbox, ended))
        if is_changing:
            changing.start()
        try:
            victim.wait(moment)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGKILL)
        _, errors = victim.communicate()
        ended.set()
        if is_changing:
            changing.join()
        if victim.returncode == -signal.SIGKILL:
            self.killed += 1
        else:
            # A mailbox that changes under it may be a failure that is named, never a crash.
            require(victim.returncode in (0, 1), f"{when} a sync ended with {victim.returncode}: {errors.decode()}")
            self.survived += 1
        mailbox.note()
        checks.always(installation, when)
        if victim.returncode == -signal.SIGKILL and len(checks.known) > before:
            self.midway += 1
        copy = installation.copy(self.bench.join("copy"))
        copy.verify(when)

    def archive(self):
        self.archives += 1
        mailbox = Mailbox(self.server, self.random)
        mailbox.deliver(40)
        home = self.bench.join(f"archive-{self.archives}")
        installation = Installation(home).set_up(
            CONTACTS, self.server.port, self.server.authority, folders=["Archive"])
        checks = Checks(mailbox)
        for round in range(ROUNDS_AN_ARCHIVE):
            if self.killed >= self.kills:
                break
            when = f"archive {self.archives}, round {round} (seed {self.seed}):"
            rig.progress(f"kill {self.killed + 1} of {self.kills}")
            for _ in range(self.random.randint(1, 3)):
                mailbox.change()
            mailbox.deliver(self.random.randint(5, 25))
            self.kill(installation, mailbox, checks, when)
            # Now and then several kills in a row, before any sync comes to its end.
            if self.random.random() < 0.5:
                mailbox.note()
                self.sync(installation, when)
                checks.whole(installation, when)
        when = f"at the end of archive {self.archives} (seed {self.seed}):"
        mailbox.note()
        self.sync(installation, when)
        self.filed += checks.whole(installation, when)
        run = installation.sync()
        require('"fetched" : 0' in run.output, f"{when} a complete archive fetched again: {run.output}")
        installation.verify(when)
        for key, count in mailbox.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count

    def all(self):
        started = time.monotonic()
        try:
            while self.killed < self.kills:
                self.archive()
        except SystemExit:
            print(f"ingest: interrupted after {self.killed} kills in {self.archives - 1} whole archives, 0 violations")
            raise
        rig.progress("")
        print(
            f"ingest: {self.killed} kills ({self.midway} in the midst of committing) in {self.archives} archives, "
            f"{self.survived} syncs ended before their kill, {self.syncs} whole syncs; seed {self.seed}, "
            f"{time.monotonic() - started:.0f} s")
        print("  " + ", ".join(f"{count} {key}" for key, count in self.counts.items()) + f"; {self.filed} messages filed")
        print("  0 lost, 0 doubled, verify clean after each")


def torture(bench):
    words = sys.argv[1:]
    kills = int(words[0]) if words else 100
    seed = int(words[1]) if len(words) > 1 else int(os.environ.get("MAILWORKER_SEED") or random.randrange(1 << 31))
    Torture(bench, kills, seed).all()


if __name__ == "__main__":
    rig.main(torture)
