"""What is run on a disk that fails: part of disk.py. Each work has an installation at its beginning and a command;
the command's failed call may cost nothing that the next run does not make good."""

import os
import shutil
import sqlite3

import rig
import state
from rig import Installation, require
from scripted_server import ScriptedServer

CONTACTS = 3
# Errors of the program that a person or a script can act on; 78 is a database that cannot be opened.
CLEAR = {1, 69, 75, 78}


def keeps_log(installation):
    log = os.path.join(installation.data, "mailworker.db-wal")
    return os.path.exists(log) and os.path.getsize(log) > 0


class Work:
    """One command. `prepare` makes `self.base`; the rest is for those that do more than file mail."""

    # At every so many-th write; each one unless there are hundreds that are alike.
    step = 1
    # What the quick form tries: call, kind, and at every so many-th of the calls; None: what it tries of most.
    quick = None
    # Whether a failed fsync may be passed over, since nothing that is kept stands on it.
    may_go_on = False

    def __init__(self, bench):
        self.bench = bench
        self.prepare()

    def install(self, sizes):
        """An installation with mail of these sizes in it, of contacts and of a stranger, and in the index."""
        mail = self.bench.join("mail-of-" + self.name.replace(" ", "-"))
        os.makedirs(mail)
        for number, size in enumerate(sizes):
            with open(os.path.join(mail, f"{number}.eml"), "wb") as file:
                file.write(rig.message(number, CONTACTS, size=size))
        installation = Installation(self.bench.join("base-of-" + self.name.replace(" ", "-"))).set_up(CONTACTS)
        # Every run makes the same calls.
        installation.configure("commit_messages", 1)
        if sizes:
            installation.succeed("import", mail)
            installation.succeed("search", "message")
        return installation

    def below(self, victim):
        """Where calls fail."""
        return [victim.data]

    def copy(self, home):
        return self.base.copy(home)

    def learn(self, undisturbed):
        """What the undisturbed run has left."""
        self.expected = state.lines(undisturbed)

    def check_whole(self, victim, when):
        """All that the command is for has been done."""
        state.require_same(self.expected, state.lines(victim), when)

    def check_failed(self, victim, run, when):
        """What a run that said so has left, or one that was killed."""

    def again(self, victim, when):
        """What a person does next, by whom the failure was read."""
        run = self.run(victim)
        require(run.status == 0, f"{when} the next run failed: {run.errors}")

    def check_end(self, victim, when):
        self.check_whole(victim, when)
        victim.verify(when)


class Import(Work):
    name = "import"

    def prepare(self):
        self.mail = self.bench.join("mail")
        os.makedirs(self.mail)
        for number in range(3):
            with open(os.path.join(self.mail, f"{number}.eml"), "wb") as file:
                file.write(rig.message(number, CONTACTS, size=550_000 if number < 2 else 3_000))
        self.base = self.install([])
        # An archive at work: the next import opens what is there.
        self.base.succeed("import", os.path.join(self.mail, "0.eml"))

    def run(self, victim, more=None):
        return victim.run("import", "--json", self.mail, more=more)


class Sync(Work):
    """Two folders of which one has lost mail, with one message that is large."""

    name = "sync"

    def prepare(self):
        server = ScriptedServer("IMAP4rev1 ENABLE CONDSTORE QRESYNC", ["INBOX", "Sent"])
        inbox = server.folders["INBOX"]
        inbox.deliver(*(rig.message(number, CONTACTS) for number in range(3)))
        self.base = self.install([])
        self.base.add_account("plain", server.port)
        self.base.shorten_timeout()
        self.base.succeed("sync")
        inbox.hide(2)
        inbox.deliver(rig.message(10, CONTACTS, size=600_000), *(rig.message(number, CONTACTS) for number in (11, 12)))
        server.folders["Sent"].deliver(rig.message(13, CONTACTS))

    def run(self, victim, more=None):
        return victim.run("sync", "--json", more=more)


class Index(Work):
    """All originals are read, and their words kept anew."""

    name = "index"
    step = 5

    def prepare(self):
        self.base = self.install([1_100_000, 3_000, 3_000])

    def run(self, victim, more=None):
        return victim.run("search", "--rebuild", more=more)


class Init(Work):
    """Configuration, key and empty archive, where there is nothing."""

    name = "init"
    step = 23
    # The journal with which an empty database becomes one with a log; it is removed at once.
    may_go_on = True

    def prepare(self):
        self.base = Installation(self.bench.join("base-of-init"))
        os.makedirs(self.base.home)

    def below(self, victim):
        return [victim.home]

    def run(self, victim, more=None):
        return victim.run("init", more=more)

    def check_end(self, victim, when):
        self.check_whole(victim, when)
        # The key that is there opens what is sealed.
        victim.add_account("plain", 143)
        victim.verify(when)


class Migration(Work):
    """Of an archive as an earlier version wrote it, by the first command that opens it."""

    name = "migration"
    step = 5
    # The directory, when the migration is done and its log copied; what comes after it only reads.
    may_go_on = True

    def prepare(self):
        self.base = self.install([])
        stored = os.path.join(rig.ROOT, "Fixtures/archive/schema-12")
        path = os.path.join(self.base.data, "mailworker.db")
        for name in os.listdir(self.base.data):
            if name.startswith("mailworker.db"):
                os.unlink(os.path.join(self.base.data, name))
        with open(os.path.join(stored, "mailworker.sql"), encoding="utf-8") as file:
            database = sqlite3.connect(path)
            database.executescript(file.read())
            database.close()
        for name in os.listdir(stored):
            if name.endswith(".mwp"):
                shutil.copy(os.path.join(stored, name), os.path.join(self.base.data, "originals"))

    def run(self, victim, more=None):
        return victim.run("contact", "list", more=more)


class Verify(Work):
    """It must not call whole what it could not look at, and changes nothing."""

    name = "verify"
    # It writes nothing.
    may_go_on = True

    def prepare(self):
        self.base = self.install([1_100_000, 3_000, 3_000])

    def run(self, victim, more=None):
        return victim.run("verify", more=more)

    def check_failed(self, victim, run, when):
        state.require_same(self.expected, state.lines(victim), f"of a verification {when}")
