"""send [quick | KILLS [SEED]]: stops the program before and after every durable step of sending, and kills it at
KILLS (500) random moments while it sends 1,000 mails to a server that counts and sometimes answers late. After each
stop and each kill: what the server has is known to be sent, or may be and is listed as uncertain; nothing is
there twice. At the end every mail is settled, in its contact's history once, and once in the Sent folder."""

import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time

import rig
import state
from rig import Installation, require
from sink import Sink

STOPPED = 70
# The mails of one outbox, and the kills that it gets at most.
MAILS, KILLS_AN_OUTBOX = 1000, 60
# Open questions of a daemon: none is left when it may end.
OPEN = (
    "SELECT count(*) FROM outbox WHERE state IN ('queued', 'retry', 'sending') OR filing = 'due'"
    " OR (state <> 'uncertain' AND copy = 'due') OR (state = 'uncertain' AND copy_tries < 2)"
)


class Office:
    """An installation that sends through a sink, and whose Sent folder is on a private Dovecot."""

    def __init__(self, installation, server, sink):
        self.installation, self.server, self.sink = installation, server, sink

    @staticmethod
    def open(home, contacts, server, sink, sending=None, authority=None, more=()):
        """Through the sink, or through what `sending` says of another server. `more` says more of the account."""
        sending = sending or ["--smtp-host", "127.0.0.1", "--smtp-port", str(sink.port), "--smtp-security", "none"]
        sending = [*sending, *more]
        installation = Installation(home).set_up(
            contacts, server.port, authority or server.authority, sending=sending)
        with open(installation.config, "a", encoding="utf-8") as file:
            file.write("\n[send]\nundo_seconds = 0\nuser_hourly_recipients = 1000000\n")
        installation.merge_tables()
        return Office(installation, server, sink)

    def rows(self, query, *arguments):
        """Asks the database as it is now, which may be in use."""
        path = os.path.join(self.installation.data, "mailworker.db")
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(query, arguments).fetchall()
        finally:
            database.close()

    def queue(self, numbers, text="Hello"):
        """A mail of its own for each contact, and the file of the text beside the archive."""
        path = os.path.join(self.installation.home, "text.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n.\n.dots\n")
        for start in range(0, len(numbers), 50):
            words = ["send", "--account", rig.USER, "--subject", f"Mails from {start}", "--text", path]
            words += ["--kind", "single"]
            for number in numbers[start : start + 50]:
                words += ["--contact", f"Contact {number}"]
            self.installation.succeed(*words)

    def settle(self, when, limit=120):
        """Runs the daemon until nothing is left to do."""
        if not self.rows(OPEN)[0][0]:
            return
        with open(os.path.join(self.installation.home, "daemon.log"), "ab") as log:
            daemon = self.installation.start("run", errors=log)
            end = time.monotonic() + limit
            while self.rows(OPEN)[0][0]:
                require(daemon.poll() is None, f"{when} the daemon ended with {daemon.returncode}")
                require(time.monotonic() < end, f"{when} the daemon does not come to an end: {self.states()}")
                time.sleep(0.05)
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=60)
        require(daemon.returncode == 0, f"{when} the daemon ended with {daemon.returncode}")

    def states(self):
        return dict(self.rows("SELECT state, count(*) FROM outbox GROUP BY state"))

    def check(self, when):
        """What must hold at any moment at which the program is dead and the sink has read all."""
        require(self.sink.settle(), f"{when} the sink still has a client")
        with state.Snapshot(self.installation.data) as snapshot:
            snapshot.check_indexes()
            rows = snapshot.rows(
                "SELECT o.message_id, r.email, r.state, o.state, o.data_begun_at IS NOT NULL FROM outbox o"
                " JOIN outbox_recipients r ON r.item = o.id")  # fmt: skip
        for name, address, recipient, item, begun in rows:
            count = self.sink.taken[name, address.lower()]
            require(count < 2, f"{when} {name} went to {address} {count} times")
            if recipient == "sent":
                require(count == 1, f"{when} {name} is called sent to {address}, which has it {count} times")
            elif count:
                require(
                    recipient == "uncertain" or (item == "sending" and begun and recipient == "sending"),
                    f"{when} {address} has {name}, which is {item} ({recipient}) and would be sent again")
        known = {(name, address.lower()) for name, address, *_ in rows}
        require(set(self.sink.taken) <= known, f"{when} the server has mail that nobody queued")

    def uncertain(self, when):
        """What is listed as uncertain, which must be what is."""
        listed = json.loads(
            self.installation.succeed("outbox", "list", "--state", "uncertain", "--json").output)  # fmt: skip
        found = {item["message_id"] for item in listed}
        known = {name for (name,) in self.rows("SELECT message_id FROM outbox WHERE state = 'uncertain'")}
        require(found == known, f"{when} {len(known)} mails are uncertain and {len(found)} are listed")
        return listed

    def resolve(self, when):
        """A person asks the recipients, and decides."""
        listed = self.uncertain(when)
        for item in listed:
            has_it = self.sink.mails[item["message_id"]] > 0
            self.installation.succeed("outbox", "resolve", str(item["id"]), "--sent" if has_it else "--again")
        return len(listed)

    def copies(self):
        """Message-ID to how often it is in the Sent folder."""
        found = {}
        for path in self.server.files("Sent"):
            with open(path, "rb") as file:
                name = re.search(rb"^Message-ID:\s*<(.*?)>", file.read(), re.I | re.M).group(1).decode()
            found[name] = found.get(name, 0) + 1
        return found

    def lines(self):
        """How every mail ended, in words that do not depend on how it got there."""
        copies, lines = self.copies(), []
        for item, name, subject, kind, filing, copy, message in self.rows(
            "SELECT id, message_id, subject, state, filing, copy, message FROM outbox ORDER BY id"):  # fmt: skip
            people = self.rows(
                "SELECT email, role, state FROM outbox_recipients WHERE item = ? ORDER BY position", item)
            taken = [self.sink.taken[name, email.lower()] for email, _, _ in people]
            history = sorted(
                row[0]
                for row in self.rows(
                    "SELECT c.external_id FROM history h JOIN contacts c ON c.id = h.contact"
                    " JOIN messages m ON m.id = h.message WHERE m.message_id = ? AND h.removed_at IS NULL", name))  # fmt: skip
            count = self.rows("SELECT count(*) FROM messages WHERE message_id = ?", name)[0][0]
            content = self.rows("SELECT count(*) FROM outbox_content WHERE item = ?", item)[0][0]
            lines.append(
                f"{subject}: {kind} {people} taken {taken} filing {filing} copy {copy} in Sent {copies.get(name, 0)}"
                f" messages {count} histories {history} {'known' if message else 'not known'} pieces {content > 0}")  # fmt: skip
        return sorted(lines)


class Sweep:
    """Every durable step of a mail from its queueing to its copy: `send --wait` of one to four recipients, of
    whom one is refused, and the daemon on mails that wait."""

    def __init__(self, bench, is_quick):
        self.bench, self.is_quick = bench, is_quick
        self.server = bench.server
        self.stops = self.uncertain = self.steps = 0
        self.kinds = set()

    def fresh(self, home, mails):
        self.server.clear("Sent")
        sink = Sink()
        # Nothing is to be found out of a server in each of hundreds of runs.
        office = Office.open(home, 8, self.server, sink, more=["--sent-copy", "append"])
        if mails:
            office.queue(range(mails))
        return office

    def copy(self, base):
        """The same installation on a sink of its own: at the port of the account."""
        self.server.clear("Sent")
        return Office(base.installation.copy(self.bench.join("victim")), self.server, base.sink)

    def once(self, office, more=None):
        """`send --wait`; the same key is the same mail."""
        words = ["send", "--account", rig.USER, "--subject", "One", "--idempotency-key", "one", "--wait", "--json"]
        for address in (rig.contact(1), "refused@client.example", rig.contact(2)):
            words += ["--to", address]
        words += ["--bcc", rig.contact(3), "--text", os.path.join(office.installation.home, "contacts.csv")]
        return office.installation.run(*words, more=more)

    def daemon(self, office, more=None):
        """The daemon until it stops, or has nothing left to do."""
        path = os.path.join(office.installation.home, "steps.log")
        with open(path, "wb") as log:
            process = office.installation.start("run", more=more, errors=log)
            while process.poll() is None and office.rows(OPEN)[0][0]:
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        with open(path, encoding="utf-8") as log:
            return rig.Run(process.returncode, output.decode(), log.read(), 0)

    def sweep(self, name, base, run, good):
        office = self.copy(base)
        first = run(office, {"MAILWORKER_STOP_AT": "never"})
        require(first.status in good, f"{name}: the undisturbed run ended with {first.status}: {first.errors}")
        office.settle(name)
        office.check(name)
        expected = office.lines()
        sides = ["after"] if self.is_quick else ["before", "after"]
        for side in sides:
            number = 0
            while True:
                number += 1
                rig.progress(f"{name}: {side} step {number}")
                self.forget(base.sink)
                victim = self.copy(base)
                ended = run(victim, {"MAILWORKER_STOP_AT": f"{number}:{side}"})
                when = f"{name}: after a stop {side} step {number}"
                reached = re.findall(r"durable step \d+: (\S+)", ended.errors)
                if ended.status != STOPPED:
                    require(ended.status in good, f"{when} that did not come: {ended.status} {ended.errors}")
                    require(number > 8, f"{name} has only {number} durable steps")
                    break
                self.kinds.update(reached)
                when += f" ({reached[-1]})"
                victim.check(when)
                if run == self.once:
                    again = run(victim)
                    require(again.status in (0, 1), f"{when} the next run ended with {again.status}: {again.errors}")
                victim.settle(when)
                victim.check(when)
                self.uncertain += victim.resolve(when)
                victim.settle(when)
                victim.check(when)
                victim.installation.verify(when)
                state.require_same(expected, victim.lines(), when)
                self.stops += 1
            self.steps = max(self.steps, number - 1)

    @staticmethod
    def forget(sink):
        sink.taken.clear()
        sink.mails.clear()

    def all(self):
        base = self.fresh(self.bench.join("single"), 0)
        # The refused recipient makes the whole a failure, with its reason.
        self.sweep("send --wait", base, self.once, (1,))
        if not self.is_quick:
            self.sweep("run", self.fresh(self.bench.join("daemon"), 5), self.daemon, (0,))
        rig.progress("")
        require(self.uncertain > 0, "no stop left a mail uncertain")
        print(
            f"send: stopped {self.stops} times at durable steps of {len(self.kinds)} kinds, {self.uncertain} mails"
            " uncertain after them, all of them listed; every end state as undisturbed, verify clean")  # fmt: skip
        print("  " + " ".join(sorted(self.kinds)))


class Kills:
    """Random kills of the daemon. By turns the server leaves the Sent folder to us, files what it sends there by
    itself before it answers, as Gmail does, or a moment later, as Exchange does: which of them is not said."""

    def __init__(self, bench, kills, seed, mails, is_quick):
        """is_quick: so few kills that chance may miss the sending; every second one waits until mail has gone."""
        self.bench, self.kills, self.seed, self.mails, self.is_quick = bench, kills, seed, mails, is_quick
        self.random = random.Random(seed)
        self.killed = self.midway = self.outboxes = self.sent = self.uncertain = 0
        self.taken_uncertain = self.found = 0

    def kill(self, office, when):
        before = office.sink.mails.total()
        daemon = office.installation.start("run", errors=subprocess.DEVNULL)
        if self.is_quick and self.killed % 2:
            end = time.monotonic() + 60
            while office.sink.mails.total() == before and daemon.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
        else:
            # Sending begins about a third of a second after the start.
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(self.random.uniform(0.1, 0.9))
        daemon.send_signal(signal.SIGKILL)
        daemon.communicate()
        require(daemon.returncode == -signal.SIGKILL, f"{when} the daemon ended with {daemon.returncode}")
        self.killed += 1
        office.check(when)
        self.midway += office.sink.mails.total() > before

    def outbox(self):
        self.outboxes += 1
        files_itself = self.outboxes % 3 != 1
        self.bench.server.clear("Sent")
        keep = (lambda content: self.bench.server.deliver("Sent", [content])) if files_itself else None
        sink = Sink(self.random, (0, 0.01, 0.05, 0.1, 0.3), carefulness=0.4, keep=keep,
            keep_after=1 if self.outboxes % 3 == 0 else 0)  # fmt: skip
        office = Office.open(self.bench.join(f"outbox-{self.outboxes}"), self.mails, self.bench.server, sink)
        office.queue(range(self.mails))
        uncertain_before = set()
        for number in range(KILLS_AN_OUTBOX):
            waiting = office.rows("SELECT count(*) FROM outbox WHERE state IN ('queued', 'retry', 'sending')")[0][0]
            if self.killed >= self.kills or not waiting:
                break
            rig.progress(f"kill {self.killed + 1} of {self.kills}, {waiting} mails wait")
            self.kill(office, f"outbox {self.outboxes}, kill {number} (seed {self.seed}):")
            uncertain_before.update(
                name for (name,) in office.rows("SELECT message_id FROM outbox WHERE data_begun_at IS NOT NULL"))
        when = f"at the end of outbox {self.outboxes} (seed {self.seed}):"
        office.settle(when)
        office.check(when)
        left = {item["message_id"] for item in office.uncertain(when)}
        self.taken_uncertain += sum(sink.mails[name] for name in left)
        self.uncertain += len(left)
        self.found += len(uncertain_before - left)
        if files_itself:
            require(all(not sink.mails[name] for name in left), f"{when} a mail that is in Sent stays uncertain")
        office.resolve(when)
        office.settle(when)
        office.check(when)
        require(office.states() == {"sent": self.mails}, f"{when} not all is sent: {office.states()}")
        require(len(sink.mails) == self.mails, f"{when} {self.mails - len(sink.mails)} mails are lost")
        copies = office.copies()
        require(
            len(copies) == self.mails and set(copies.values()) == {1},
            f"{when} the Sent folder has {len(copies)} mails, {sum(copies.values())} with doubles")  # fmt: skip
        office.installation.succeed("sync")
        entries = office.rows(
            "SELECT c.external_id, count(*) FROM history h JOIN contacts c ON c.id = h.contact"
            " WHERE h.removed_at IS NULL GROUP BY c.id")  # fmt: skip
        require(
            len(entries) == self.mails and all(count == 1 for _, count in entries),
            f"{when} {len(entries)} histories have mail, {sum(count for _, count in entries)} entries")  # fmt: skip
        office.installation.verify(when)
        self.sent += self.mails
        sink.stop()

    def all(self):
        started = time.monotonic()
        while self.killed < self.kills:
            self.outbox()
        rig.progress("")
        require(self.midway or not self.is_quick and self.kills < 20, "no kill came in the midst of sending")
        print(
            f"send: {self.killed} kills ({self.midway} in the midst of sending) over {self.outboxes} outboxes of "
            f"{self.mails} mails; seed {self.seed}, {time.monotonic() - started:.0f} s")  # fmt: skip
        print(
            f"  0 lost, 0 twice; {self.uncertain} uncertain and listed ({self.taken_uncertain} of them had arrived), "
            f"{self.found} settled by the Sent folder; each of {self.sent} once in Sent and in its history")  # fmt: skip


def torture(bench):
    words = sys.argv[1:]
    is_quick = words[:1] == ["quick"]
    words = [] if is_quick else words
    seed = int(words[1]) if len(words) > 1 else int(os.environ.get("MAILWORKER_SEED") or random.randrange(1 << 31))
    bench.serve()
    Sweep(bench, is_quick).all()
    Kills(bench, 4 if is_quick else int(words[0]) if words else 500, seed, 40 if is_quick else MAILS, is_quick).all()


if __name__ == "__main__":
    rig.main(torture)
