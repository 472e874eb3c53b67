"""A small SMTP server that takes mail and counts it: which Message-ID went to whom how often. It may answer
slowly, and it refuses recipients whose name says so. It signs nobody in."""

import collections
import re
import socket
import threading
import time


class Sink:
    """A mail counts from the moment in which its final dot is read: the server has it then, whether or not its
    answer ever arrives. A `careful` answer looks first whether the client is still there, and forgets the mail
    otherwise, as some servers do."""

    def __init__(self, random=None, delays=(), carefulness=0.0, keep=None, keep_after=0):
        self.random, self.delays, self.carefulness = random, delays, carefulness
        # Called with the bytes of each mail that is taken: a provider that files what it sends. Before the answer, or
        # some seconds after the mail was taken.
        self.keep, self.keep_after = keep, keep_after
        self.lock = threading.Lock()
        # (Message-ID, recipient) to how often it was taken.
        self.taken = collections.Counter()
        self.mails = collections.Counter()
        self.active = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.active += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def stop(self):
        self.listener.close()

    def settle(self, seconds=20):
        """Waits until no connection is left: what a client that is gone has sent is read by then."""
        end = time.monotonic() + seconds
        while self.active and time.monotonic() < end:
            time.sleep(0.005)
        return not self.active

    def serve(self, connection):
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.talk(connection, connection.makefile("rb"))
        except OSError:
            pass
        finally:
            with self.lock:
                self.active -= 1

    def talk(self, connection, lines):
        def say(text):
            connection.sendall(text.encode() + b"\r\n")

        say("220 sink")
        recipients = []
        has_sender = False
        for line in lines:
            verb = line[:4].upper()
            if verb == b"EHLO":
                say("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000")
            elif verb == b"MAIL":
                # As Postfix has it: a mail that came to no end is still there.
                if has_sender:
                    say("503 5.5.1 Error: nested MAIL command")
                    continue
                recipients, has_sender = [], True
                say("250 2.1.0 ok")
            elif verb == b"RCPT":
                address = re.search(rb"<(.*?)>", line).group(1).decode().lower()
                if address.startswith("refused"):
                    say("550 5.1.1 no such user")
                else:
                    recipients.append(address)
                    say("250 2.1.5 ok")
            elif verb == b"DATA":
                if not recipients:
                    say("554 5.5.1 no valid recipients")
                    continue
                say("354 go on")
                content = self.content(lines)
                if content is None:
                    return
                if not self.take(content, recipients, connection):
                    return
                say("250 2.0.0 taken")
                recipients, has_sender = [], False
            elif verb == b"RSET":
                recipients, has_sender = [], False
                say("250 2.0.0 ok")
            elif verb == b"QUIT":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok" if verb in (b"NOOP", b"HELO") else "500 5.5.1 what?")

    @staticmethod
    def content(lines):
        """The mail without the dots of its way; None when its end never came."""
        content = []
        for line in lines:
            if line == b".\r\n":
                return b"".join(content)
            content.append(line[1:] if line.startswith(b".") else line)
        return None

    def take(self, content, recipients, connection):
        """False when the client was gone and the mail is forgotten."""
        delay = self.random.choice(self.delays) if self.delays else 0
        is_careful = self.random is not None and self.random.random() < self.carefulness
        if is_careful:
            time.sleep(delay)
            connection.setblocking(False)
            try:
                gone = connection.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            connection.setblocking(True)
            if gone:
                return False
        name = re.search(rb"^Message-ID:\s*<(.*?)>", content, re.I | re.M).group(1).decode()
        with self.lock:
            self.mails[name] += 1
            for recipient in recipients:
                self.taken[name, recipient] += 1
        if self.keep and self.keep_after:
            threading.Timer(self.keep_after, self.keep, [content]).start()
        elif self.keep:
            self.keep(content)
        if not is_careful:
            time.sleep(delay)
        return True
