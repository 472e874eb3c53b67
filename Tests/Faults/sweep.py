"""sweep [quick]: stops the program before and after every durable step of an import and of two syncs, one of them
with a server of this process, runs it again, and requires the archive of an undisturbed run.
quick: no Dovecot, and before and after the first step of each kind only."""

import collections
import itertools
import os
import re
import sys

import rig
import state
from rig import Installation, Violation, require
from scripted_server import ScriptedServer

STOPPED = 70
CONTACTS = 5


def steps_of(run):
    return re.findall(r"durable step (\d+): (\S+)", run.errors)


def require_same_steps(expected, found, when, is_counted=True):
    """Two undisturbed runs have the same steps, whatever their order; or the same kinds of them."""
    wanted, had = (collections.Counter(name for _, name in steps) for steps in (expected, found))
    if not is_counted:
        wanted, had = (collections.Counter(set(names)) for names in (wanted, had))
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


class ScriptedSync:
    """A sync of two mailboxes whose servers do what Dovecot cannot be brought to: list UIDs again that had left,
    refuse to hand out a message, speak as Gmail does. Afterwards the mail is put into the full-text index."""

    name = "scripted sync"
    # A refused batch is halved, and how many messages are ready for one commit is chance.
    is_counted = False

    def __init__(self, bench):
        self.plain = ScriptedServer("IMAP4rev1", ["INBOX", "Sent", "Archive"])
        self.gmail = ScriptedServer(
            "IMAP4rev1 ENABLE CONDSTORE QRESYNC X-GM-EXT-1", ["INBOX", "Sent", "Archive"])
        for server, first in ((self.plain, 0), (self.gmail, 1000)):
            server.folders["INBOX"].deliver(*(rig.message(first + number, CONTACTS) for number in range(8)))
            server.folders["Sent"].deliver(rig.message(first + 100, CONTACTS))

    def install(self, home):
        installation = Installation(home).set_up(CONTACTS)
        for name, server in (("plain", self.plain), ("labels", self.gmail)):
            installation.add_account(name, server.port, folders=["Archive"])
        installation.configure("message_megabytes", 1)
        installation.shorten_timeout()
        return installation

    def prepare(self, installation):
        # Two of them leave, and come back.
        for leave in (lambda folder: None, lambda folder: folder.hide(3, 4)):
            leave(self.plain.folders["INBOX"])
            run = self.run(installation)
            require(run.status == 0, f"an earlier sync failed: {run.errors}{run.output}")
        self.plain.folders["INBOX"].show(3, 4)
        for server, first in ((self.plain, 0), (self.gmail, 1000)):
            inbox = server.folders["INBOX"]
            # Fewer than come back: what a count does not show waits for the daily comparison.
            inbox.hide(1)
            new = [rig.message(first + number, CONTACTS, size=40_000) for number in range(200, 232)]
            inbox.deliver(*new)
            inbox.deliver(rig.message(first + 300, CONTACTS, size=1_200_000))
            server.folders["Archive"].deliver(*new[:4])
        self.plain.folders["INBOX"].deliver(rig.message(400, CONTACTS))
        self.plain.folders["INBOX"].refused = {max(self.plain.folders["INBOX"].messages)}

    def run(self, installation, more=None):
        return installation.run("sync", "--json", more=more)

    def finish(self, installation):
        installation.succeed("search", "message")


def sweep(bench, kind, only_first):
    """only_first: of the steps of each kind."""
    work = kind(bench)
    finish = getattr(work, "finish", lambda installation: None)
    is_counted = getattr(work, "is_counted", True)
    base = work.install(bench.join("base"))
    work.prepare(base)
    undisturbed = base.copy(bench.join("undisturbed"))
    run = work.run(undisturbed, {"MAILWORKER_STOP_AT": "never"})
    require(run.status == 0, f"the undisturbed run failed: {run.errors}")
    steps = steps_of(run)
    finish(undisturbed)
    expected = state.lines(undisturbed)
    kinds = sorted({name for _, name in steps})
    require("lease-claimed" not in kinds or "lease-renewed" in kinds, "no lease was renewed")
    require(len(steps) > 20, f"only {len(steps)} durable steps were counted")
    require(state.packs(undisturbed) > state.packs(base), "no pack was filled")

    firsts = {name: int(number) for number, name in reversed(steps)}
    stops = {"before": 0, "after": 0}
    # Of each side, the kinds of step at which a run has been stopped.
    stopped_at = {side: set() for side in stops}

    def stop(side, number):
        """Whether the run has such a step, and was stopped at it."""
        rig.progress(f"{side} step {number} of {len(steps)}")
        victim = base.copy(bench.join("victim"))
        run = work.run(victim, {"MAILWORKER_STOP_AT": f"{number}:{side}"})
        when = f"after a stop {side} step {number}"
        if run.status == 0:
            # Not stopped: it has no such step, and is one more undisturbed run.
            finish(victim)
            state.require_same(expected, state.lines(victim), f"{when} that did not come")
            require_same_steps(steps, steps_of(run), when, is_counted)
            return False
        require(run.status == STOPPED, f"{when} the run ended with {run.status}: {run.errors}")
        reached = steps_of(run)
        require(len(reached) == number, f"{when} {len(reached)} steps were counted")
        stopped_at[side].add(reached[-1][1])
        victim.verify(when)
        again = work.run(victim)
        require(again.status == 0, f"{when} the next run failed: {again.errors}")
        finish(victim)
        state.require_same(expected, state.lines(victim), f"{when} ({reached[-1][1]})")
        return True

    for side in stops:
        for number in itertools.count(1):
            if only_first and number <= len(steps) and number not in firsts.values():
                continue
            if stop(side, number):
                stops[side] += 1
            elif number > len(steps):
                break
        # Two runs may take their steps in another order: a kind that comes once can so be missed. Try around its place.
        for name in () if only_first and not is_counted else kinds:
            around = itertools.chain.from_iterable([(0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6)] * 4)
            while name not in stopped_at[side] and (aside := next(around, None)) is not None:
                stop(side, max(1, firsts[name] + aside))
    rig.progress("")
    for side, count in stops.items():
        # With the scripted server runs differ by a few steps, but not in their kinds.
        planned = len(kinds) if only_first else len(steps)
        require(count == planned if is_counted else count >= planned * 9 // 10,
                f"{count} runs were stopped {side} a step instead of {planned}")
        require(only_first and not is_counted or stopped_at[side] >= set(kinds),
                f"no run was stopped {side} {sorted(set(kinds) - stopped_at[side])}")
    print(
        f"{work.name}: {len(steps)} durable steps of {len(kinds)} kinds; stopped before and after "
        f"{'the first of each kind' if only_first else 'each'}: "
        f"{stops['before'] + stops['after']} stops, every end state as undisturbed, verify clean")
    print("  " + " ".join(kinds))


def torture(bench):
    is_quick = "quick" in sys.argv[1:]
    kinds = [Import, ScriptedSync] if is_quick else [Import, Sync, ScriptedSync]
    for kind in kinds:
        inner = rig.Bench.__new__(rig.Bench)
        inner.path, inner.server = bench.join(kind.name), None
        os.makedirs(inner.path)
        os.chmod(inner.path, 0o711)
        try:
            sweep(inner, kind, only_first=is_quick)
        finally:
            if inner.server:
                inner.server.stop()


if __name__ == "__main__":
    rig.main(torture)
