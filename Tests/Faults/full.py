"""full [SECONDS [MAILS]]: lets the daemon send MAILS (20) mails while its archive lies on a file system without a byte
of room, for SECONDS (150); then there is room again. Until then it must live, be frugal with words and send nothing
twice; then it must bring every mail to its end: once at its recipient, once in the Sent folder, once in the history."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import rig
from rig import Installation, require
from send import OPEN, Office
from sink import Sink

MEGABYTES = 48


@contextlib.contextmanager
def small_disk(path):
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "mailworker-full", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


class Ballast:
    """A file that takes every byte of room that there is."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "ballast")

    def fill(self):
        with open(self.path, "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def remove(self):
        os.unlink(self.path)


class Trial:
    def __init__(self, bench, seconds, mails):
        self.bench, self.seconds, self.mails = bench, seconds, mails

    def office(self):
        server = self.bench.serve()
        # Some mail is under way at any moment.
        sink = Sink(delays=(0.5,), random=random.Random(1))
        base = Office.open(self.bench.join("base"), self.mails, server, sink, more=["--sent-copy", "append"])
        base.queue(range(self.mails))
        server.clear("Sent")
        home = self.bench.join("small")
        self.mounts.enter_context(small_disk(home))
        shutil.copytree(base.installation.home, home, dirs_exist_ok=True)
        return Office(Installation(home), server, sink)

    def starve(self, office, daemon):
        """Until a mail has gone there is room, and then for the whole time none."""
        end = time.monotonic() + 60
        while not office.sink.mails:
            require(daemon.poll() is None and time.monotonic() < end, "no mail goes while there is room")
            time.sleep(0.01)
        ballast = Ballast(office.installation.home)
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            ballast.fill()
            require(daemon.poll() is None, f"without room the daemon ended with {daemon.returncode}")
            require(max(office.sink.taken.values()) == 1, "without room a mail went twice")
            time.sleep(0.05)
        taken = office.sink.mails.total()
        ballast.remove()
        return taken

    def run(self):
        with contextlib.ExitStack() as self.mounts:
            office = self.office()
            path = self.bench.join("daemon.log")
            with open(path, "wb") as log:
                daemon = office.installation.start("run", errors=log)
                try:
                    without = self.starve(office, daemon)
                    freed = time.monotonic()
                    while office.rows(OPEN)[0][0]:
                        require(daemon.poll() is None, f"with room the daemon ended with {daemon.returncode}")
                        require(time.monotonic() < freed + 120, f"with room it does not go on: {office.states()}")
                        time.sleep(0.05)
                    seconds = time.monotonic() - freed
                finally:
                    if daemon.poll() is None:
                        daemon.send_signal(signal.SIGTERM)
                    daemon.communicate(timeout=60)
            require(daemon.returncode == 0, f"the daemon ended with {daemon.returncode}")
            with open(path, encoding="utf-8") as log:
                words = [line for line in log if "outbox cannot be used" in line]
            # Once a minute for each kind of trouble.
            require(words, "the log says nothing of the full disk")
            require(len(words) <= 4 * (self.seconds // 60 + 2), f"the log says {len(words)} times that the disk is full")
            self.check(office)
            print(
                f"full: {self.seconds} s without a byte of room, {without} of {self.mails} mails out by then, the rest "
                f"within {seconds:.1f} s of room; {len(words)} lines of log; each once at its recipient, in Sent and in "
                "its history")  # fmt: skip

    def check(self, office):
        when = "after a full disk"
        office.check(when)
        require(office.states() == {"sent": self.mails}, f"{when} not all is sent: {office.states()}")
        require(len(office.sink.mails) == self.mails, f"{when} the server has {len(office.sink.mails)} mails")
        require(set(office.sink.mails.values()) == {1}, f"{when} a mail went twice")
        copies = office.copies()
        require(len(copies) == self.mails and set(copies.values()) == {1}, f"{when} the Sent folder has {copies}")
        entries = office.rows("SELECT count(*) FROM history WHERE removed_at IS NULL GROUP BY contact")
        require([count for (count,) in entries] == [1] * self.mails, f"{when} the histories have {entries}")
        office.installation.verify(when)


def torture(bench):
    words = [int(word) for word in sys.argv[1:]]
    require(os.geteuid() == 0, "a small file system has to be mounted as root")
    Trial(bench, words[0] if words else 150, words[1] if len(words) > 1 else 20).run()


if __name__ == "__main__":
    rig.main(torture)
