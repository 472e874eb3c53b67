"""dead-hosts.py COUNT CONFIG: COUNT mail servers, each on a loopback address of its own, that fail their clients in one
phase each, by turns: they refuse the connection, let it wait for ever, or stall in the TLS handshake, before the
greeting, when the client signs in, opens a folder, or fetches a message. Appends an [[account]] for each to CONFIG, says
`ready`, and serves until it is ended.
"""

import asyncio
import re
import socket
import sys

PHASES = ("refuse", "connect", "tls", "greeting", "login", "examine", "fetch")
MESSAGE = b"From: a@b.example\r\nSubject: Half a message\r\n\r\n" + b"Text\r\n" * 100


async def stall(reader):
    """Hears, and says nothing, until the client leaves."""
    while await reader.read(1 << 16):
        pass


def answer(line, phase):
    """What the server says, and whether it stalls then."""
    tag, _, command = line.decode(errors="replace").strip().partition(" ")
    verb = command.upper().split(" ")[0]
    said = b""
    if verb in ("LOGIN", "AUTHENTICATE") and phase == "login" or verb == "EXAMINE" and phase == "examine":
        return said, True
    if verb == "CAPABILITY":
        said = b"* CAPABILITY IMAP4rev1\r\n"
    elif verb == "LIST":
        said = b'* LIST () "/" INBOX\r\n'
    elif verb == "EXAMINE":
        said = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 2] next\r\n"
    elif re.match("UID SEARCH", command, re.I):
        said = b"* SEARCH 1\r\n"
    elif re.search(r"BODY\.PEEK\[\]", command, re.I):
        return b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(MESSAGE) + MESSAGE[:100], True
    elif re.match("UID FETCH", command, re.I):
        said = b"* 1 FETCH (UID 1 RFC822.SIZE %d)\r\n" % len(MESSAGE)
    return said + tag.encode() + b" OK done\r\n", False


async def serve(reader, writer, phase):
    try:
        if phase not in ("tls", "greeting"):
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                said, stalls = answer(line, phase)
                writer.write(said)
                if stalls:
                    break
        await stall(reader)
    except OSError:
        pass
    writer.close()


def black_hole(address):
    """Takes no connection, and refuses none: those that wait to be accepted fill its queue."""
    listener = socket.create_server((address, 0), backlog=0)
    waiting = []
    for _ in range(2):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    return listener, waiting


async def main():
    count, config = int(sys.argv[1]), sys.argv[2]
    kept, accounts = [], ""
    for number in range(count):
        phase = PHASES[number % len(PHASES)]
        address = f"127.0.{1 + number // 200}.{1 + number % 200}"
        if phase == "connect":
            kept.append(black_hole(address))
            port = kept[-1][0].getsockname()[1]
        else:
            server = await asyncio.start_server(lambda r, w, phase=phase: serve(r, w, phase), address, 0)
            kept.append(server)
            port = server.sockets[0].getsockname()[1]
            if phase == "refuse":
                server.close()
        accounts += (
            f'\n[[account]]\nname = "dead{number:03d}-{phase}"\nuser = "dead{number:03d}"\n'
            f'email = "dead{number:03d}@firma.example"\nlogin = "dead{number:03d}"\npassword_env = "FLEET_PASSWORD"\n'
            f'imap_host = "{address}"\nimap_port = {port}\nimap_security = "{"tls" if phase == "tls" else "none"}"\n'
            "poll_minutes = 1\n"
        )
    with open(config, "a", encoding="utf-8") as file:
        file.write(accounts)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
