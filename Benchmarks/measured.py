#!/usr/bin/env python3
"""measured.py FACTS COMMAND…: runs COMMAND and writes into FACTS, as assignments for the shell,

    seconds, cpu_seconds    wall time, and processor time of it and its children
    peak_megabytes          the most memory that it and its children held together (proportional set size),
                            looked at ten times a second
    peak_threads            the most threads of the command's own process
    peak_descriptors        the most open files of the command's own process

Its exit code is the command's."""

import os
import resource
import subprocess
import sys
import time


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            direct = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return direct + [deeper for child in direct for deeper in children(child)]


def kilobytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def count(path):
    try:
        return len(os.listdir(path))
    except OSError:
        return 0


def main():
    started = time.monotonic()
    process = subprocess.Popen(sys.argv[2:])
    peak = threads = descriptors = 0
    while process.poll() is None:
        # Threads of a process may have children of their own; those of the first one are all that we start.
        peak = max(peak, sum(kilobytes(pid) for pid in [process.pid, *children(process.pid)]))
        threads = max(threads, count(f"/proc/{process.pid}/task"))
        descriptors = max(descriptors, count(f"/proc/{process.pid}/fd"))
        time.sleep(0.1)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(sys.argv[1], "w") as facts:
        facts.write(f"seconds={time.monotonic() - started:.2f}\n")
        facts.write(f"cpu_seconds={usage.ru_utime + usage.ru_stime:.2f}\n")
        facts.write(f"peak_megabytes={peak / 1024:.0f}\n")
        facts.write(f"peak_threads={threads}\npeak_descriptors={descriptors}\n")
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
