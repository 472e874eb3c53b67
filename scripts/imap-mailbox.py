#!/usr/bin/python3
"""Looks into, and changes, a mailbox of a private server, with nothing of mailworker's.

  imap-mailbox.py DIR USER about                   name, version and capabilities of the server
  imap-mailbox.py DIR USER append FOLDER SOURCE    every file of the folder SOURCE, sorted by name
  imap-mailbox.py DIR USER snapshot FOLDER...      one line a message: folder, UIDVALIDITY, UID, flags,
                                                   size, SHA-256 of its bytes; changes nothing
  imap-mailbox.py DIR USER mark FOLDER             gives every message some flags or none
  imap-mailbox.py DIR USER expunge FOLDER UID...   deletes messages

DIR is the server's: DIR/facts has its ports and its authority, DIR/users the password.
"""

import hashlib
import os
import random
import re
import socket
import ssl
import sys


class Refused(Exception):
    pass


class Mailbox:
    def __init__(self, directory, user):
        facts = dict(line.strip().split("=", 1) for line in open(os.path.join(directory, "facts")) if "=" in line)
        users = dict(line.strip().split(":", 1) for line in open(os.path.join(directory, "users")))
        context = ssl.create_default_context(cafile=facts["ca_file"])
        plain = socket.create_connection(("127.0.0.1", int(facts["imaps_port"])), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.buffer = bytearray()
        self.count = 0
        self.greeting = self.line()
        self.command(f'LOGIN "{user}" "{users[user]}"')
        self.capabilities = self.command("CAPABILITY")[0][0].split()[2:]

    def receive(self):
        # Servers that hold small replies back until the last one was acknowledged.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def line(self):
        while (end := self.buffer.find(b"\n")) < 0:
            self.receive()
        line = bytes(self.buffer[:end]).rstrip(b"\r")
        del self.buffer[: end + 1]
        return line

    def take(self, size):
        while len(self.buffer) < size:
            self.receive()
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def response(self):
        """A line in which literals are cut out, and the literals."""
        line, literals = self.line(), []
        while not re.match(rb"\S+ (OK|NO|BAD|BYE)", line) and (size := re.search(rb"\{(\d+)\}$", line)):
            literals.append(self.take(int(size[1])))
            line += self.line()
        return line, literals

    def send(self, text):
        self.count += 1
        tag = f"t{self.count}".encode()
        self.socket.sendall(tag + b" " + text.encode() + b"\r\n")
        return tag

    def reply(self, tag):
        untagged = []
        while True:
            line, literals = self.response()
            if line.startswith(tag + b" "):
                if not line[len(tag) + 1 :].upper().startswith(b"OK"):
                    raise Refused(line.decode(errors="replace"))
                return untagged
            untagged.append((line, literals))

    def command(self, text):
        return self.reply(self.send(text))

    def append(self, folder, content):
        tag = self.send(f'APPEND "{folder}" {{{len(content)}}}')
        while True:
            line = self.line()
            if line.startswith(b"+"):
                break
            if line.startswith(tag):
                raise Refused(line.decode(errors="replace"))
        self.socket.sendall(content + b"\r\n")
        self.reply(tag)

    def open(self, folder, read_only=True):
        answer = self.command(f'{"EXAMINE" if read_only else "SELECT"} "{folder}"')
        text = b"\n".join(line for line, _ in answer)
        exists = int(re.search(rb"\* (\d+) EXISTS", text)[1])
        return exists, int(re.search(rb"UIDVALIDITY (\d+)", text)[1])

    def uids(self):
        answer = self.command("UID SEARCH ALL")
        return sorted(int(uid) for line, _ in answer if line.startswith(b"* SEARCH") for uid in line.split()[2:])


def about(mailbox):
    name = ""
    if b"ID" in mailbox.capabilities:
        answer = b" ".join(line for line, _ in mailbox.command('ID ("name" "test")')).decode()
        fields = re.findall(r'"([^"]*)" "([^"]*)"', answer)
        fields = {key.lower(): value for key, value in fields}
        name = f'{fields.get("name", "")} {fields.get("version", "")}'.strip()
    print(name or mailbox.greeting.decode(errors="replace"))
    print(b" ".join(mailbox.capabilities).decode())


def append(mailbox, folder, source):
    stored = 0
    for name in sorted(os.listdir(source)):
        with open(os.path.join(source, name), "rb") as file:
            # What every client sends: lines that end in CRLF. Whatever else is odd stays.
            content = re.sub(rb"\r?\n", b"\r\n", file.read())
        try:
            mailbox.append(folder, content)
            stored += 1
        except Refused as reason:
            print(f"{name}: {reason}", file=sys.stderr)
    print(stored)


def snapshot(mailbox, *folders):
    for folder in folders:
        exists, validity = mailbox.open(folder)
        found = []
        if exists:
            for line, literals in mailbox.command("UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])"):
                if not re.match(rb"\* \d+ FETCH", line):
                    continue
                content = literals[0] if literals else re.search(rb'BODY\[\] "([^"]*)"', line)[1]
                uid = int(re.search(rb"UID (\d+)", line)[1])
                size = int(re.search(rb"RFC822\.SIZE (\d+)", line)[1])
                flags = sorted(re.search(rb"FLAGS \(([^)]*)\)", line)[1].decode().split())
                found.append((uid, flags, size, len(content), hashlib.sha256(content).hexdigest()))
        for uid, flags, size, length, digest in sorted(found):
            print(folder, validity, uid, ",".join(flags) or "-", size, length, digest)
        if len(found) != exists:
            sys.exit(f"{folder}: {exists} messages are announced, {len(found)} were sent")


def mark(mailbox, folder):
    mailbox.open(folder, read_only=False)
    choices = ["", "", r"\Seen", r"\Seen \Answered", r"\Flagged", r"\Seen $Label1"]
    by_flags = {}
    rng = random.Random(1)
    for uid in mailbox.uids():
        by_flags.setdefault(rng.choice(choices), []).append(uid)
    for flags, uids in by_flags.items():
        for start in range(0, len(uids) if flags else 0, 500):
            numbers = ",".join(map(str, uids[start : start + 500]))
            try:
                mailbox.command(f"UID STORE {numbers} +FLAGS.SILENT ({flags})")
            except Refused:
                # Keywords are not everybody's.
                mailbox.command(f"UID STORE {numbers} +FLAGS.SILENT ({flags.split()[0]})")


def expunge(mailbox, folder, *uids):
    mailbox.open(folder, read_only=False)
    mailbox.command(rf'UID STORE {",".join(uids)} +FLAGS.SILENT (\Deleted)')
    mailbox.command("EXPUNGE")


def main():
    verbs = {verb.__name__: verb for verb in (about, append, snapshot, mark, expunge)}
    if len(sys.argv) < 4 or sys.argv[3] not in verbs:
        sys.exit(__doc__)
    mailbox = Mailbox(sys.argv[1], sys.argv[2])
    verbs[sys.argv[3]](mailbox, *sys.argv[4:])
    mailbox.command("LOGOUT")


if __name__ == "__main__":
    main()
