"""The daemon on a disk that fails: part of disk.py."""

import os
import signal
import time

import rig
import state
from disk_works import CONTACTS, keeps_log
from rig import Installation, require


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
