#!/usr/bin/python3
"""million-server.py N STATE [CAPABILITY…]: an IMAP server with one folder of N old messages, for measuring.

Every tenth UID is a hole, so that the folder is no single range. The file STATE holds two numbers, read with each
EXAMINE: how many new messages there are beside the old ones, and how many of the oldest are gone. Prints its port.
Knows what mailworker sends, and nothing else.
"""

import bisect
import re
import socketserver
import sys

count, state_file = int(sys.argv[1]), sys.argv[2]
capabilities = "IMAP4rev1 ESEARCH ENABLE CONDSTORE" + "".join(" " + word for word in sys.argv[3:])
old = [uid for uid in range(1, count * 10 // 9 + 2) if uid % 10][:count]
last_old = old[-1]


def message(uid):
    return (
        f"From: client{uid % 100}@client.example\r\nTo: bench@firma.example\r\nSubject: New {uid}\r\n"
        f"Message-ID: <new-{uid}@client.example>\r\nDate: Tue, 01 Dec 2026 10:00:00 +0000\r\n\r\nText {uid}\r\n"
    ).encode()


class Session(socketserver.StreamRequestHandler):
    wbufsize = 1 << 20

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def chosen(self, sets):
        for part in sets.split(","):
            first, _, last = part.partition(":")
            low = int(first)
            high = low if not last else 1 << 32 if last == "*" else int(last)
            for uids in (self.old, self.new):
                yield from uids[bisect.bisect_left(uids, low) : bisect.bisect_right(uids, high)]

    def examine(self, rest):
        with open(state_file, encoding="ascii") as file:
            new, gone = map(int, file.read().split())
        self.new = list(range(last_old + 1, last_old + 1 + new))
        self.old = old[gone:]
        self.say(f"* {len(self.old) + new} EXISTS")
        self.say("* OK [UIDVALIDITY 7] valid")
        self.say(f"* OK [UIDNEXT {last_old + 1 + new}] next")
        self.say(f"* OK [HIGHESTMODSEQ {1 + new + gone}] highest")
        if "QRESYNC" in rest and gone:
            self.say(f"* VANISHED (EARLIER) {old[0]}:{old[gone - 1]}")

    def fetch(self, sets, items):
        for uid in self.chosen(sets):
            year = "2020" if uid <= last_old else "2026"
            date = f'INTERNALDATE "01-Dec-{year} 10:00:00 +0000"'
            if "BODY.PEEK[]" in items:
                body = message(uid)
                self.wfile.write(f"* 1 FETCH (UID {uid} {date} BODY[] {{{len(body)}}}\r\n".encode() + body + b")\r\n")
            else:
                size = 5000 if uid <= last_old else len(message(uid))
                self.wfile.write(f"* 1 FETCH (UID {uid} RFC822.SIZE {size} {date})\r\n".encode())

    def handle(self):
        self.say("* OK ready")
        self.wfile.flush()
        for line in self.rfile:
            words = line.decode().split()
            tag, verb, rest = words[0], words[1].upper(), " ".join(words[2:])
            if verb == "CAPABILITY":
                self.say("* CAPABILITY " + capabilities)
            elif verb == "LIST":
                self.say('* LIST () "/" INBOX')
            elif verb == "EXAMINE":
                self.examine(rest)
            elif verb == "UID" and words[2].upper() == "SEARCH":
                # The ranges between the holes, and the new ones.
                ranges = (f"{uid}:{min(uid + 8, last_old)}" for uid in self.old if uid % 10 == 1)
                first = f"{self.old[0]}:{self.old[0] + 9 - self.old[0] % 10}," if self.old[0] % 10 != 1 else ""
                new = f",{self.new[0]}:{self.new[-1]}" if self.new else ""
                self.say(f'* ESEARCH (TAG "{tag}") UID ALL {first}{",".join(ranges)}{new}')
            elif verb == "UID":
                self.fetch(*re.match(r"FETCH (\S+) (.*)", rest).groups())
            elif verb == "LOGOUT":
                self.say("* BYE bye")
            self.say(f"{tag} OK done")
            self.wfile.flush()
            if verb == "LOGOUT":
                return


socketserver.ThreadingTCPServer.daemon_threads = True
with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
