"""A mailbox of this process behind a small IMAP server without TLS: what a folder shows and how the server misbehaves
are plain values that a test changes between two syncs. It knows what mailworker sends, and nothing else."""

import contextlib
import re
import socketserver
import threading


class Folder:
    def __init__(self, validity):
        self.validity = validity
        # UID to bytes; what left the folder is in `hidden`, with the MODSEQ at which it did.
        self.messages, self.hidden = {}, {}
        # UIDs that the server lists and refuses to hand out.
        self.refused = set()
        self.sequence = 1

    def deliver(self, *messages):
        for data in messages:
            self.sequence += 1
            self.messages[max([0, *self.messages]) + 1] = data

    def hide(self, *uids):
        self.sequence += 1
        self.hidden.update(dict.fromkeys(uids, self.sequence))

    def show(self, *uids):
        self.sequence += 1
        for uid in uids:
            del self.hidden[uid]

    def listed(self):
        return [uid for uid in sorted(self.messages) if uid not in self.hidden]


class Session(socketserver.StreamRequestHandler):
    wbufsize = 1 << 20

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def chosen(self, sets):
        listed = self.folder.listed()
        for uid in listed:
            for part in sets.split(","):
                low, _, high = part.partition(":")
                last = max(listed) if high == "*" else int(high or low)
                if min(int(low), last) <= uid <= max(int(low), last):
                    yield uid
                    break

    def examine(self, rest):
        name = re.match(r'"?([^"( ]+)', rest).group(1)
        if name not in self.server.folders:
            return "NO [NONEXISTENT] no such folder"
        self.folder = self.server.folders[name]
        self.say(f"* {len(self.folder.listed())} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.folder.validity}] valid")
        self.say(f"* OK [UIDNEXT {max([0, *self.folder.messages]) + 1}] next")
        if "CONDSTORE" in self.server.capabilities:
            self.say(f"* OK [HIGHESTMODSEQ {self.folder.sequence}] highest")
        known = re.search(r"QRESYNC \((\d+) (\d+)\)", rest)
        if known and int(known.group(1)) == self.folder.validity:
            gone = [str(uid) for uid, at in sorted(self.folder.hidden.items()) if at > int(known.group(2))]
            if gone:
                self.say(f"* VANISHED (EARLIER) {','.join(gone)}")
        return "OK [READ-ONLY] open"

    def fetch(self, sets, items):
        uids = list(self.chosen(sets))
        if "BODY.PEEK" in items and self.folder.refused.intersection(uids):
            return "NO [SERVERBUG] cannot read a message"
        for uid in uids:
            data = self.folder.messages[uid]
            answer = f"* {1 + self.folder.listed().index(uid)} FETCH (UID {uid} "
            answer += 'INTERNALDATE "06-May-2024 10:00:00 +0000" '
            if "X-GM-MSGID" in items:
                # The same message has the same number under each label.
                number = int.from_bytes(re.search(rb"<m(\d+)@", data).group(1), "big")
                answer += f"X-GM-MSGID {number} X-GM-THRID {number} X-GM-LABELS (work) "
            if "BODY.PEEK" not in items:
                self.say(answer + f"RFC822.SIZE {len(data)})")
                continue
            piece = re.search(r"<(\d+)\.(\d+)>", items)
            start, count = map(int, piece.groups()) if piece else (0, len(data))
            body = data[start : start + count]
            answer += f"BODY[]{f'<{start}>' if piece else ''} {{{len(body)}}}\r\n"
            self.wfile.write(answer.encode() + body + b")\r\n")
        return "OK done"

    def handle(self):
        # A client that is stopped leaves without a word.
        with contextlib.suppress(ConnectionError):
            self.converse()

    def finish(self):
        with contextlib.suppress(ConnectionError):
            super().finish()

    def converse(self):
        self.say("* OK ready")
        self.wfile.flush()
        for line in self.rfile:
            tag, verb, rest = (line.decode().strip() + "  ").split(" ", 2)
            verb, rest, answer = verb.upper(), rest.strip(), "OK done"
            if verb == "CAPABILITY":
                self.say("* CAPABILITY " + self.server.capabilities)
            elif verb == "ENABLE":
                self.say("* ENABLED " + rest)
            elif verb == "LIST":
                for name in self.server.folders:
                    self.say(f'* LIST () "/" {name}')
            elif verb == "EXAMINE":
                answer = self.examine(rest)
            elif verb == "UID" and rest.upper().startswith("SEARCH"):
                self.say("* SEARCH " + " ".join(map(str, self.folder.listed())))
            elif verb == "UID":
                answer = self.fetch(*re.match(r"FETCH (\S+) (.*)", rest).groups())
            elif verb == "LOGOUT":
                self.say("* BYE bye")
            self.say(f"{tag} {answer}")
            self.wfile.flush()
            if verb == "LOGOUT":
                return


class ScriptedServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, capabilities, names):
        super().__init__(("127.0.0.1", 0), Session)
        self.capabilities = capabilities
        self.folders = {name: Folder(7 + number) for number, name in enumerate(names)}
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()
