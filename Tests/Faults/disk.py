"""disk [quick]: lets the k-th write, fsync, open, … below the archive fail, for every k until a
run has none left; after each the program must have said so, and the next run must end as
an undisturbed one."""

import os
import signal
import subprocess
import sys
import time

import rig
import state
from rig import ROOT, Installation, require

CONTACTS = 3
# Errors of the program that a person or a script can act on; 78 is a database that cannot be opened.
CLEAR = {1, 69, 75, 78}
ERRORS = {
    "pwrite": ["ENOSPC", "EIO", "EDQUOT", "SHORT", "KILL", "TORN"],
    "write": ["ENOSPC", "EIO"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT", "KILL"],
    "fdatasync": ["EIO", "ENOSPC", "EDQUOT", "KILL"],
    "open": ["EMFILE", "EIO", "ENOSPC", "KILL"],
    "ftruncate": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC"],
}
LASTING = {("pwrite", "ENOSPC"), ("open", "EMFILE")}
QUICK = [("pwrite", "ENOSPC"), ("fdatasync", "EIO"), ("open", "EMFILE")]


def compile_shim(bench):
    shim = bench.join("disk_faults.so")
    source = os.path.join(ROOT, "Tests/Faults/disk_faults.c")
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    return shim


def keeps_log(installation):
    log = os.path.join(installation.data, "mailworker.db-wal")
    return os.path.exists(log) and os.path.getsize(log) > 0


class Disk:
    def __init__(self, bench):
        self.bench = bench
        self.shim = compile_shim(bench)
        self.mail = bench.join("mail")
        os.makedirs(self.mail)
        for number in range(3):
            with open(os.path.join(self.mail, f"{number}.eml"), "wb") as file:
                file.write(rig.message(number, CONTACTS, size=550_000 if number < 2 else 3_000))
        self.base = Installation(bench.join("base")).set_up(CONTACTS)
        # Every run makes the same calls.
        self.base.configure("commit_messages", 1)
        # An archive at work: the next import opens what is there.
        self.base.succeed("import", os.path.join(self.mail, "0.eml"))
        self.expected = None

    def run(self, installation, more=None):
        return installation.run("import", "--json", self.mail, more=more)

    def inject(self, call, kind, number, lasts):
        """One case; false when the run had no such call any more."""
        victim = self.base.copy(self.bench.join("victim"))
        mark = self.bench.join("mark")
        if os.path.exists(mark):
            os.unlink(mark)
        more = {
            "LD_PRELOAD": self.shim, "FAULT_BELOW": victim.data, "FAULT_CALL": call, "FAULT_KIND": kind,
            "FAULT_AT": str(number), "FAULT_MARK": mark,
        }  # fmt: skip
        if lasts:
            more["FAULT_LASTS"] = "1"
        run = self.run(victim, more)
        when = f"after {kind} at {call} {number}{' and all later ones' if lasts else ''}"
        if not os.path.exists(mark):
            require(run.status == 0, f"a run without an injection failed {when}: {run.errors}")
            return False
        if kind in ("KILL", "TORN"):
            require(run.status == -9, f"{when} the run was not killed: {run.status}")
        elif run.status == 0:
            # Only at the very end, when the log is kept for the next start.
            require(call not in ("fsync", "fdatasync") or keeps_log(victim), f"{when} the process went on")
            state.require_same(self.expected, state.lines(victim), f"although the run said so, {when}")
        else:
            require(not run.crashed, f"{when} the program crashed with signal {-run.status}: {run.errors[-2000:]}")
            require(run.status in CLEAR, f"{when} the run ended with {run.status}: {run.errors}")
            require(run.errors.strip(), f"{when} the program said nothing")
        again = self.run(victim)
        require(again.status == 0, f"{when} the next run failed: {again.errors}")
        state.require_same(self.expected, state.lines(victim), when)
        victim.verify(when)
        return True

    def all(self, wanted):
        undisturbed = self.base.copy(self.bench.join("undisturbed"))
        run = self.run(undisturbed)
        require(run.status == 0, f"the undisturbed run failed: {run.errors}")
        self.expected = state.lines(undisturbed)
        total = 0
        for call, kind, lasts in wanted:
            number = 1
            while self.inject(call, kind, number, lasts):
                rig.progress(f"{kind} at {call} {number}")
                number += 1
            rig.progress("")
            print(f"{kind + (' from there on' if lasts else ''):22} at each of {number - 1:4} calls of {call}", flush=True)
            total += number - 1
        print(f"disk: {total} injections, each named or harmless, every next run as undisturbed, verify clean")


class Daemon:
    """The daemon ends when an fsync fails, so that its service manager starts a new one."""

    def __init__(self, bench, shim):
        self.bench, self.shim = bench, shim
        server = bench.serve()
        server.clear("Sent")
        server.deliver("INBOX", [rig.message(number, CONTACTS) for number in range(8)])
        self.base = Installation(bench.join("daemon")).set_up(CONTACTS, server.port, server.authority)

    def polls(self, installation):
        """Runs until the account was polled, or until it ends by itself."""
        log = self.bench.join("daemon.log")
        with open(log, "wb") as file:
            victim = installation.start("run", more=self.more, errors=file)
        for _ in range(200):
            time.sleep(0.1)
            if victim.poll() is not None:
                break
            with open(log, encoding="utf-8") as file:
                # Before that it does not hear a signal.
                if "polling" not in file.read():
                    continue
            with state.Snapshot(installation.data) as snapshot:
                if snapshot.rows("SELECT 1 FROM accounts WHERE last_attempt IS NOT NULL") and not self.was_hit():
                    break
        else:
            victim.kill()
            victim.wait()
            require(False, f"the daemon neither polled nor ended: {self.more}")
        if victim.poll() is None:
            victim.send_signal(signal.SIGTERM)
        victim.wait(timeout=30)
        with open(log, encoding="utf-8") as file:
            return victim.returncode, file.read()

    def was_hit(self):
        return os.path.exists(self.mark)

    def all(self, most=None):
        """most: of the calls, the first ones; all when it is None."""
        self.mark = self.bench.join("daemon-mark")
        number, expected = 0, None
        self.more = {}
        undisturbed = self.base.copy(self.bench.join("undisturbed"))
        require(self.polls(undisturbed)[0] == 0, "the undisturbed daemon failed")
        expected = state.lines(undisturbed)
        while True:
            number += 1
            victim = self.base.copy(self.bench.join("victim"))
            self.more = {
                "LD_PRELOAD": self.shim, "FAULT_BELOW": victim.data, "FAULT_CALL": "fdatasync",
                "FAULT_KIND": "EIO", "FAULT_AT": str(number), "FAULT_MARK": self.mark,
            }  # fmt: skip
            status, errors = self.polls(victim)
            if not self.was_hit():
                require(most is None, f"the daemon met only {number - 1} syncs")
                break
            when = f"after EIO at fdatasync {number} of the daemon"
            if status == 0:
                # The copying of the log when the database is closed: the log is kept.
                require(keeps_log(victim), f"{when} it went on")
            else:
                require(status == 69 and "Check the disk" in errors, f"{when} it ended with {status}: {errors}")
            self.more = {}
            os.unlink(self.mark)
            status, errors = self.polls(victim)
            require(status == 0, f"{when} the next daemon ended with {status}: {errors}")
            state.require_same(expected, state.lines(victim), when)
            victim.verify(when)
            if number == most:
                number += 1
                break
        require(number > (most or 5), f"the daemon met only {number - 1} syncs")
        print(f"{'EIO, of the daemon':22} at each of {number - 1:4} calls of fdatasync: it ended, and the next one went on")


def torture(bench):
    is_quick = "quick" in sys.argv[1:]
    if is_quick:
        wanted = [(call, kind, False) for call, kind in QUICK]
    else:
        wanted = [(call, kind, False) for call, kinds in ERRORS.items() for kind in kinds]
        wanted += [(call, kind, True) for call, kind in sorted(LASTING)]
    disk = Disk(bench)
    Daemon(bench, disk.shim).all(most=3 if is_quick else None)
    disk.all(wanted)


if __name__ == "__main__":
    rig.main(torture)
