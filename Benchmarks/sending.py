#!/usr/bin/env python3
"""sending.py PROGRAM [MAILS [ROUNDS [BYTES]]]: what Benchmarks/against-smtp-source runs; see there."""

import csv
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing

from measured import children, kilobytes

CONNECTIONS = 20
CONTACTS = 500
WAITING = """SELECT EXISTS (SELECT 1 FROM outbox WHERE state IN ('queued', 'retry'))
    OR EXISTS (SELECT 1 FROM outbox WHERE state = 'sending')"""
UNFILED = "SELECT EXISTS (SELECT 1 FROM outbox WHERE filing = 'due')"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Sink:
    """smtp-sink, which ends by itself when it has taken one mail more than it should."""

    def __init__(self, port, mails):
        self.port = port
        # As nobody where it is started as root, and without a sign-in, which it cannot do.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            ["/usr/sbin/smtp-sink", *user, "-a", "-M", str(mails + 1), f"127.0.0.1:{port}", "200"])
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    sys.exit("error: smtp-sink does not listen")
                time.sleep(0.05)

    def finish(self):
        """The one mail more: it ends now, or has not had all."""
        subprocess.run(
            ["/usr/sbin/smtp-source", "-f", "a@firma.example", "-t", "b@client.example", f"127.0.0.1:{self.port}"],
            capture_output=True)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            sys.exit("error: the sink took fewer mails than were sent")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


class Worker:
    """An installation with an account whose server is the sink."""

    def __init__(self, program, home):
        self.program, self.home = program, home
        self.config = os.path.join(home, "mailworker.toml")
        self.database = os.path.join(home, "mailworker-data", "mailworker.db")

    def run(self, *words, input=None):
        done = subprocess.run(
            [self.program, "--config", self.config, *words], input=input, capture_output=True, cwd=self.home)
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(words[:3])} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")

    def set_up(self, port, mails, size):
        os.makedirs(self.home)
        self.run("init")
        with open(self.config, "a", encoding="utf-8") as file:
            file.write('\n[network]\nallow = ["127.0.0.0/8"]\n')
            file.write("\n[send]\nundo_seconds = 0\nuser_hourly_recipients = 1000000\n")
        self.run("user", "add", "anna", "--email", "anna@firma.example")
        sheet = os.path.join(self.home, "contacts.csv")
        with open(sheet, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["external_id", "kind", "name", "emails"])
            for number in range(CONTACTS):
                writer.writerow([f"c{number}", "person", f"Contact {number}", f"contact{number}@client.example"])
        self.run("contact", "import", sheet)
        # Gmail's preset: the provider files what it sends, so that nothing is copied to a Sent folder. Nobody listens
        # where mail would be fetched.
        self.run(
            "account", "add", "--preset", "gmail", "--name", "anna", "--user", "anna", "--email", "anna@firma.example",
            "--login", "anna", "--password-file", "-", "--imap-host", "127.0.0.1", "--imap-port", str(free_port()),
            "--imap-security", "none", "--smtp-host", "127.0.0.1", "--smtp-port", str(port), "--smtp-security", "none",
            input=b"secret")  # fmt: skip
        self.run("outbox", "limits", "anna", "--connections", str(CONNECTIONS), "--per-day", "100000000")
        text = os.path.join(self.home, "text.txt")
        with open(text, "w", encoding="ascii") as file:
            line = "A line of text as it stands in many mails, one after the other.\n"
            file.write(line * max(1, (size - 450) // len(line)))
        started = time.monotonic()
        for start in range(0, mails, CONTACTS):
            words = ["send", "--account", "anna", "--subject", f"Offer {start}", "--text", text]
            for number in range(min(CONTACTS, mails - start)):
                words += ["--contact", f"c{number}"]
            self.run(*words)
        return time.monotonic() - started

    def look(self):
        """A connection that reads. Making one reads the whole schema, and the daemon has the same two cores."""
        return sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30, isolation_level=None)

    def ask(self, query):
        with closing(self.look()) as database:
            return database.execute(query).fetchone()[0]

    def send(self, mails):
        """Seconds until all mail is sent, and until it is in the histories; and the most memory."""
        with open(os.path.join(self.home, "daemon.log"), "wb") as log, closing(self.look()) as database:
            started = time.monotonic()
            daemon = subprocess.Popen(
                [self.program, "--config", self.config, "run"], stdout=log, stderr=log, cwd=self.home)
            peak, sent, looked = 0, None, 0
            while True:
                if daemon.poll() is not None:
                    sys.exit(f"error: the daemon ended with {daemon.returncode}, see {self.home}/daemon.log")
                if sent is None and not database.execute(WAITING).fetchone()[0]:
                    sent = time.monotonic() - started
                if sent is not None and not database.execute(UNFILED).fetchone()[0]:
                    filed = time.monotonic() - started
                    break
                if time.monotonic() - started > 600:
                    sys.exit(f"error: the daemon does not come to an end, see {self.home}/daemon.log")
                if time.monotonic() - looked > 0.2:
                    looked = time.monotonic()
                    peak = max(peak, sum(kilobytes(pid) for pid in [daemon.pid, *children(daemon.pid)]))
                time.sleep(0.05)
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
        done = self.ask("SELECT count(*) FROM outbox WHERE state = 'sent'")
        answers = self.ask("SELECT count(DISTINCT item) FROM outbox_replies WHERE stage = 'end-of-data' AND code = 250")
        history = self.ask("SELECT count(*) FROM history WHERE removed_at IS NULL")
        if not done == answers == history == mails:
            sys.exit(f"error: {done} are sent, {answers} were accepted, {history} are in histories; of {mails}")
        return sent, filed, peak / 1024


def smtp_source(port, mails, size):
    started = time.monotonic()
    subprocess.run(
        ["/usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(mails), "-l", str(size),
         "-f", "anna@firma.example", "-t", "contact@client.example", f"127.0.0.1:{port}"], check=True)  # fmt: skip
    return time.monotonic() - started


def main():
    program = sys.argv[1]
    mails, rounds, size = [*map(int, sys.argv[2:]), *(10_000, 5, 2_048)[len(sys.argv) - 2 :]]
    work = tempfile.mkdtemp(prefix="mailworker-sending.", dir=os.environ.get("MAILWORKER_WORK"))
    os.chmod(work, 0o711)
    port, sink = free_port(), None
    try:
        base = Worker(program, os.path.join(work, "base"))
        seconds = base.set_up(port, mails, size)
        size = base.ask("SELECT avg(size) FROM outbox")
        print(f"{mails} mails of {size:.0f} bytes on {CONNECTIONS} connections; queued by `send` at {mails / seconds:.0f} a second")
        print(f"{'':8}{'mailworker':>14}{'filed':>12}{'memory':>10}{'smtp-source':>14}{'ratio':>8}")
        ratios, peaks = [], []
        for number in range(rounds):
            sink = Sink(port, 2 * mails)
            theirs = smtp_source(port, mails, round(size))
            worker = Worker(program, os.path.join(work, "round"))
            shutil.copytree(base.home, worker.home)
            sent, filed, peak = worker.send(mails)
            shutil.rmtree(worker.home)
            sink.finish()
            ratios.append(theirs / sent)
            peaks.append(peak)
            print(
                f"{number + 1:<8}{mails / sent:>10.0f}/s {mails / filed:>10.0f}/s {peak:>7.0f} MB {mails / theirs:>10.0f}/s"
                f" {ratios[-1]:>10.2f}", flush=True)  # fmt: skip
        print(f"median ratio {statistics.median(ratios):.2f}, most memory {max(peaks):.0f} MB")
    finally:
        if sink:
            sink.stop()
        if os.environ.get("MAILWORKER_KEEP"):
            print(f"what was made lies in {work}", file=sys.stderr)
        else:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
