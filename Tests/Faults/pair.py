"""pair [KILLS [SEED]]: two processes work on one archive at the same time, and one of them, by chance, is killed (kill -9) at a
random moment. The other must end as if it had been alone. Nothing may be gone or stand twice; then both are run again,
and the archive must be as after two undisturbed runs, and so must a backup of it. The same seed gives the same pairs,
victims and moments."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import rig
import state
from rig import Installation, require

CONTACTS = 5
# Mail of each kind: in the archive at first, in each of two folders of files (of which some lie in both), on the server.
KNOWN, FILES, SHARED, SERVED = 20, 60, 15, 60
PAIRS = [
    ("import", "sync"), ("import", "backup"), ("sync", "backup"), ("import", "other import"), ("import", "rebuild"),
    ("sync", "verify"), ("sync", "sync"), ("backup", "rebuild"),
]  # fmt: skip


class Pair:
    def __init__(self, bench, kills, seed):
        self.bench, self.kills, self.seed = bench, kills, seed
        self.random = random.Random(seed)
        self.server = bench.serve()
        self.first, self.second = (self.write(name, count) for name, count in (
            ("first", range(100, 100 + FILES)), ("second", range(100 + FILES - SHARED, 100 + 2 * FILES))))  # fmt: skip
        self.server.deliver("INBOX", [self.message(number) for number in range(300, 300 + SERVED)])
        self.base = Installation(bench.join("base")).set_up(CONTACTS, self.server.port, self.server.authority)
        self.base.succeed("import", self.write("known", range(KNOWN)))
        self.base.succeed("search", "message")
        self.seconds, self.expected = {}, {}
        self.midway = 0

    def message(self, number):
        return rig.message(number, CONTACTS, size=500 + 7919 * number % 30_000)

    def write(self, name, numbers):
        path = self.bench.join(name)
        os.makedirs(path)
        for number in numbers:
            with open(os.path.join(path, f"{number}.eml"), "wb") as file:
                file.write(self.message(number))
        return path

    def words(self, work, at):
        return {
            "import": ["import", self.first], "other import": ["import", self.second],
            "sync": ["sync", "--account", rig.USER], "backup": ["backup", os.path.join(at.home, "backup")],
            "rebuild": ["search", "--rebuild"], "verify": ["verify"],
        }[work]  # fmt: skip

    def again(self, work, at, when):
        run = at.run(*self.words(work, at), limit=300)
        require(run.status == 0, f"{when} {work} ended with {run.status}: {run.errors}{run.output[-500:]}")
        return run

    def learn(self, pair):
        """What two runs one after the other make of the archive, and how long each takes."""
        if pair in self.expected:
            return
        at = self.base.copy(self.bench.join("undisturbed"))
        for work in pair:
            self.seconds[work] = self.again(work, at, "undisturbed").seconds
        at.succeed("search", "message")
        self.expected[pair] = state.lines(at)

    def check_now(self, at, when):
        """Right after the kill, before any other process has opened the archive."""
        with state.Snapshot(at.data) as snapshot:
            snapshot.check_originals()
            snapshot.check_doubles()
            snapshot.check_indexes()
            known = {line for line in self.known if line.startswith("ledger ")}
            lost = known - {line for line in snapshot.lines() if line.startswith("ledger ")}
            require(not lost, f"{when} rows of the ledger are gone: {sorted(lost)[:3]}")
            return len(snapshot.rows("SELECT 1 FROM messages"))

    def check_backup(self, at, when, is_whole):
        """A killed backup is the one before, of which there is none here, or a whole one."""
        home = self.bench.join("restored")
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        shutil.copy(at.config, home)
        restored = Installation(home)
        run = restored.run("restore", os.path.join(at.home, "backup"))
        if run.status == 64 and not is_whole:
            require("no complete backup" in run.errors, f"{when} restore says {run.errors}")
            return
        require(run.status == 0, f"{when} the restore ended with {run.status}: {run.errors}{run.output}")
        if is_whole:
            restored.succeed("search", "message")
            state.require_same(state.lines(at), state.lines(restored), f"in the backup {when}")

    def round(self, number):
        pair = PAIRS[(number + self.seed) % len(PAIRS)]
        self.learn(pair)
        at = self.base.copy(self.bench.join("archive"))
        self.known = state.lines(at)
        killed, other = self.random.sample(range(2), 2)
        moment = self.random.uniform(0, 1.1) * self.seconds[pair[killed]]
        when = f"in round {number} (seed {self.seed}), {pair[killed]} killed beside {pair[other]}:"
        rig.progress(f"kill {number + 1} of {self.kills}: {pair[killed]} beside {pair[other]}")
        both = [at.start(*self.words(work, at)) for work in pair]
        try:
            both[killed].wait(moment)
        except subprocess.TimeoutExpired:
            both[killed].send_signal(signal.SIGKILL)
        _, errors = both[killed].communicate()
        require(
            both[killed].returncode in self.allowed(pair, killed) | {-9},
            f"{when} it ended with {both[killed].returncode}: {errors.decode()}")
        self.check_survivor(pair, other, both[other], when)
        self.midway += self.check_now(at, when) > KNOWN and both[killed].returncode == -9
        if "backup" in pair:
            self.check_backup(at, when, False)
        at.verify(when)
        for work in pair:
            self.again(work, at, f"{when} the next")
        at.succeed("search", "message")
        state.require_same(self.expected[pair], state.lines(at), when)
        at.verify(f"at the end {when}")
        if "backup" in pair:
            self.again("backup", at, f"{when} the last")
            self.check_backup(at, when, True)
        return both[killed].returncode == -9

    def allowed(self, pair, index):
        """How a process may end by itself: an account is one process's at a time, and the other is refused."""
        return {0, 1, 75} if pair[index] == "sync" and pair.count("sync") == 2 else {0}

    def check_survivor(self, pair, index, process, when):
        output, errors = process.communicate(timeout=300)
        require(process.returncode in self.allowed(pair, index), f"{when} the other ended with {process.returncode}: {errors.decode()}{output.decode()}")

    def all(self):
        started, kills, number = time.monotonic(), 0, 0
        while kills < self.kills:
            kills += self.round(number)
            number += 1
        rig.progress("")
        print(f"pair: {kills} kills of one of two processes ({self.midway} in the midst of filing), {number} rounds, "
              f"{len(self.expected)} pairs (seed {self.seed}, {time.monotonic() - started:.0f} s)")
        print("  0 lost, 0 doubled, every other process ended well, every next run as undisturbed, verify clean")


def torture(bench):
    words = sys.argv[1:]
    kills = int(words[0]) if words else 50
    seed = int(words[1]) if len(words) > 1 else int(os.environ.get("MAILWORKER_SEED") or random.randrange(1 << 31))
    Pair(bench, kills, seed).all()


if __name__ == "__main__":
    rig.main(torture)
