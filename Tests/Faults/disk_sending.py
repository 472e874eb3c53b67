"""Sending on a disk that fails: part of disk.py. Each mail goes to a server that counts, its copy to a Sent folder on
a private Dovecot. Whatever fails: what the server has is known to be sent, or is listed as uncertain; what the program
called queued is queued with all its bytes; and the next run and a person's decisions bring every mail to its end."""

import hashlib
import os
import signal
import time

import rig
import state
from disk_works import CONTACTS, Work
from rig import Run, require
from send import OPEN, Office
from sink import Sink

# Of two mails of a case the larger has several pieces in the outbox.
ATTACHMENT = b"One line of a file that is sent.\r\n" * 20_000
# The disk has room again so many seconds after the first failure.
FULL_SECONDS = 1.5
# A daemon that gets nowhere any longer is ended, and what it has left is the next one's.
DAEMON_SECONDS = 20


class Sending(Work):
    # The copying of the log when the database is closed comes after all that sending stands on.
    step = 23

    def prepare(self):
        self.server = self.bench.server or self.bench.serve()
        self.arrived = {}
        self.sink = Sink(keep=self.keep)
        home = self.bench.join("base-of-" + self.name.replace(" ", "-").replace("--", ""))
        # Nothing is to be found out of a server in each of hundreds of runs.
        self.base = Office.open(home, CONTACTS, self.server, self.sink, more=["--sent-copy", "append"]).installation
        self.attachment = os.path.join(home, "file.txt")
        with open(self.attachment, "wb") as file:
            file.write(ATTACHMENT)
        self.text = os.path.join(home, "text.txt")
        with open(self.text, "w", encoding="utf-8") as file:
            file.write("Hello\n.\n.dots\n")

    def keep(self, content):
        """What the server has taken, by its digest."""
        digest = hashlib.sha256(content).digest()
        self.arrived[digest] = self.arrived.get(digest, 0) + 1

    def copy(self, home):
        self.server.clear("Sent")
        self.sink.taken.clear()
        self.sink.mails.clear()
        self.arrived.clear()
        return self.base.copy(home)

    def office(self, victim):
        return Office(victim, self.server, self.sink)

    def learn(self, undisturbed):
        self.bring_to_end(undisturbed, "undisturbed")
        self.expected = self.office(undisturbed).lines()

    def words(self, *more):
        return ["send", "--account", rig.USER, "--idempotency-key", "one", "--subject", "One", "--text", self.text,
            "--to", rig.contact(1), "--bcc", rig.contact(2), "--attach", self.attachment, "--json", *more]  # fmt: skip

    def frozen(self, victim, when):
        """Each mail has the bytes that it was queued with, or was let go of when it was filed."""
        with state.Snapshot(victim.data) as snapshot:
            for item, digest, size in snapshot.rows("SELECT id, sha256, size FROM outbox"):
                pieces = snapshot.rows("SELECT bytes FROM outbox_content WHERE item = ? ORDER BY piece", item)
                data = b"".join(piece for (piece,) in pieces)
                is_done = snapshot.rows("SELECT 1 FROM outbox WHERE id = ? AND state = 'sent' AND filing = 'done'", item)
                require(
                    hashlib.sha256(data).digest() == digest and len(data) == size or not data and is_done,
                    f"{when} mail {item} has {len(data)} bytes of {size}, or other ones")  # fmt: skip
            known = {digest for (digest,) in snapshot.rows("SELECT sha256 FROM outbox")}
        require(set(self.arrived) <= known, f"{when} the server has bytes that nobody queued")

    def check_failed(self, victim, run, when):
        self.office(victim).check(when)
        self.frozen(victim, when)

    def bring_to_end(self, victim, when):
        """The daemon, and a person for what is uncertain."""
        office = self.office(victim)
        office.settle(when)
        office.check(when)
        if office.resolve(when):
            office.settle(when)

    def check_end(self, victim, when):
        self.bring_to_end(victim, when)
        self.check_failed(victim, None, when)
        state.require_same(self.expected, self.office(victim).lines(), when)
        victim.verify(when)

    def watched(self, victim, words, more, is_over, limit):
        """A run on whose disk there is room again some time after the first failure. When `is_over` says so, or the
        limit has passed, it is asked to end."""
        heal, path = self.bench.join("heal"), os.path.join(victim.home, "run.log")
        if os.path.exists(heal):
            os.unlink(heal)
        with open(path, "wb") as log:
            process = victim.start(*words, more={**(more or {}), "FAULT_HEAL": heal}, errors=log)
            started, hit = time.monotonic(), None
            while process.poll() is None and not is_over() and time.monotonic() < started + limit:
                if more and hit is None and os.path.exists(more["FAULT_MARK"]):
                    hit = time.monotonic()
                if hit and time.monotonic() > hit + FULL_SECONDS and not os.path.exists(heal):
                    with open(heal, "wb"):
                        pass
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        with open(path, encoding="utf-8") as log:
            return Run(process.returncode, output.decode(), log.read(), time.monotonic() - started)


class Queueing(Sending):
    """What `send` calls queued is in the outbox to the byte, and what it could not queue is not there."""

    name = "send"
    quick = [("pwrite", "ENOSPC", 397), ("fdatasync", "EIO", 5)]

    def run(self, victim, more=None):
        return victim.run(*self.words(), more=more)

    def check_whole(self, victim, when):
        require(self.office(victim).states() == {"queued": 1}, f"{when} the outbox has {self.office(victim).states()}")
        self.check_failed(victim, None, when)

    def check_failed(self, victim, run, when):
        super().check_failed(victim, run, when)
        if run and run.status > 0 and self.office(victim).rows("SELECT 1 FROM outbox"):
            require(
                "queued" in run.errors or "may" in run.errors,
                f"{when} the mail is queued although the program said: {run.errors}")  # fmt: skip


class Waiting(Sending):
    """`send --wait`: from the queueing to the copy."""

    name = "send --wait"
    # Once the answer is stored the mail is sent; histories and Sent folder are the next one's then.
    may_go_on = True
    quick = [("fdatasync", "EIO", 8), ("pwrite", "EIO", 699)]

    def run(self, victim, more=None):
        return self.watched(victim, self.words("--wait"), more, lambda: False, 60)

    def check_whole(self, victim, when):
        states = self.office(victim).states()
        require(states == {"sent": 1}, f"{when} the outbox has {states}")
        self.check_failed(victim, None, when)

    def check_failed(self, victim, run, when):
        super().check_failed(victim, run, when)
        if run and run.status == 75:
            require('"reason"' in run.output or run.errors, f"{when} nobody knows why the mail waits: {run.output}")

    def again(self, victim, when):
        run = self.run(victim)
        for _ in range(3):
            due = self.office(victim).rows("SELECT next_try FROM outbox WHERE state IN ('queued', 'retry')")
            if run.status != 75 or not due:
                break
            # The outbox could not be read: it is tried again in a moment.
            time.sleep(max(0, min(due[0][0] - time.time(), 10)))
            run = self.run(victim)
        # One that has become uncertain is a person's.
        is_uncertain = "uncertain" in self.office(victim).states()
        require(run.status == (1 if is_uncertain else 0), f"{when} the next run ended with {run.status}: {run.errors}")


class Delivering(Sending):
    """The daemon with mails that wait."""

    name = "outbox"
    quick = [("fdatasync", "EIO", 17), ("pwrite", "ENOSPC", 899)]

    def prepare(self):
        super().prepare()
        office = self.office(self.base)
        office.queue(range(CONTACTS))
        self.base.succeed(*self.words())

    def run(self, victim, more=None):
        office = self.office(victim)
        return self.watched(victim, ["run"], more, lambda: not office.rows(OPEN)[0][0], DAEMON_SECONDS)

    def again(self, victim, when):
        """The next daemon has its turn in `bring_to_end`, unless nothing is left to do."""

    def check_whole(self, victim, when):
        """A daemon that was told to end has done what it could; the rest is the next one's."""
        self.check_failed(victim, None, when)
