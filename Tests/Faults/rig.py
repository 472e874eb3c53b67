"""The rig of all faults: fresh installations of the program, a private Dovecot, mail that
anybody can tell apart, and how a run ended."""

import atexit
import csv
import hashlib
import imaplib
import os
import shutil
import signal
import sqlite3
import struct
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("MAILWORKER_BINARY", os.path.join(ROOT, ".build/release/mailworker"))
USER, PASSWORD = "bench", "bench-password"
# The program waits this long for a silent server; the command line counts in minutes.
TIMEOUT_SECONDS = 3


def end(process):
    """Ends a process that still runs."""
    if process.poll() is None:
        process.kill()
        process.wait()


class Violation(Exception):
    """A promise that did not hold: the only result that a torture may never have."""


def require(condition, text):
    if not condition:
        raise Violation(text)


class Run:
    """How one run of the program ended. A negative status is the signal's number."""

    def __init__(self, status, output, errors, seconds):
        self.status, self.output, self.errors, self.seconds = status, output, errors, seconds

    @property
    def crashed(self):
        return self.status < 0


def stamp_pages(path):
    """Gives each page of a database that was written past the program the checksum that the
    program would (Sources/CPageSums): `verify` is right to find such pages changed."""
    with open(path, "r+b") as file:
        head = file.read(100)
        size = int.from_bytes(head[16:18], "big")
        file.seek(0)
        pages = file.read()
        for start in range(0, len(pages), size):
            words = struct.unpack(f"<{(size - 8) // 4}I", pages[start:start + size - 8])
            a, b = 0x6D77 + start // size + 1, 0x7073
            for first, second in zip(words[::2], words[1::2]):
                a = (a + first + b) & 0xFFFFFFFF
                b = (b + second + a) & 0xFFFFFFFF
            file.seek(start + size - 8)
            file.write(struct.pack("<II", a or (0 if b else 1), b))


class Installation:
    """One installation in a folder of its own."""

    def __init__(self, home):
        self.home = home
        self.config = os.path.join(home, "mailworker.toml")
        self.data = os.path.join(home, "mailworker-data")

    def environment(self, more):
        plain = {k: v for k, v in os.environ.items() if not k.startswith("MAILWORKER_")}
        return {**plain, **(more or {})}

    def start(self, *words, more=None, errors=subprocess.PIPE):
        process = subprocess.Popen(
            [PROGRAM, "--config", self.config, *words], env=self.environment(more), cwd=self.home,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)  # fmt: skip
        # After a violation nobody stops it.
        atexit.register(end, process)
        return process

    def run(self, *words, more=None, input=None, limit=120, is_text=True):
        started = time.monotonic()
        done = subprocess.run(
            [PROGRAM, "--config", self.config, *words], env=self.environment(more), cwd=self.home,
            input=input, capture_output=True, timeout=limit)  # fmt: skip
        return Run(
            done.returncode, done.stdout.decode(errors="replace") if is_text else done.stdout, done.stderr.decode(errors="replace"),
            time.monotonic() - started)  # fmt: skip

    def succeed(self, *words, **named):
        run = self.run(*words, **named)
        require(run.status == 0, f"{' '.join(words)} ended with {run.status}: {run.errors.strip()}")
        return run

    def set_up(self, contacts, port=None, authority=None, folders=(), sending=()):
        """Users, contacts, and the account on a server, if there is one; it sends where `sending` says."""
        os.makedirs(self.home)
        self.succeed("init")
        with open(self.config, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("allow")]
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines(lines)
            # Small groups and packs, so that a small mailbox meets every step many times.
            file.write('\n[archive]\npack_megabytes = 1\nmin_free_megabytes = 0\n')
            file.write('\n[limits]\ncommit_messages = 4\n')
            file.write('\n[poll]\nconcurrency = 1\n')
            file.write('\n[network]\nallow = ["127.0.0.0/8"]\n')
        self.merge_tables()
        self.succeed("user", "add", USER, "--email", f"{USER}@firma.example")
        sheet = os.path.join(self.home, "contacts.csv")
        with open(sheet, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["external_id", "kind", "name", "emails"])
            for number in range(contacts):
                writer.writerow([f"c{number}", "person", f"Contact {number}", contact(number)])
        self.succeed("contact", "import", sheet)
        if port:
            words = ["--preset", "custom", "--name", USER, "--user", USER, "--email", f"{USER}@firma.example"]
            words += ["--login", USER, "--password-file", "-", "--imap-host", "127.0.0.1"]
            words += ["--imap-port", str(port), "--imap-security", "tls", "--ca-file", authority]
            for folder in folders:
                words += ["--folder", folder]
            words += sending
            self.succeed("account", "add", *words, input=PASSWORD.encode())
            self.shorten_timeout()
        return self

    def add_account(self, name, port, folders=()):
        """On a server without TLS."""
        self.succeed("user", "add", name, "--email", f"{name}@firma.example")
        words = ["--preset", "custom", "--name", name, "--user", name, "--email", f"{name}@firma.example"]
        words += ["--login", name, "--password-file", "-", "--imap-host", "127.0.0.1"]
        words += ["--imap-port", str(port), "--imap-security", "none"]
        for folder in folders:
            words += ["--folder", folder]
        self.succeed("account", "add", *words, input=PASSWORD.encode())

    def merge_tables(self):
        """A table may stand once in a file: later keys go into the first one of its name."""
        tables, current = {"": []}, ""
        with open(self.config, encoding="utf-8") as file:
            for line in file:
                if line.startswith("["):
                    current = line.strip()
                    tables.setdefault(current, [])
                else:
                    tables[current].append(line)
        with open(self.config, "w", encoding="utf-8") as file:
            for name, lines in tables.items():
                keys = {}
                for line in lines:
                    if "=" in line and not line.startswith("#"):
                        keys[line.split("=")[0].strip()] = line
                file.write((name + "\n" if name else "") + "".join(keys.values()) + "\n")

    def configure(self, key, value):
        """Sets a key of [limits]."""
        with open(self.config, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith(key)]
        with open(self.config, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(line)
                if line.startswith("[limits]"):
                    file.write(f"{key} = {value}\n")

    def shorten_timeout(self):
        """To seconds, which no command takes: no test may wait for minutes."""
        path = os.path.join(self.data, "mailworker.db")
        database = sqlite3.connect(path)
        with database:
            database.execute("UPDATE accounts SET timeout_seconds = ? WHERE kind = 'mailbox'", [TIMEOUT_SECONDS])
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        stamp_pages(path)

    def copy(self, home):
        """Another installation in the same state, to the byte."""
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.home, home)
        return Installation(home)

    def sync(self, more=None, limit=120):
        """By its name the account is polled at once, even after a failure."""
        return self.run("sync", "--json", "--account", USER, more=more, limit=limit)

    def verify(self, when):
        run = self.run("verify")
        require(run.status == 0, f"verify is not clean {when}: {run.output.strip()} {run.errors.strip()}")


def contact(number):
    return f"contact{number}@client.example"


def message(number, contacts, size=2000):
    """A message of that number: from a contact, or of every fourth from a stranger."""
    sender = f"stranger{number}@other.example" if number % 4 == 3 else contact(number % contacts)
    lines = [
        f"From: Sender {number} <{sender}>", f"To: {USER}@firma.example", f"Subject: Message {number}",
        f"Message-ID: <m{number}@faults.example>", "Date: Mon, 06 May 2024 10:00:00 +0000",
        "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "",
    ]  # fmt: skip
    line = f"Line of message {number}, which nobody else has."
    lines += [line] * (size // (len(line) + 2) + 1) + [""]
    return "\r\n".join(lines).encode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """A private Dovecot with one user. Folders are Maildirs, so that mail can be put,
    moved and removed behind its back, as other clients do."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory)
        with open(os.path.join(directory, "users"), "w", encoding="utf-8") as file:
            file.write(f"{USER}:{PASSWORD}\n")
        self.facts = {}
        self.sequence = 0
        self.clear("INBOX")
        printed = self.script("start", "0")
        for line in printed.splitlines():
            key, _, value = line.partition("=")
            self.facts[key] = value
        self.port = int(self.facts["imaps_port"])
        self.authority = self.facts["ca_file"]

    def script(self, action, *words):
        done = subprocess.run(
            [os.path.join(ROOT, "scripts/dovecot"), action, self.directory, *words], capture_output=True)
        require(done.returncode == 0, f"dovecot {action}: {done.stderr.decode()}")
        return done.stdout.decode()

    def stop(self):
        self.script("stop")

    def folder(self, name):
        base = os.path.join(self.directory, "mail", USER, "Maildir")
        return base if name == "INBOX" else os.path.join(base, "." + name)

    def own(self, path):
        if os.geteuid() == 0:
            shutil.chown(path, "dovecot", "dovecot")

    def clear(self, name):
        """Makes the folder, or takes everything out of it, its UIDVALIDITY included."""
        path = self.folder(name)
        shutil.rmtree(path, ignore_errors=True)
        made = []
        for part in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(path, part), exist_ok=True)
            made.append(os.path.join(path, part))
        parent = path
        while parent != self.directory:
            made.append(parent)
            parent = os.path.dirname(parent)
        for one in made:
            self.own(one)

    def deliver(self, name, messages):
        path = self.folder(name)
        for data in messages:
            self.sequence += 1
            staged = os.path.join(path, "tmp", f"s{self.sequence}")
            with open(staged, "wb") as file:
                file.write(data)
            self.own(staged)
            os.rename(staged, os.path.join(path, "new", f"{time.time():.6f}.Q{self.sequence:07d}.localhost"))

    def files(self, name):
        path = self.folder(name)
        return sorted(os.path.join(path, part, f) for part in ("new", "cur") for f in os.listdir(os.path.join(path, part)))

    def remove(self, file):
        os.unlink(file)

    def move(self, file, name):
        self.sequence += 1
        os.rename(file, os.path.join(self.folder(name), "new", f"{time.time():.6f}.M{self.sequence:07d}.localhost"))

    def forget_uids(self, name):
        """The folder gets a new UIDVALIDITY, and every message a new UID."""
        path = self.folder(name)
        for file in os.listdir(path):
            if file.startswith("dovecot-uidlist") or file.startswith("dovecot.index"):
                os.unlink(os.path.join(path, file))

    def listing(self, names):
        """What the server shows: (folder, UIDVALIDITY, UID) to the digest of the message."""
        context = ssl.create_default_context(cafile=self.authority)
        shown = {}
        with imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=context) as client:
            client.login(USER, PASSWORD)
            for name in names:
                status, _ = client.select(f'"{name}"', readonly=True)
                require(status == "OK", f"the server cannot open {name}")
                validity = int(client.response("UIDVALIDITY")[1][0])
                status, parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
                for part in parts:
                    if isinstance(part, tuple):
                        uid = int(part[0].split(b"UID ")[1].split()[0])
                        shown[name, validity, uid] = digest(part[1])
        return shown


class Bench:
    """A working folder that goes when all went well, and stays to be looked at otherwise."""

    def __enter__(self):
        base = os.environ.get("MAILWORKER_WORK") or tempfile.gettempdir()
        self.path = tempfile.mkdtemp(prefix="mailworker-faults.", dir=base)
        os.chmod(self.path, 0o711)
        self.server = None
        return self

    def serve(self):
        self.server = Server(os.path.join(self.path, "server"))
        return self.server

    def join(self, *parts):
        return os.path.join(self.path, *parts)

    def __exit__(self, kind, error, trace):
        if self.server:
            self.server.stop()
        if kind is None or kind is SystemExit and not error.code:
            if not os.environ.get("MAILWORKER_KEEP"):
                shutil.rmtree(self.path, ignore_errors=True)
        else:
            print(f"what was left lies in {self.path}", file=sys.stderr)


def compile_shim(bench, name):
    """A library of ours for LD_PRELOAD."""
    shim = bench.join(f"{name}.so")
    source = os.path.join(ROOT, f"Tests/Faults/{name}.c")
    subprocess.run(["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    return shim


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def main(body):
    """Runs a torture; a violation is its failure, with the place and nothing else."""
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"error: there is no program at {PROGRAM}\n  what to do: swift build -c release --product mailworker")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        with Bench() as bench:
            body(bench)
    except Violation as violation:
        progress("")
        sys.exit(f"violation: {violation}")
