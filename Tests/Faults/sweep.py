"""sweep [quick]: stops the program before and after every durable step of a sync (quick: of an
import, without a server), runs it again, and requires the archive of an undisturbed run."""

import collections
import os
import re
import sys

import rig
import state
from rig import Installation, Violation, require

STOPPED = 70
CONTACTS = 5


def steps_of(run):
    return re.findall(r"durable step (\d+): (\S+)", run.errors)


def require_same_steps(expected, found, when):
    """Two undisturbed runs have the same steps, whatever their order."""
    wanted, had = (collections.Counter(name for _, name in steps) for steps in (expected, found))
    require(wanted == had, f"{when}: {dict(wanted - had)} was missing, {dict(had - wanted)} too many")


class Import:
    """Messages out of files. Large ones, so that few of them fill a pack; one in each
    group, so that every run has the same steps."""

    name = "import"

    def __init__(self, bench):
        self.mail = bench.join("mail")
        os.makedirs(self.mail)
        for number in range(4):
            with open(os.path.join(self.mail, f"{number:03d}.eml"), "wb") as file:
                file.write(rig.message(number, CONTACTS, size=600_000))
        # A second copy that came another way.
        with open(os.path.join(self.mail, "copy.eml"), "wb") as file:
            file.write(b"Received: from elsewhere\r\n" + rig.message(1, CONTACTS, size=600_000))

    def install(self, home):
        installation = Installation(home).set_up(CONTACTS)
        installation.configure("commit_messages", 1)
        return installation

    def prepare(self, installation):
        pass

    def run(self, installation, more=None):
        return installation.run("import", "--json", self.mail, more=more)


class Sync:
    """A sync of a mailbox that an earlier one knows already: new mail, removed mail, moved
    mail, mail that is too large, and a folder that was never seen."""

    name = "sync"

    def __init__(self, bench):
        self.server = bench.serve()
        self.server.clear("Archive")
        self.server.clear("Sent")
        self.server.deliver("INBOX", [rig.message(number, CONTACTS) for number in range(20)])
        self.server.deliver("Sent", [rig.message(number, CONTACTS) for number in range(100, 104)])

    def install(self, home):
        installation = Installation(home).set_up(
            CONTACTS, self.server.port, self.server.authority, folders=["Archive"])
        installation.configure("message_megabytes", 1)
        return installation

    def prepare(self, installation):
        run = self.run(installation)
        require(run.status == 0, f"the first sync failed: {run.errors}")
        files = self.server.files("INBOX")
        for file in files[:3]:
            self.server.remove(file)
        # A group of its own: copies need no original, so a mixed group would have other steps.
        for file in files[3:7]:
            self.server.move(file, "Archive")
        # Whole chunks of 32 for the parser, whole groups of 4: every run has the same steps.
        self.server.deliver("INBOX", [rig.message(number, CONTACTS, size=7000) for number in range(200, 296)])
        self.server.deliver("INBOX", [rig.message(300, CONTACTS, size=1_200_000)])
        self.server.deliver("Sent", [rig.message(number, CONTACTS, size=7000) for number in range(400, 464)])

    def run(self, installation, more=None):
        return installation.run("sync", "--json", more=more)


def sweep(bench, kind):
    work = kind(bench)
    base = work.install(bench.join("base"))
    work.prepare(base)
    undisturbed = base.copy(bench.join("undisturbed"))
    run = work.run(undisturbed, {"MAILWORKER_STOP_AT": "never"})
    require(run.status == 0, f"the undisturbed run failed: {run.errors}")
    steps = steps_of(run)
    expected = state.lines(undisturbed)
    kinds = sorted({name for _, name in steps})
    require(len(steps) > 20, f"only {len(steps)} durable steps were counted")
    require(state.packs(undisturbed) > state.packs(base), "no pack was filled")

    stops = {"before": 0, "after": 0}
    for side in stops:
        number = 0
        while True:
            number += 1
            rig.progress(f"{side} step {number} of {len(steps)}")
            victim = base.copy(bench.join("victim"))
            run = work.run(victim, {"MAILWORKER_STOP_AT": f"{number}:{side}"})
            when = f"after a stop {side} step {number}"
            if run.status == 0:
                # Not stopped: it has no such step, and is one more undisturbed run.
                state.require_same(expected, state.lines(victim), f"{when} that did not come")
                require_same_steps(steps, steps_of(run), when)
                break
            require(run.status == STOPPED, f"{when} the run ended with {run.status}: {run.errors}")
            reached = steps_of(run)
            require(len(reached) == number, f"{when} {len(reached)} steps were counted")
            stops[side] += 1
            victim.verify(when)
            again = work.run(victim)
            require(again.status == 0, f"{when} the next run failed: {again.errors}")
            state.require_same(expected, state.lines(victim), f"{when} ({reached[-1][1]})")
    rig.progress("")
    print(
        f"{work.name}: {len(steps)} durable steps of {len(kinds)} kinds; stopped before each and after each: "
        f"{stops['before'] + stops['after']} stops, every end state as undisturbed, verify clean")
    print("  " + " ".join(kinds))


def torture(bench):
    kinds = [Import] if "quick" in sys.argv[1:] else [Import, Sync]
    for kind in kinds:
        inner = rig.Bench.__new__(rig.Bench)
        inner.path, inner.server = bench.join(kind.name), None
        os.makedirs(inner.path)
        os.chmod(inner.path, 0o711)
        sweep(inner, kind)
        if inner.server:
            inner.server.stop()


if __name__ == "__main__":
    rig.main(torture)
