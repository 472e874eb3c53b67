"""idle.py PID ACCOUNTS SECONDS DATABASE MAIL: waits until the daemon PID watches all mailboxes of fleet.py, and measures
it for SECONDS without mail; then delivers messages below MAIL, and sees in DATABASE when each stands in the history.
"""

import random
import sys
import time

from daemon import Delivery, History, cpu_seconds, parts, sockets, usage

DELIVERIES_A_SECOND = 10


def wait_until_watched(pid, accounts, history):
    """Every mailbox has been looked at and has its session, and the daemon has come to rest."""
    filed, began, before = 0, time.monotonic(), cpu_seconds(pid)
    while True:
        time.sleep(5)
        filed += len(history.news())
        now = cpu_seconds(pid)
        rests = now - before < 1
        before = now
        if filed >= accounts and sockets(pid) >= accounts and rests:
            print(f"{accounts} mailboxes are watched after {time.monotonic() - began:.0f} s, {now:.1f} s cpu", flush=True)
            return
        if time.monotonic() - began > 300:
            sys.exit(f"after five minutes {filed} messages are filed and {sockets(pid)} sockets open")


def main():
    pid, accounts, seconds = map(int, sys.argv[1:4])
    database, mail = sys.argv[4:]
    history = History(database)
    wait_until_watched(pid, accounts, history)

    began, cpu = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    usage("nothing comes", time.monotonic() - began, cpu_seconds(pid) - cpu, pid)
    if sockets(pid) < accounts:
        sys.exit(f"only {sockets(pid)} sockets are open still")

    # To each mailbox one message at most.
    mailboxes = random.Random(1).sample(range(1, accounts + 1), min(accounts, 600))
    delivery = Delivery(mail, mailboxes, DELIVERIES_A_SECOND, [history])
    cpu = cpu_seconds(pid)
    took = delivery.run(patience=300)
    usage("mail comes", took, cpu_seconds(pid) - cpu, pid)
    median, _, most, longest = parts(delivery.delays[0].values())
    print(
        f"{len(mailboxes)} messages stand in the history after {median:.2f} s (median), {most:.2f} s (99 %),"
        f" {longest:.2f} s at most"
    )


main()
