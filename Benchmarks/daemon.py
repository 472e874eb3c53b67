"""What a benchmark sees of a running daemon: what it costs, and when mail stands in the history."""

import os
import sqlite3
import time

import fleet
import measured

TICKS = os.sysconf("SC_CLK_TCK")


def processes(pid):
    return [pid, *measured.children(pid)]


def cpu_seconds(pid):
    """Of the process and its children, those that have ended included."""
    ticks = 0
    for one in processes(pid):
        with open(f"/proc/{one}/stat", encoding="ascii") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11 : 15 if one == pid else 13]))
    return ticks / TICKS


def sockets(pid):
    count = 0
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith("socket:")
        except OSError:
            pass
    return count


def usage(name, seconds, cpu, pid):
    memory = sum(map(measured.kilobytes, processes(pid))) / 1024
    threads, files = (measured.count(f"/proc/{pid}/{what}") for what in ("task", "fd"))
    print(
        f"{name:<14} {seconds:6.0f} s  {cpu:6.2f} s cpu = {100 * cpu / seconds:5.2f} % of a core  {memory:4.0f} MB"
        f"  {threads} threads  {files} files",
        flush=True,
    )


class History:
    """Message-IDs as they appear in the history of an archive."""

    def __init__(self, database):
        self.database = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self.last = 0

    def news(self):
        rows = self.database.execute(
            """SELECT id, message_id FROM messages WHERE id > ?
               AND EXISTS (SELECT 1 FROM history WHERE message = messages.id) ORDER BY id""",
            [self.last],
        ).fetchall()
        if rows:
            self.last = rows[-1][0]
        return [identifier.strip("<>") for _, identifier in rows]


class Delivery:
    """Messages that come to mailboxes of fleet.py at an even pace, and how long each takes to the history of each of
    some archives. Every message comes from a contact."""

    def __init__(self, mail, mailboxes, per_second, archives):
        self.mail, self.mailboxes, self.per_second = mail, mailboxes, per_second
        self.archives = archives
        self.delivered = {}
        self.delays = [{} for _ in archives]

    def run(self, patience):
        """Until all have arrived everywhere, or for `patience` seconds; returns the seconds it took."""
        owner, began, number = fleet.owner_of(self.mail), time.monotonic(), 0
        while min(map(len, self.delays)) < len(self.mailboxes):
            now = time.monotonic()
            while number < len(self.mailboxes) and began + number / self.per_second <= now:
                self.put(number, owner)
                number += 1
            for archive, delays in zip(self.archives, self.delays):
                for identifier in archive.news():
                    if identifier in self.delivered:
                        delays[identifier] = time.monotonic() - self.delivered[identifier]
            if now - began > patience:
                raise SystemExit(f"of {number} messages {[len(delays) for delays in self.delays]} were filed in time")
            time.sleep(0.02)
        return time.monotonic() - began

    def put(self, number, owner):
        index = self.mailboxes[number]
        # Of each four numbers the last is a stranger's.
        of_contact = number // 3 * 4 + number % 3
        content = fleet.message(index, "delivery", of_contact)
        path = fleet.maildir(self.mail, index)
        fleet.put(path, f"1700000001.M{number:06d}Qdelivery.localhost", content, owner)
        self.delivered[f"{fleet.name(index)}.delivery.{of_contact}@klient.example"] = time.monotonic()


def parts(delays):
    """Median, mean, 99th percentile and the longest."""
    ordered = sorted(delays)
    return (
        ordered[len(ordered) // 2],
        sum(ordered) / len(ordered),
        ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        ordered[-1],
    )
