"""dead-hosts-measure.py HEALTHY SECONDS MAIL PID DATABASE PID DATABASE: delivers messages below MAIL for SECONDS, and
compares how long each takes to the histories of two daemons' archives, of which the second has dead accounts beside.
"""

import sys
import time

from daemon import Delivery, History, cpu_seconds, parts, usage

DELIVERIES_A_SECOND = 5


def main():
    healthy, seconds = map(int, sys.argv[1:3])
    mail, pids, archives = sys.argv[3], list(map(int, sys.argv[4::2])), [History(path) for path in sys.argv[5::2]]
    began = time.monotonic()
    first = [None, None]
    counts = [0, 0]
    while None in first:
        time.sleep(0.05)
        for side, archive in enumerate(archives):
            counts[side] += len(archive.news())
            if first[side] is None and counts[side] >= healthy:
                first[side] = time.monotonic() - began
        if time.monotonic() - began > 120:
            sys.exit(f"after two minutes the first messages of {counts} accounts are filed")
    print(f"all mailboxes are filed first after {first[0]:.1f} s without and {first[1]:.1f} s with dead hosts")

    # Any number of messages to a mailbox, by turns.
    mailboxes = [1 + number % healthy for number in range(seconds * DELIVERIES_A_SECOND)]
    delivery = Delivery(mail, mailboxes, DELIVERIES_A_SECOND, archives)
    cpu = list(map(cpu_seconds, pids))
    took = delivery.run(patience=seconds + 120)
    for name, pid, before in zip(("without", "with"), pids, cpu):
        usage(name, took, cpu_seconds(pid) - before, pid)
    print(f'{"":<10} {"":>9} {"median":>9} {"mean":>9} {"99 %":>9} {"longest":>9}')
    for group, watched in (("watched", True), ("polled", False)):
        rows = []
        for name, delays in zip(("without", "with"), delivery.delays):
            of_group = [d for i, d in delays.items() if (int(i[1:5]) <= healthy // 2) == watched]
            rows.append(parts(of_group))
            print(f"{group:<10} {name:>9} " + " ".join(f"{part:7.2f} s" for part in rows[-1]))
        print(f'{group:<10} {"ratio":>9} ' + " ".join(f"{b / a:9.2f}" for a, b in zip(*rows)))


main()
