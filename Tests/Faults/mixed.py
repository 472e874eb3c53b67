"""mixed [N [KIND...]]: what scripts/against-smtp-servers runs; see there."""

import collections
import email
import email.header
import email.policy
import email.utils
import json
import os
import random
import re
import subprocess
import sys
import time

import rig
from rig import require
from send import Office

CONTACTS = 40
KINDS = ("postfix", "exim", "opensmtpd")
PACKAGES = {"postfix": "postfix", "exim": "exim4-daemon-light", "opensmtpd": "opensmtpd"}
# What a server on the way may put in front of a mail.
TRACES = {b"return-path", b"delivered-to", b"x-original-to", b"envelope-to", b"delivery-date", b"received"}


def ends_of_data():
    """The lines of Fixtures/smtp/end-of-data.txt."""
    signs = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    with open(os.path.join(rig.ROOT, "Fixtures/smtp/end-of-data.txt"), encoding="ascii") as file:
        lines = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    require(len(lines) >= 40, "there are too few forms of an end of data")
    found = []
    for line in lines:
        line = re.sub(r"%(\d+)(.)%", lambda match: match[2] * int(match[1]), line)
        octets = re.sub(r"\\(x..|.)", lambda match: signs.get(match[1]) or chr(int(match[1][1:], 16)), line)
        found.append(octets.encode("latin-1").decode())
    return found


class Mixture:
    """Mails of every kind that people write, made from one seed."""

    NAMES = ["Иван Петров", "Мария Ивановна Щербакова-Длиннофамильная", "O'Neil, Pat", 'The "Boss"', "山田太郎",
             "محمد علي", "Zoë Müller", "👩‍💻 Anna", "=?utf-8?Q?not?=", "a@b.example"]  # fmt: skip
    WORDS = "договор поставка счёт оплата срок письмо ответ вопрос hello world ёлка 注文 αβγ naïve €100 😀".split()

    def __init__(self, folder, seed=2026):
        self.folder, self.random = folder, random.Random(seed)
        self.ends = ends_of_data()
        os.makedirs(folder)

    def file(self, name, data):
        path = os.path.join(self.folder, str(len(os.listdir(self.folder))), name)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as out:
            out.write(data)
        return path

    def words(self, count):
        return " ".join(self.random.choice(self.WORDS) for _ in range(count))

    def recipients(self, count):
        chosen = self.random.sample(range(CONTACTS), count)
        return [f"{self.random.choice(self.NAMES)} <{rig.contact(n)}>" for n in chosen]

    def mail(self, number):
        """One request of `send`, of the kind that its number says."""
        mail = {"account": rig.USER, "to": self.recipients(1), "idempotency_key": f"mixed-{number}"}
        mail["subject"] = f"{number} {self.words(self.random.randint(0, 30))}".strip()
        mail["text"] = "\n".join(self.words(self.random.randint(0, 12)) for _ in range(8)).strip() or "-"
        kind = number % 12
        if kind == 0:
            mail["text"], mail["subject"] = "Plain ASCII text.\n\n-- \nAnna", f"{number} plain"
        elif kind == 1:
            mail["html"] = f"<html><body><h1>{self.words(5)}</h1><p>{self.words(40)}</p></body></html>"
        elif kind == 2:
            picture = self.file("logo.png", b"\x89PNG\r\n\x1a\n" + self.random.randbytes(3000))
            mail["html"] = f'<p>{self.words(9)}</p><img src="cid:logo.png">'
            mail["inline_images"] = [picture]
        elif kind == 3:
            mail["attachments"] = [
                self.file("Договор № 7 (подписан).pdf", b"%PDF-1.4\r\n" + self.random.randbytes(50_000)),
                self.file("empty.txt", b""), self.file("data.csv", "имя;сумма\r\nИван;1\r\n".encode())]  # fmt: skip
        elif kind == 4:
            mail["text"] = "x" * self.random.choice([997, 998, 999, 5000]) + "\n" + "щ" * 3000 + "\n" + "a b " * 2000
        elif kind == 5:
            mail["text"] = ".\n..\n.\n\n.dot\n...\nFrom here\n>From there\n.\r\n.\n \t trailing \t \n=3D=\n.\n-"
            for turn in (number // 12 * 2, number // 12 * 2 + 1):
                mail["text"] += self.ends[turn % len(self.ends)] + f"after {turn}"
        elif kind == 6:
            people = self.recipients(7)
            mail["to"], mail["cc"], mail["bcc"] = people[:3], people[3:5], people[5:]
        elif kind == 7:
            mail["subject"] = f"{number} " + self.words(120)
        elif kind == 8:
            size = 9_000_000 if number % 60 == 8 else 400_000
            mail["attachments"] = [self.file("large.bin", self.random.randbytes(size))]
        elif kind == 9:
            enclosed = b"From: a@b.example\r\nSubject: inner\r\n\r\n.\r\ninner text\r\n"
            mail["attachments"] = [self.file("inner.eml", enclosed)]
        elif kind == 10:
            mail["html"] = "<p>" + self.words(10) + "</p>"
            del mail["text"]
        elif kind == 11:
            mail["to"].append("Nobody <unknown@client.example>")
        return mail

    @staticmethod
    def lost(number):
        """One that nobody takes, between others on the same connections."""
        return {
            "account": rig.USER, "to": ["Nobody <unknown@client.example>"], "idempotency_key": f"lost-{number}",
            "subject": f"{number} lost", "text": "-"}  # fmt: skip


def addresses(mail, *keys):
    return [entry[entry.rindex("<") + 1 : -1] for key in keys for entry in mail.get(key, [])]


def names(mail, key):
    return [(entry[: entry.rindex("<")].strip(), entry[entry.rindex("<") + 1 : -1]) for entry in mail.get(key, [])]


def plain_lines(data):
    return data.replace(b"\r\n", b"\n")


def lines_of(text):
    """What is kept of a text: any line end is one, and other control characters than tabs go."""
    lines = re.sub("\r\n|[\r\x0b\x0c]", "\n", text)
    return re.sub("[\0-\x08\x0e-\x1f\x7f]", "", lines)


def people(data, key):
    """Names and addresses. By the old interface of Python's parser: the new one leaves the space between two
    encoded words of a name."""
    old = email.message_from_bytes(data, policy=email.policy.compat32)
    fields = [" ".join(value.split()) for value in old.get_all(key, [])]
    return [
        (str(email.header.make_header(email.header.decode_header(name))), address)
        for name, address in email.utils.getaddresses(fields)
    ]


def body(message, kind):
    part = message.get_body((kind,))
    return part and part.get_content().replace("\r\n", "\n").rstrip("\n")


class Arrived:
    """A file of the server's Maildir: who it is for, and the mail without what the server put in front."""

    def __init__(self, path):
        with open(path, "rb") as file:
            rest = plain_lines(file.read())
        self.recipient = None
        while True:
            end = 0
            while True:
                end = rest.index(b"\n", end) + 1
                if rest[end : end + 1] not in (b" ", b"\t"):
                    break
            name, value = rest[:end].split(b":", 1)
            if name.lower() not in TRACES:
                break
            if name.lower() in (b"delivered-to", b"envelope-to"):
                self.recipient = value.decode().strip()
            rest = rest[end:]
        self.data = rest
        self.message = email.message_from_bytes(rest, policy=email.policy.default)
        self.message_id = str(self.message["Message-ID"]).strip("<> ")

    def check(self, mail, when):
        """What Python's own parser reads against what was written."""
        read = self.message
        require(read["Subject"] == " ".join(mail["subject"].split()), f"{when} the subject is {read['Subject']!r}")
        for key in ("to", "cc"):
            found = people(self.data, key)
            require(found == names(mail, key), f"{when} {key} is {found}")
        require(read["Bcc"] is None, f"{when} it has a Bcc field")
        require(all(line.isascii() and len(line) <= 998 for line in self.data.split(b"\n")), f"{when} not plain lines")
        if "html" in mail:
            # Pictures stand under identifiers of the mail in place of their files' names.
            html = body(read, "html")
            for part in read.walk():
                if part["Content-ID"]:
                    html = html.replace("cid:" + part["Content-ID"].strip("<>"), "cid:" + part.get_filename())
            require(html == mail["html"], f"{when} the HTML is another")
        text = body(read, "plain")
        require(text is not None, f"{when} there is no text")
        if "text" in mail:
            require(text == lines_of(mail["text"]).rstrip("\n"), f"{when} the text is another")
        parts = [part for part in read.walk() if part.get_filename()]
        files = [(part.get_filename(), self.bytes(part)) for part in parts]
        wanted = []
        for path in mail.get("inline_images", []) + mail.get("attachments", []):
            with open(path, "rb") as file:
                wanted.append((os.path.basename(path), file.read()))
        require(files == wanted, f"{when} the files are {[(name, len(data)) for name, data in files]}")
        inline = [part["Content-ID"] for part in parts if part["Content-ID"]]
        require(len(inline) == len(mail.get("inline_images", [])), f"{when} the images are {inline}")

    @staticmethod
    def bytes(part):
        if part.get_content_type() == "message/rfc822":
            return part.get_payload(0).as_bytes().replace(b"\n", b"\r\n")
        return part.get_payload(decode=True)


class Comparison:
    def __init__(self, bench, kind, count):
        self.bench, self.kind, self.count = bench, kind, count
        self.directory = bench.join(kind)
        os.makedirs(self.directory)
        with open(os.path.join(self.directory, "users"), "w", encoding="utf-8") as file:
            file.write(f"{rig.USER}:{rig.PASSWORD}\n")

    def script(self, action, *words):
        done = subprocess.run(
            [os.path.join(rig.ROOT, "scripts/smtp-server"), self.kind, action, self.directory, *words],
            capture_output=True)  # fmt: skip
        require(done.returncode == 0, f"{self.kind} {action}: {done.stderr.decode()}")
        return done.stdout.decode()

    def arrived(self):
        """Every file of the Maildir."""
        folder = os.path.join(self.facts["maildir"], "new")
        return [Arrived(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]

    def wait_for(self, expected):
        """Until there are so many files, or two minutes are over."""
        folder = os.path.join(self.facts["maildir"], "new")
        end = time.monotonic() + 120
        while len(os.listdir(folder)) < expected and time.monotonic() < end:
            time.sleep(0.1)

    def run(self):
        self.facts = dict(line.split("=", 1) for line in self.script("start", "0").splitlines())
        server = self.bench.server
        server.clear("Sent")
        security, port = ("tls", "smtps_port") if self.kind == "exim" else ("starttls", "smtp_port")
        # One authority signs for both: the account has one file of it.
        authority = os.path.join(self.directory, "both.pem")
        with open(authority, "w", encoding="utf-8") as both:
            for path in (server.authority, self.facts["ca_file"]):
                with open(path, encoding="utf-8") as one:
                    both.write(one.read())
        sending = ["--smtp-host", "127.0.0.1", "--smtp-port", self.facts[port], "--smtp-security", security]
        office = Office.open(os.path.join(self.directory, "home"), CONTACTS, server, None, sending, authority)
        mixture = Mixture(os.path.join(self.directory, "files"))
        mails, lost = {}, 0
        for number in range(self.count):
            rig.progress(f"{self.kind}: {number + 1} of {self.count} queued")
            mail = mixture.mail(number)
            answer = office.installation.succeed("send", "--json", input=json.dumps(mail).encode())
            mails[json.loads(answer.output)["message_id"]] = mail
            if number % 20 == 19:
                lost += 1
                office.installation.succeed("send", "--json", input=json.dumps(mixture.lost(number)).encode())
        rig.progress(f"{self.kind}: sending")
        started = time.monotonic()
        office.settle(self.kind, limit=600)
        seconds = time.monotonic() - started

        expected = collections.Counter()
        for name, mail in mails.items():
            for address in addresses(mail, "to", "cc", "bcc"):
                if not address.startswith("unknown"):
                    expected[name, address] += 1
        self.wait_for(len(expected))
        found, first = collections.Counter(), {}
        for mail in self.arrived():
            found[mail.message_id, mail.recipient] += 1
            first.setdefault(mail.message_id, mail)
            require(first[mail.message_id].data == mail.data, f"{self.kind}: {mail.recipient} has other bytes than others")
        require(found == expected, f"{self.kind}: missing {expected - found}, too many {found - expected}")
        for number, (name, mail) in enumerate(mails.items()):
            first[name].check(mail, f"{self.kind}: mail {number}:")
        self.check_states(office, len(mails) + lost)
        self.check_copies(office, first, mails)
        self.check_histories(office, mails)
        office.installation.verify(self.kind)
        version = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", PACKAGES[self.kind]], capture_output=True, text=True).stdout  # fmt: skip
        return f"| {self.kind} {version} | {security} | {self.count} | {len(expected)} | all, to the byte | each once | each once | {seconds:.0f} s |"

    def check_states(self, office, count):
        """Refused recipients have failed, all others have the mail."""
        for name, address, kind, code in office.rows(
            "SELECT o.message_id, r.email, r.state, r.code FROM outbox o JOIN outbox_recipients r ON r.item = o.id"):  # fmt: skip
            wanted = ("failed", 550) if address.startswith("unknown") else ("sent", 250)
            require((kind, code) == wanted, f"{self.kind}: {address} of {name} is {kind} ({code})")
        require(office.rows("SELECT count(*) FROM outbox")[0][0] == count, f"{self.kind}: mails are missing")

    def check_copies(self, office, first, mails):
        copies = collections.Counter()
        for path in office.server.files("Sent"):
            with open(path, "rb") as file:
                data = plain_lines(file.read())
            read = email.message_from_bytes(data, policy=email.policy.default)
            name = str(read["Message-ID"]).strip("<> ")
            copies[name] += 1
            blind = [a.addr_spec for a in read["Bcc"].addresses] if read["Bcc"] else []
            require(blind == addresses(mails[name], "bcc"), f"{self.kind}: the copy of {name} has Bcc {blind}")
            if not blind:
                require(data == first[name].data, f"{self.kind}: the copy of {name} has other bytes")
        require(copies == collections.Counter(list(mails)), f"{self.kind}: Sent has {copies.total()} copies of {len(mails)} mails")

    def check_histories(self, office, mails):
        """At once, and the same when the Sent folder has been polled: one message, one entry a contact."""
        wanted = collections.Counter()
        for mail in mails.values():
            for address in addresses(mail, "to", "cc", "bcc"):
                if not address.startswith("unknown"):
                    wanted["c" + address.split("@")[0].removeprefix("contact")] += 1
        for when in ("at once", "after a poll"):
            found = collections.Counter(
                dict(office.rows(
                    "SELECT c.external_id, count(*) FROM history h JOIN contacts c ON c.id = h.contact"
                    " WHERE h.removed_at IS NULL GROUP BY c.id")))  # fmt: skip
            require(found == wanted, f"{self.kind}: histories {when}: missing {wanted - found}, too many {found - wanted}")
            if when == "at once":
                office.installation.succeed("sync")


def compare(bench):
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    lines = []
    bench.serve()
    for kind in sys.argv[2:] or KINDS:
        comparison = Comparison(bench, kind, count)
        try:
            lines.append(comparison.run())
        finally:
            comparison.script("stop")
    rig.progress("")
    print("| server | security | mails | recipients | arrived | in Sent | in the histories | time |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    rig.main(compare)
