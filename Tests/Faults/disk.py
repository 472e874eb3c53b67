"""disk [quick]: lets the k-th write, fsync, open, … below the archive fail, for every k until a
run has none left; after each the program must have said so, and the next run must end as
an undisturbed one."""

import os
import subprocess
import sys

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
            log = os.path.join(victim.data, "mailworker.db-wal")
            require(
                call not in ("fsync", "fdatasync") or os.path.getsize(log) > 0, f"{when} the process went on")
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


def torture(bench):
    if "quick" in sys.argv[1:]:
        wanted = [(call, kind, False) for call, kind in QUICK]
    else:
        wanted = [(call, kind, False) for call, kinds in ERRORS.items() for kind in kinds]
        wanted += [(call, kind, True) for call, kind in sorted(LASTING)]
    Disk(bench).all(wanted)


if __name__ == "__main__":
    rig.main(torture)
