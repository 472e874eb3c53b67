"""disk [quick] [WORK…]: lets the k-th write, fsync, open, … of each work fail, for every k until a run has none
left; after each the program must have said so, what it left may not pass for more than it is, and the next run must
end as an undisturbed one. quick: few kinds of failures, at some of the calls."""

import os
import sys

import rig
from disk_daemon import Daemon
from disk_keeping import Backup, Erasure, NextBackup, Private, Restore
from disk_sending import Delivering, Queueing, Waiting
from disk_works import CLEAR, Import, Index, Init, Migration, Sync, Verify, keeps_log
from rig import compile_shim, require

ERRORS = {
    "pwrite": ["ENOSPC", "EIO", "EDQUOT", "SHORT", "KILL", "TORN"],
    "write": ["ENOSPC", "EIO"],
    "pread": ["EIO"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT", "KILL"],
    "fdatasync": ["EIO", "ENOSPC", "EDQUOT", "KILL"],
    "open": ["EMFILE", "EIO", "ENOSPC", "KILL"],
    "ftruncate": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC", "KILL"],
    "mkdir": ["ENOSPC", "KILL"],
    "unlink": ["EIO", "KILL"],
}
LASTING = {("pwrite", "ENOSPC"), ("open", "EMFILE")}
# Of many calls some, of few calls all.
QUICK = [("pread", "EIO", 97), ("pwrite", "ENOSPC", 47), ("fdatasync", "EIO", 11), ("open", "EMFILE", 47), ("fsync", "EIO", 1),
         ("rename", "EIO", 1), ("unlink", "EIO", 1)]  # fmt: skip
WORKS = [Import, Sync, Backup, NextBackup, Restore, Erasure, Private, Verify, Index, Init, Migration]
WORKS += [Queueing, Waiting, Delivering]


class Disk:
    def __init__(self, bench, shim, work):
        self.bench, self.shim, self.work = bench, shim, work

    def inject(self, call, kind, number, lasts):
        """One case; false when the run had no such call any more."""
        work = self.work
        victim = work.copy(self.bench.join("victim"))
        mark = self.bench.join("mark")
        if os.path.exists(mark):
            os.unlink(mark)
        more = {
            "LD_PRELOAD": self.shim, "FAULT_BELOW": ":".join(work.below(victim)), "FAULT_CALL": call,
            "FAULT_KIND": kind, "FAULT_AT": str(number), "FAULT_MARK": mark,
        }  # fmt: skip
        if lasts:
            more["FAULT_LASTS"] = "1"
        run = work.run(victim, more)
        when = f"after {kind} at {call} {number}{' and all later ones' if lasts else ''} of {work.name}"
        if not os.path.exists(mark):
            require(run.status == 0, f"a run without an injection failed {when}: {run.errors}")
            return False
        if kind in ("KILL", "TORN"):
            require(run.status == -9, f"{when} the run was not killed: {run.status}")
            work.check_failed(victim, run, when)
        elif run.status == 0:
            # Only at the very end, when the log is kept for the next start.
            is_early = call in ("fsync", "fdatasync") and not keeps_log(victim)
            require(not is_early or work.may_go_on, f"{when} the process went on")
            work.check_whole(victim, f"although the run said so, {when}")
        else:
            require(not run.crashed, f"{when} the program crashed with signal {-run.status}: {run.errors[-2000:]}")
            require(run.status in CLEAR, f"{when} the run ended with {run.status}: {run.errors}")
            require((run.errors + run.output).strip(), f"{when} the program said nothing")
            work.check_failed(victim, run, when)
        work.again(victim, when)
        work.check_end(victim, when)
        return True

    def all(self, wanted):
        undisturbed = self.work.copy(self.bench.join("undisturbed"))
        run = self.work.run(undisturbed)
        require(run.status == 0, f"the undisturbed {self.work.name} failed: {run.errors}")
        self.work.learn(undisturbed)
        print(f"{self.work.name}:", flush=True)
        total = 0
        for call, kind, lasts, step in wanted:
            number = done = 0
            while self.inject(call, kind, number + 1, lasts):
                rig.progress(f"{self.work.name}: {kind} at {call} {number + 1}")
                number, done = number + step, done + 1
            rig.progress("")
            if done:
                print(f"  {kind + (' from there on' if lasts else ''):22} at {done:4} calls of {call}", flush=True)
            total += done
        return total


def torture(bench):
    words = sys.argv[1:]
    is_quick = words[:1] == ["quick"]
    kinds = [(call, kind, False) for call, kinds in ERRORS.items() for kind in kinds]
    kinds += [(call, kind, True) for call, kind in sorted(LASTING)]
    words = words[1:] if is_quick else words
    works = [work for work in WORKS if not words or work.name in words]
    shim = bench.shim = compile_shim(bench, "disk_faults")
    if not words or "daemon" in words:
        Daemon(bench, shim).all(most=3 if is_quick else None)
    total = 0
    for work in works:
        wanted = [(call, kind, lasts, work.step if call in ("pwrite", "pread") else 1) for call, kind, lasts in kinds]
        if is_quick:
            wanted = [(call, kind, False, step) for call, kind, step in work.quick or QUICK]
        total += Disk(bench, shim, work(bench)).all(wanted)
    print(f"disk: {total} injections, each named or harmless, every next run as undisturbed, verify clean")


if __name__ == "__main__":
    rig.main(torture)
