"""power [quick] [WORK…]: cuts the power of each work. What is not synced is lost, all of it or by chance a part:
before every sync, and when the process has ended by itself, after which nothing may be missing of what it has said to
be done. quick: before some of the syncs."""

import os
import random
import shutil
import sys

import rig
import state
from disk_keeping import Backup, Erasure, NextBackup, Private, Restore
from disk_sending import Delivering, Queueing, Waiting
from disk_works import Import, Index, Init, Migration, Sync
from rig import Installation, compile_shim, require
from sweep import STOPPED, steps_of

WORKS = [Import, Sync, Backup, NextBackup, Restore, Erasure, Private, Index, Init, Migration, Queueing, Waiting, Delivering]
# Of the syncs of a work that has hundreds.
STEP = {"init": 5, "migration": 2}
# How often a part is lost by chance, before each sync.
CHANCES = 2


class Power:
    def __init__(self, bench, shim, work, chance):
        self.bench, self.shim, self.work, self.chance = bench, shim, work, chance
        self.lost = 0

    def cut(self, at, seed=None, more=None):
        """The installation as the cut has left it, the run, and whether the power failed at all."""
        victim = self.work.copy(self.bench.join("victim"))
        mark, store = self.bench.join("mark"), self.bench.join("store")
        if os.path.exists(mark):
            os.unlink(mark)
        os.makedirs(store, exist_ok=True)
        for name in os.listdir(store):
            os.unlink(os.path.join(store, name))
        more = {
            "LD_PRELOAD": self.shim, "CUT_BELOW": ":".join(self.work.below(victim)), "CUT_STORE": store,
            "CUT_AT": str(at), "CUT_MARK": mark, "FAULT_MARK": mark, **(more or {}),
        }  # fmt: skip
        if seed is not None:
            more["CUT_SEED"] = str(seed)
        run = self.work.run(victim, more)
        if not os.path.exists(mark):
            return victim, run, False
        with open(mark, encoding="utf-8") as file:
            self.lost += int(file.read())
        return victim, run, True

    def at_end(self):
        """What a run has said to be done is there without any other run."""
        victim, run, was_cut = self.cut("end")
        when = f"when the power was cut at the end of {self.work.name}"
        require(run.status == 0 and was_cut, f"{when} it ended with {run.status}: {run.errors}")
        self.work.check_end(victim, when)

    def before_sync(self, number, seed):
        """False when the run had no such sync any more."""
        victim, run, was_cut = self.cut(number, seed)
        when = f"when the power was cut before sync {number} of {self.work.name}"
        when += "" if seed is None else f", with a part lost by chance (seed {seed})"
        if not was_cut:
            require(run.status == 0, f"a run without a cut failed {when}: {run.errors}")
            return False
        require(run.crashed, f"{when} the run ended with {run.status}: {run.errors}")
        self.work.check_failed(victim, run, when)
        self.work.again(victim, when)
        self.work.check_end(victim, when)
        return True

    def after_steps(self, most):
        """What a durable step has made durable is there: a stop after it leaves the same with and without the cut."""
        number = 0
        while number != most:
            number += 1
            stop = {"MAILWORKER_STOP_AT": f"{number}:after"}
            twin = Installation(self.bench.join("twin"))
            shutil.rmtree(twin.home, ignore_errors=True)
            os.makedirs(twin.home)
            victim, run, was_cut = self.cut("end", more={**stop, "CUT_TWIN": twin.data})
            if run.status == 0:
                return number - 1
            when = f"when the power was cut after step {number} ({steps_of(run)[-1][1]}) of {self.work.name}"
            require(was_cut and run.status == STOPPED, f"{when} the run ended with {run.status}: {run.errors}")
            state.require_same(state.lines(twin), state.lines(victim), when)
            self.work.again(victim, when)
            self.work.check_end(victim, when)
        return number

    def all(self, is_quick):
        work = self.work
        undisturbed = work.copy(self.bench.join("undisturbed"))
        run = work.run(undisturbed)
        require(run.status == 0, f"the undisturbed {work.name} failed: {run.errors}")
        work.learn(undisturbed)
        self.at_end()
        cuts = steps = 0
        seeds = [None] + [self.chance.randrange(1 << 31) for _ in range(0 if is_quick else CHANCES)]
        for seed in seeds:
            number = 1
            while self.before_sync(number, seed if seed is None else seed + number):
                rig.progress(f"{work.name}: before sync {number}")
                cuts, number = cuts + 1, number + (7 if is_quick else STEP.get(work.name, 1))
        if work.name == "import":
            steps = self.after_steps(5 if is_quick else None)
        rig.progress("")
        require(cuts > 0, f"{work.name} syncs nothing")
        print(f"{work.name + ':':16} cut before {cuts:4} syncs, at the end"
              f"{f', after {steps} durable steps' if steps else ''}; {self.lost} changes lost", flush=True)
        return cuts + steps + 1


def torture(bench):
    words = sys.argv[1:]
    is_quick = words[:1] == ["quick"]
    words = words[1:] if is_quick else words
    # The works make their beginnings with the other shim.
    bench.shim = compile_shim(bench, "disk_faults")
    shim = compile_shim(bench, "power_cut")
    seed = random.randrange(1 << 31)
    total = 0
    for work in WORKS:
        if not words or work.name in words:
            total += Power(bench, shim, work(bench), random.Random(seed)).all(is_quick)
    print(f"power: {total} cuts (seed {seed}), nothing lost that was said to be done, every next run as undisturbed, "
          "verify clean")


if __name__ == "__main__":
    rig.main(torture)
