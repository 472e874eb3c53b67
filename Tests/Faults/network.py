"""network [quick]: spoils a sync's session at each of its phases (cut, reset, stall, dribble,
delay), requires that it ends in time and says what happened, and that the next sync ends as
an undisturbed one."""

import sys

import rig
import state
from proxy import CUT, HARMLESS, KINDS, RESET, STALL, Place, Proxy, at, in_literal
from rig import TIMEOUT_SECONDS, Installation, require

CONTACTS = 5
# A wait may take the timeout once for the session and once for ending it.
LONGEST = 2 * TIMEOUT_SECONDS + 3

PHASES = [
    Place("greeting, first byte", None, at(0)),
    Place("greeting, inside", None, at(9)),
    Place("capability, first byte", b"CAPABILITY", at(0)),
    Place("capability, inside", b"CAPABILITY", at(17)),
    Place("login, first byte", b"AUTHENTICATE", at(0)),
    Place("login, inside", b"AUTHENTICATE", at(4)),
    Place("capability after login", b"CAPABILITY", at(5), occurrence=2),
    Place("list, first byte", b"LIST", at(0)),
    Place("list, inside", b"LIST", at(40)),
    Place("examine, first byte", b"EXAMINE", at(0)),
    Place("examine, inside", b"EXAMINE", at(120)),
    Place("examine of the second folder", b"EXAMINE", at(60), occurrence=2),
    Place("search, first byte", b"UID SEARCH", at(0)),
    Place("search, inside", b"UID SEARCH", at(15)),
    Place("metadata, first byte", b"RFC822.SIZE", at(0)),
    Place("metadata, inside", b"RFC822.SIZE", at(200)),
    Place("metadata of the second folder", b"RFC822.SIZE", at(50), occurrence=2),
    Place("bodies, first byte", b"BODY.PEEK[]", at(0)),
    Place("bodies, before the literal", b"BODY.PEEK[]", at(12)),
    Place("literal, first byte", b"BODY.PEEK[]", in_literal(0)),
    Place("literal, middle", b"BODY.PEEK[]", in_literal(0.5)),
    Place("literal, last byte", b"BODY.PEEK[]", in_literal(1)),
    Place("a later message", b"BODY.PEEK[]", at(60_000)),
    Place("a later batch, first byte", b"BODY.PEEK[]", at(0), occurrence=2),
    Place("a later batch, middle of a literal", b"BODY.PEEK[]", in_literal(0.5), occurrence=2),
    Place("logout, first byte", b"LOGOUT", at(0)),
    Place("logout, inside", b"LOGOUT", at(5)),
]
# Bytes of the whole session over TLS, from its handshake to the mail.
TLS_BYTES = [0, 1, 60, 200, 700, 1500, 2500, 3500, 5000, 20_000, 90_000]


class Network:
    def __init__(self, bench):
        self.bench = bench
        self.server = bench.serve()
        self.server.clear("Sent")
        # More than one batch (4 MB) in the first folder: the large ones are the newest and come first.
        self.server.deliver("INBOX", [rig.message(number, CONTACTS, size=9_000) for number in range(24)])
        self.server.deliver("INBOX", [rig.message(number, CONTACTS, size=2_100_000) for number in (30, 31)])
        self.server.deliver("Sent", [rig.message(number, CONTACTS) for number in range(100, 108)])
        self.expected = None
        self.longest = 0.0
        self.count = 0

    def install(self, name, proxied, security):
        home = self.bench.join(name)
        base = Installation(home).set_up(CONTACTS, proxied.port, self.server.authority)
        base.succeed("account", "edit", rig.USER, "--imap-port", str(proxied.port), "--imap-security", security)
        return base

    def all(self, base, proxied, places, kinds=KINDS):
        if self.expected is None:
            undisturbed = base.copy(self.bench.join("undisturbed"))
            run = undisturbed.sync()
            require(run.status == 0, f"the undisturbed sync failed: {run.errors}{run.output}")
            self.expected = state.lines(undisturbed)
        for place in places:
            for kind in kinds:
                self.case(base, proxied, place, kind)

    def case(self, base, proxied, place, kind):
        when = f"after {kind} at {place.name}"
        rig.progress(when)
        victim = base.copy(self.bench.join("victim"))
        proxied.spoil(place, kind)
        run = victim.sync(limit=60)
        require(proxied.was_spoiled, f"the session never came to {place.name}: {proxied.lines}")
        require(run.status in (0, 1), f"{when} the sync ended with {run.status}: {run.errors}")
        require(run.seconds < LONGEST, f"{when} the sync took {run.seconds:.1f} s")
        require(run.status == 0 or run.errors.strip(), f"{when} the sync said nothing")
        if kind in HARMLESS:
            require(run.status == 0, f"{when} the sync failed: {run.errors}")
        if run.status == 0:
            state.require_same(self.expected, state.lines(victim), f"although the sync said so, {when}")
        if kind == STALL:
            self.longest = max(self.longest, run.seconds)
        proxied.spoil(None, None)
        again = victim.sync()
        require(again.status == 0, f"{when} the next sync failed: {again.errors}")
        state.require_same(self.expected, state.lines(victim), when)
        victim.verify(when)
        self.count += 1


def torture(bench):
    network = Network(bench)
    clear = Proxy(network.server, delay=TIMEOUT_SECONDS / 3)
    base = network.install("base", clear, "none")
    if "quick" in sys.argv[1:]:
        network.all(base, clear, [place for place in PHASES if "inside" in place.name], [CUT, RESET])
        network.all(base, clear, [place for place in PHASES if place.name == "literal, middle"])
    else:
        network.all(base, clear, PHASES)
        sealed = Proxy(network.server, delay=TIMEOUT_SECONDS / 3, clear=False)
        base = network.install("base-tls", sealed, "tls")
        network.all(base, sealed, [Place(f"byte {byte} of TLS", None, at(byte)) for byte in TLS_BYTES])
    rig.progress("")
    print(
        f"network: {network.count} cases, every next sync as undisturbed, verify clean; the longest wait was "
        f"{network.longest:.1f} s with a timeout of {TIMEOUT_SECONDS} s")


if __name__ == "__main__":
    rig.main(torture)
