"""A proxy in front of a mail server that spoils one thing at one place of a session.

In clear it speaks TLS to the server and none to the client, so that it knows where in the
session it is; otherwise it passes the bytes of TLS on as they are."""

import re
import socket
import ssl
import struct
import threading
import time

# How a session is spoiled.
CUT, RESET, STALL, DRIBBLE, DELAY = "cut", "reset", "stall", "dribble", "delay"
KINDS = [CUT, RESET, STALL, DRIBBLE, DELAY]
# What a patient client may not fail at.
HARMLESS = {DRIBBLE, DELAY}


class Place:
    """Where: in what the server says after the n-th client's line that contains a word. `find`
    tells from the bytes said since then at which of them; None while it has not come."""

    def __init__(self, name, word, find, occurrence=1):
        self.name, self.word, self.find, self.occurrence = name, word, find, occurrence


def at(offset):
    return lambda said: offset


def in_literal(part):
    """Inside the bytes of a message: 0 at its first, 1 behind its last."""

    def find(said):
        match = re.search(rb"BODY\[\] \{(\d+)\}\r\n", said)
        return match and match.end() + int(int(match.group(1)) * part)

    return find


class Proxy:
    def __init__(self, server, delay, clear=True):
        self.server, self.delay, self.clear = server, delay, clear
        self.place = self.kind = None
        self.was_spoiled = False
        self.lines = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def spoil(self, place, kind):
        """What happens to the next session that comes to the place; None to none."""
        self.place, self.kind, self.was_spoiled, self.lines = place, kind, False, []

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        upstream = socket.create_connection(("127.0.0.1", self.server.port))
        if self.clear:
            context = ssl.create_default_context(cafile=self.server.authority)
            upstream = context.wrap_socket(upstream, server_hostname="localhost")
        Session(self, client, upstream).run()


class Session:
    def __init__(self, proxy, client, upstream):
        self.proxy, self.client, self.upstream = proxy, client, upstream
        self.said = bytearray()
        # Nothing was asked yet: what the server says first is at the place without a word.
        self.is_near = proxy.place is not None and proxy.place.word is None
        self.left = proxy.place.occurrence if proxy.place else 0
        self.is_over = False

    def run(self):
        threading.Thread(target=self.pass_commands, daemon=True).start()
        try:
            while not self.is_over:
                data = self.upstream.recv(65536)
                if not data:
                    break
                self.pass_reply(data)
        except OSError:
            pass
        self.close()

    def close(self):
        self.is_over = True
        for end in (self.client, self.upstream):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def pass_commands(self):
        try:
            while True:
                data = self.client.recv(65536)
                if not data:
                    break
                if self.proxy.clear:
                    for line in data.split(b"\r\n"):
                        if line:
                            self.note_command(line)
                self.upstream.sendall(data)
        except OSError:
            pass
        self.close()

    def note_command(self, line):
        self.proxy.lines.append(line)
        place = self.proxy.place
        if place and place.word and not self.is_near and place.word in line:
            self.left -= 1
            if self.left == 0:
                self.is_near, self.said = True, bytearray()

    def pass_reply(self, data):
        place = self.proxy.place
        if not (self.is_near and not self.proxy.was_spoiled):
            self.client.sendall(data)
            return
        passed = len(self.said)
        self.said += data
        offset = place.find(bytes(self.said))
        if offset is None or offset > len(self.said):
            self.client.sendall(data)
            return
        offset = max(offset, passed)
        self.client.sendall(self.said[passed:offset])
        self.proxy.was_spoiled = True
        self.spoil(bytes(self.said[offset:]))

    def spoil(self, rest):
        kind = self.proxy.kind
        if kind == CUT:
            self.close()
        elif kind == RESET:
            self.is_over = True
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The other thread holds the descriptor in recv: shutdown would send FIN, so it is closed below it.
            self.client.close()
            self.upstream.shutdown(socket.SHUT_RDWR)
        elif kind == STALL:
            # The connection stays, and nothing comes any more.
            while self.client.fileno() >= 0 and not self.is_over:
                time.sleep(0.05)
        elif kind == DELAY:
            time.sleep(self.proxy.delay)
            self.client.sendall(rest)
        elif kind == DRIBBLE:
            for index in range(min(len(rest), 60)):
                self.client.sendall(rest[index : index + 1])
                time.sleep(0.002)
            self.client.sendall(rest[60:])
