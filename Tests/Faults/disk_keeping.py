"""Backup, restore and erasure on a disk that fails: part of disk.py."""

import os
import shutil

import rig
import state
from disk_works import CONTACTS, Work
from rig import Installation, require

# What only the mail of the one who is erased says.
ERASED = [b"Line of message 0,", b"contact0@client.example"]


def is_there(installation):
    """Whether there is an archive, or what passes for one."""
    return os.path.exists(os.path.join(installation.data, "mailworker.db"))


def holders(directory, words):
    """The files below a directory in which one of these words stands."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            found += [f"{word.decode()} in {name}" for word in words if word in data]
    return found


class Backup(Work):
    """The first one into a directory."""

    name = "backup"

    def prepare(self):
        self.base = self.install([1_100_000, 3_000, 3_000, 3_000])
        self.before = [None]

    def target(self, victim):
        return os.path.join(victim.home, "backup")

    def below(self, victim):
        return [victim.data, self.target(victim)]

    def run(self, victim, more=None):
        return victim.run("backup", "--json", self.target(victim), more=more)

    def restored(self, victim, when):
        """What a restore makes of the backup; None when it says that there is none."""
        home = self.bench.join("restored")
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        shutil.copy(victim.config, home)
        other = Installation(home)
        run = other.run("restore", self.target(victim))
        if run.status != 0:
            require(run.status == 64 and "no complete backup" in run.errors, f"{when} the restore failed: {run.errors}")
            require(not is_there(other), f"{when} there is an archive of no backup")
            return None
        other.verify(f"of what was restored {when}")
        return state.lines(other)

    def learn(self, undisturbed):
        super().learn(undisturbed)
        require(self.restored(undisturbed, "undisturbed") == self.expected, "the undisturbed backup is not the archive")

    def check_whole(self, victim, when):
        super().check_whole(victim, when)
        state.require_same(self.expected, self.restored(victim, when) or [], f"in the backup {when}")

    def check_failed(self, victim, run, when):
        state.require_same(self.expected, state.lines(victim), f"of which the backup failed {when}")
        found = self.restored(victim, when)
        require(found == self.expected or found in self.before, f"{when} a backup of no moment is taken for whole")

    def check_end(self, victim, when):
        super().check_end(victim, when)
        names = sorted(os.listdir(self.target(victim)))
        require(
            len(names) == 4 and names[0].endswith(".db")
            and names[1:] == ["manifest.json", "manifest.json.copy", "originals"],
            f"{when} the backup holds {names}")  # fmt: skip


class NextBackup(Backup):
    """A later one into the same directory, when mail has come and somebody was erased."""

    name = "next backup"

    def prepare(self):
        super().prepare()
        self.base.succeed("backup", self.target(self.base))
        self.before = [self.restored(self.base, "before")]
        self.base.succeed("contact", "erase", "c0", "--yes")
        late = self.bench.join("late.eml")
        with open(late, "wb") as file:
            file.write(rig.message(7, CONTACTS, size=3_000))
        self.base.succeed("import", late)

    def check_whole(self, victim, when):
        super().check_whole(victim, when)
        found = holders(self.target(victim), ERASED)
        require(not found, f"{when} the backup has not forgotten {found}")


class Restore(Work):
    name = "restore"

    def prepare(self):
        self.base = self.install([1_100_000, 3_000, 3_000, 3_000])
        self.base.succeed("backup", os.path.join(self.base.home, "backup"))
        shutil.rmtree(self.base.data)

    def below(self, victim):
        return [victim.home]

    def run(self, victim, more=None):
        return victim.run("restore", "--json", os.path.join(victim.home, "backup"), more=more)

    def check_failed(self, victim, run, when):
        if run.crashed and is_there(victim):
            # It was in its place, and only the word about it was lost.
            return self.check_whole(victim, when)
        if run.status == 1 and is_there(victim):
            # What could not be read when it was looked through is named; the restored archive has it.
            require('"findings"' in run.output or run.errors.strip(), f"{when} nothing is named: {run.output}")
            return self.check_whole(victim, when)
        require(not is_there(victim), f"{when} it looks as if it had been restored")
        require(run.crashed or not os.path.exists(victim.data), f"{when} something of it is left")

    def again(self, victim, when):
        if not is_there(victim):
            super().again(victim, when)

    def check_end(self, victim, when):
        super().check_end(victim, when)
        half = os.path.join(victim.data, ".restoring")
        # Whoever dies when all is done may leave the empty folder, and the mark in it.
        left = set(os.listdir(half)) if os.path.exists(half) else set()
        require(left <= {"complete"}, f"{when} {left} of the half-made archive is still there")


class Erasure(Work):
    """Of a person with mail in packs, rows, search index and log."""

    name = "contact erase"
    step = 7

    def prepare(self):
        self.base = self.install([1_100_000, 3_000, 3_000, 3_000])
        # Another copy of their mail came, and the process was killed in the midst of a write: no row speaks of it.
        copy = self.bench.join("copy-of-" + self.name.replace(" ", "-") + ".eml")
        with open(copy, "wb") as file:
            file.write(b"Received: by relay.example\r\n" + rig.message(0, CONTACTS, size=20_000))
        killed = self.base.run("import", copy, more={
            "LD_PRELOAD": self.bench.shim, "FAULT_BELOW": os.path.join(self.base.data, "originals"),
            "FAULT_CALL": "pwrite", "FAULT_KIND": "TORN", "FAULT_AT": "1"})  # fmt: skip
        require(killed.status == -9, f"the import was not killed: {killed.errors}")

    def run(self, victim, more=None):
        return victim.run("contact", "erase", "c0", "--yes", "--json", more=more)

    def is_done(self, victim):
        """Whether the rows are gone, which the originals follow."""
        with state.Snapshot(victim.data) as snapshot:
            return not snapshot.rows("SELECT 1 FROM contacts WHERE external_id = 'c0'")

    def check_whole(self, victim, when):
        super().check_whole(victim, when)
        found = holders(victim.data, ERASED)
        require(not found, f"{when} there is still {found}")

    def check_failed(self, victim, run, when):
        if self.is_done(victim):
            require(run.crashed or "next command" in run.errors, f"{when} nobody says what remains: {run.errors}")

    def again(self, victim, when):
        # Any command ends what was begun.
        victim.succeed("contact", "list")
        if not self.is_done(victim):
            super().again(victim, when)


class Private(Erasure):
    """Of one message."""

    name = "message private"

    def prepare(self):
        super().prepare()
        with state.Snapshot(self.base.data) as snapshot:
            self.message = str(snapshot.rows("SELECT id FROM messages WHERE message_id LIKE '%m0@%'")[0][0])

    def run(self, victim, more=None):
        return victim.run("message", "private", self.message, "--yes", more=more)

    def is_done(self, victim):
        with state.Snapshot(victim.data) as snapshot:
            return not snapshot.rows("SELECT 1 FROM messages WHERE id = ? AND erased_at IS NULL", int(self.message))

    def check_whole(self, victim, when):
        Work.check_whole(self, victim, when)
        # The contact itself stays.
        found = holders(victim.data, ERASED[:1])
        require(not found, f"{when} there is still {found}")
