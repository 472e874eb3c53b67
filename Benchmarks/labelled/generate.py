#!/usr/bin/env python3
"""generate.py DIR [--messages N] [--contacts C] [--seed S]

Makes a company's mail whose right places are known: contacts in DIR/contacts.csv, a Maildir for each user
and folder in DIR/mail, and in DIR/truth.jsonl, a line a message, in whose histories it belongs and who should be
suggested for it when it waits. The program that is judged never reads that file. The same arguments make the
same bytes on every machine.
"""

import argparse
import base64
import json
import os
import random
from email.utils import formatdate

COMPANY = "firma.example"
USERS = ["anna", "boris", "vera"]
WORDS = (
    "договор поставка оплата счёт встреча склад клиент заказ отгрузка цена скидка письмо ответ вопрос проект "
    "срок смета работа бригада материал доставка офис директор бухгалтер менеджер отдел пожалуйста сегодня завтра "
    "invoice delivery payment order meeting project deadline offer contract sample catalogue warranty schedule"
).split()
FIRST = {
    "Иван": "ivan", "Пётр": "petr", "Олег": "oleg", "Сергей": "sergey", "Дмитрий": "dmitry", "Андрей": "andrey",
    "Глеб": "gleb", "Роман": "roman", "Максим": "maxim", "Никита": "nikita", "Павел": "pavel", "Юрий": "yury",
    "Анна": "anna", "Мария": "maria", "Ольга": "olga", "Елена": "elena", "Наталья": "natalia", "Юлия": "julia",
    "Вера": "vera", "Ирина": "irina", "Алла": "alla", "Нина": "nina", "Дарья": "daria", "Софья": "sofia",
}  # fmt: skip
ROOTS = {
    "Петр": "petr", "Сидор": "sidor", "Волк": "volk", "Зайц": "zayts", "Орл": "orl", "Сокол": "sokol",
    "Лебед": "lebed", "Козл": "kozl", "Новик": "novik", "Мороз": "moroz", "Павл": "pavl", "Фёдор": "fedor",
    "Громад": "gromad", "Берез": "berez", "Дубр": "dubr", "Калин": "kalin", "Рябин": "ryabin", "Журавл": "zhuravl",
    "Ковал": "koval", "Мельник": "melnik", "Пономар": "ponomar", "Столяр": "stolyar", "Токар": "tokar",
    "Рыбак": "rybak",
}  # fmt: skip
ENDINGS = {"ов": "ov", "евский": "evsky", "енко": "enko", "ин": "in", "янц": "yants", "чук": "chuk", "ишвили": "ishvili"}
TRADES = {
    "Вектор": "vektor", "Рубин": "rubin", "Гранит": "granit", "Парус": "parus", "Сфера": "sfera", "Маяк": "mayak",
    "Титан": "titan", "Прогресс": "progress", "Восход": "voshod", "Кедр": "kedr", "Янтарь": "yantar", "Эталон": "etalon",
}  # fmt: skip
KINDS = {"Строй": "stroy", "Торг": "torg", "Мед": "med", "Транс": "trans", "Снаб": "snab", "Пром": "prom", "Агро": "agro"}
YANDEX = ["yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"]
MAILRU = ["mail.ru", "bk.ru", "inbox.ru", "list.ru"]
CHARSETS = ["utf-8", "windows-1251", "koi8-r"]

# How many of 10,000 messages are of each kind.
SHARES = {
    # Belongs to contacts by an address that they have.
    "exact, incoming": 1600, "exact, outgoing": 1200, "several contacts": 700, "shared address": 200,
    "automatic, from a contact": 150, "internal with a contact": 150,
    # By an address that reaches the same mailbox.
    "Gmail spelling": 300, "Yandex spelling": 400, "tag of a provider that has tags": 300, "other spelling": 300,
    # Belongs to nobody, or to somebody whom only a person can tell.
    "internal": 300, "colleague at an organisation": 700, "new address of a contact": 700,
    "tag of a provider that may have none": 300, "answer from a new address": 500, "stranger": 900,
    "newsletter": 350, "namesake at another provider": 150, "look-alike": 150, "borrowed domain": 100, "forged name": 150,
    "known address as the name": 100,
    "forged reference": 150, "delivery report": 100, "nobody named": 50,
}  # fmt: skip


class Contact:
    def __init__(self, key, kind, name, latin, emails, organisation=None, phone=None):
        self.key, self.kind, self.name, self.latin = key, kind, name, latin
        self.emails, self.organisation, self.phone = emails, organisation, phone


def encoded(text, rng):
    if text.isascii():
        return f'"{text}"'
    charset = rng.choice(CHARSETS)
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


class World:
    """The contacts, and who is who among them."""

    def __init__(self, count, rng):
        self.rng = rng
        self.names = [
            (f"{first} {root}{ending}", f"{FIRST[first]}.{ROOTS[root]}{ENDINGS[ending]}")
            for first in FIRST for root in ROOTS for ending in ENDINGS
        ]  # fmt: skip
        rng.shuffle(self.names)
        titles = [(k + t.lower(), f"{KINDS[k]}{TRADES[t]}") for k in KINDS for t in TRADES]
        self.organisations = []
        for number, (title, latin) in enumerate(titles):
            domain = f"{latin}.example" if number % 12 else f"{title.lower()}.рф"
            self.organisations.append(
                Contact(f"o{number}", "organisation", f"ООО {title}", latin, [f"info@{domain}"]))
        self.people = []
        while len(self.people) + len(self.organisations) < count - 40:
            self.people.append(self.person())
        # Two people behind one address: a family firm, an office.
        self.sharing = []
        for number in range(20):
            pair = [self.person(), self.person()]
            for one in pair:
                one.emails = [f"office{number}@dvoe{number}.example"]
                one.organisation = None
            self.sharing.append(pair)
            self.people += pair
        self.shared = {one.key for pair in self.sharing for one in pair}
        self.single = [one for one in self.people if one.key not in self.shared]
        # A namesake could not be told apart by anybody.
        self.known_names = {one.name for one in self.people}
        self.strangers = [one for one in self.names if one[0] not in self.known_names]

    def person(self):
        name, latin = self.names.pop()
        number = len(getattr(self, "people", []))
        phone = f"+7 (9{self.rng.randint(10, 99)}) {self.rng.randint(100, 999)}-{number // 100:02d}-{number % 100:02d}"
        organisation = self.rng.choice(self.organisations) if self.rng.random() < 0.5 else None
        if organisation:
            emails = [f"{latin}@{organisation.emails[0].split('@')[1]}"]
        else:
            emails = [self.private_address(latin)]
        if self.rng.random() < 0.25:
            second = self.private_address(latin + str(self.rng.randint(60, 99)))
            emails.append(second)
        kind = "lead" if self.rng.random() < 0.2 else "person"
        return Contact(f"p{name}", kind, name, latin, emails, organisation, phone)

    def private_address(self, latin):
        provider = self.rng.choice(["gmail.com", "yandex.ru", "mail.ru", "outlook.com", "own", "rambler.ru"])
        if provider == "own":
            return f"{latin.split('.')[0]}@{latin.replace('.', '-')}.example"
        return f"{latin}@{provider}"

    def at(self, *domains):
        """A person and an address of theirs at one of the domains."""
        while True:
            one = self.rng.choice(self.single)
            for email in one.emails:
                if email.split("@")[1] in domains:
                    return one, email

    def of_organisation(self):
        while True:
            one = self.rng.choice(self.single)
            if one.organisation:
                return one


class Mail:
    """Writes messages, and what is true of them."""

    def __init__(self, directory, world, rng):
        self.directory, self.world, self.rng = directory, world, rng
        self.number = 0
        self.truth = open(os.path.join(directory, "truth.jsonl"), "w", encoding="utf-8")
        # Of outgoing mail: its Message-ID and the one contact whom it went to.
        self.sent = []

    def own(self):
        return f"{self.rng.choice(USERS)}@{COMPANY}"

    def text(self, signature=()):
        lines = [" ".join(self.rng.choices(WORDS, k=9)) for _ in range(self.rng.randint(2, 6))]
        if signature:
            lines += ["", "-- " if self.rng.random() < 0.5 else "С уважением,", *signature]
        return "\n".join(lines) + "\n"

    def write(self, kind, sender, to, histories, suggest=None, name=None, cc=(), fields=(), signature=(), body=None):
        """
        histories: keys of the contacts in whose history it must stand. suggest: the keys of which one must be
        suggested first when it waits; empty when nobody must be, None when nothing in the mail can tell.
        """
        self.number += 1
        user = next(u for u in USERS if any(f"{u}@{COMPANY}" in a for a in [sender or "", *to, *cc]))
        folder = "Sent" if sender and sender.endswith(f"@{COMPANY}") else "INBOX"
        message_id = f"{self.number}.{self.rng.getrandbits(64):x}@" + (sender or "x@nowhere.example").split("@")[-1].strip(".>").encode("idna").decode()
        moment = 1735700000 + self.number * 600
        subject = " ".join(self.rng.choices(WORDS, k=4)) + f" {self.number}"
        head = []
        if folder == "INBOX":
            head.append(f"Received: from relay{self.rng.randint(1, 9)}.example by mx.{COMPANY}; {formatdate(moment)}")
        if sender is not None:
            head.append(f"From: {encoded(name, self.rng)} <{sender}>" if name else f"From: {sender}")
        if to:
            head.append("To: " + ", ".join(to))
        if cc:
            head.append("Cc: " + ",\n ".join(cc))
        head += [f"Subject: {encoded(subject, self.rng)}", f"Date: {formatdate(moment)}", f"Message-ID: <{message_id}>", *fields]
        if body is None:
            charset = self.rng.choice(CHARSETS)
            content = base64.encodebytes(self.text(signature).encode(charset)).decode()
            head += ["MIME-Version: 1.0", f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: base64"]
        else:
            content = body
        folder_name = folder
        folder = os.path.join(self.directory, "mail", user, folder)
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        with open(os.path.join(folder, "cur", f"{moment}.{self.number:06d}.labelled:2,S"), "w", encoding="utf-8") as file:
            file.write("\n".join(head) + "\n\n" + content)
        fact = {"message_id": message_id, "kind": kind, "histories": sorted(set(histories)), "suggest": suggest, "counterpart": sender if folder_name == "INBOX" else (to or [None])[0]}
        self.truth.write(json.dumps(fact, ensure_ascii=False) + "\n")
        return message_id

    # One function for each kind of mail.

    def exact_incoming(self, kind):
        who = self.rng.choice(self.world.single)
        self.write(kind, self.rng.choice(who.emails), [self.own()], [who.key], name=who.name)

    def exact_outgoing(self, kind):
        who = self.rng.choice(self.world.single)
        message_id = self.write(kind, self.own(), [self.rng.choice(who.emails)], [who.key])
        self.sent.append((message_id, who))

    def several(self, kind):
        people = self.rng.sample(self.world.single, self.rng.randint(2, 4))
        addresses = [self.rng.choice(one.emails) for one in people]
        unknown = [f"{self.rng.choice(self.world.strangers)[1]}@neznakomy{self.number}.example"]
        if self.rng.random() < 0.5:
            self.write(kind, addresses[0], [self.own()], [p.key for p in people], name=people[0].name, cc=addresses[1:] + unknown)
        else:
            self.write(kind, self.own(), addresses[:1], [p.key for p in people], cc=addresses[1:] + unknown)

    def shared_address(self, kind):
        pair = self.rng.choice(self.world.sharing)
        self.write(kind, pair[0].emails[0], [self.own()], [one.key for one in pair], name=pair[self.rng.randint(0, 1)].name)

    def automatic(self, kind):
        who = self.rng.choice(self.world.organisations)
        domain = who.emails[0].split("@")[1].encode("idna").decode()
        fields = self.rng.choice([[f"List-Id: <news.{domain}>", "Precedence: bulk"], ["Auto-Submitted: auto-replied"]])
        self.write(kind, who.emails[0], [self.own()], [who.key], name=who.name, fields=fields)

    def internal(self, kind, with_contact=False):
        sender, recipient = self.rng.sample(USERS, 2)
        who = self.rng.choice(self.world.single)
        self.write(
            kind, f"{sender}@{COMPANY}", [f"{recipient}@{COMPANY}"], [who.key] if with_contact else [],
            suggest=None, cc=[who.emails[0]] if with_contact else [])

    def gmail(self, kind):
        who, email = self.world.at("gmail.com")
        local = email.split("@")[0].replace(".", "")
        cut = self.rng.randint(1, len(local) - 1)
        spelling = self.rng.choice([local, f"{local[:cut]}.{local[cut:]}", local.upper(), f"{local}+crm"])
        self.write(kind, f"{spelling}@{self.rng.choice(['gmail.com', 'googlemail.com', 'GMail.com'])}", [self.own()], [who.key], name=who.name)

    def yandex(self, kind):
        who, email = self.world.at("yandex.ru")
        local = email.split("@")[0]
        spelling = self.rng.choice([local, local.replace(".", "-"), local.title(), local.replace(".", "-") + "+zakaz"])
        self.write(kind, f"{spelling}@{self.rng.choice(YANDEX)}", [self.own()], [who.key], name=who.name)

    def tag(self, kind):
        who, email = self.world.at("mail.ru", "outlook.com", "gmail.com", "yandex.ru")
        local, domain = email.split("@")
        address = f"{local}+{self.rng.choice(['shop', 'crm', '2026'])}@{domain}"
        if self.rng.random() < 0.5:
            self.write(kind, address, [self.own()], [who.key], name=who.name)
        else:
            self.write(kind, self.own(), [address], [who.key])

    def spelling(self, kind):
        who = self.rng.choice(self.world.single + self.world.organisations)
        local, domain = self.rng.choice(who.emails).split("@")
        ways = [f"{local.upper()}@{domain.upper()}", f'"{local}"@{domain}', f"{local.title()}@{domain}"]
        if not domain.isascii():
            ways += [f"{local}@{domain.encode('idna').decode()}"] * 4
        self.write(kind, self.rng.choice(ways), [self.own()], [who.key], name=who.name)

    def colleague(self, kind):
        organisation = self.rng.choice(self.world.organisations)
        name, latin = self.rng.choice(self.world.strangers)
        domain = organisation.emails[0].split("@")[1]
        title = organisation.name
        self.write(
            kind, f"{latin.split('.')[1]}@{domain}", [self.own()], [], suggest=[organisation.key], name=name,
            signature=[name, title] if self.rng.random() < 0.5 else [name])

    def new_address(self, kind):
        who = self.rng.choice([one for one in self.world.single if one.organisation] if self.rng.random() < 0.3 else self.world.single)
        local = f"{who.latin.split('.')[1]}{self.rng.randint(1900, 1999)}"
        domain = self.rng.choice(["gmail.com", "yandex.ru", "mail.ru", "rambler.ru", "proton.me"])
        way = self.rng.random()
        name, latin = who.name, who.latin
        shown = {0: name, 1: " ".join(reversed(name.split())), 2: " ".join(w.title() for w in latin.split("."))}[self.rng.randint(0, 2)]
        signature = [name, f"тел. {who.phone}"] if way < 0.6 or not who.organisation else [name, who.organisation.name]
        if way < 0.15:
            # Nothing but a nickname and the number.
            shown, signature = local, [f"моб. {who.phone.replace('+7', '8').replace('(', '').replace(')', '')}"]
        self.write(kind, f"{local}@{domain}", [self.own()], [], suggest=[who.key], name=shown, signature=signature)

    def unknown_tag(self, kind):
        while True:
            who = self.rng.choice(self.world.single)
            local, domain = who.emails[0].split("@")
            if domain.endswith(".example"):
                break
        self.write(kind, f"{local}+{self.rng.choice(['crm', 'firma', 'in'])}@{domain}", [self.own()], [], suggest=[who.key], name=who.name if self.rng.random() < 0.5 else None)

    def answer(self, kind):
        message_id, who = self.rng.choice(self.sent)
        name, latin = self.rng.choice(self.world.strangers)
        self.write(
            kind, f"{latin}{self.rng.randint(1, 999)}@{self.rng.choice(['gmail.com', 'mail.ru', 'yandex.ru'])}", [self.own()], [],
            suggest=[who.key], name=name, fields=[f"In-Reply-To: <{message_id}>", f"References: <{message_id}>"])

    def stranger(self, kind):
        name, latin = self.rng.choice(self.world.strangers)
        domain = self.rng.choice(["gmail.com", "mail.ru", f"kompania{self.rng.randint(1, 5000)}.example"])
        if self.rng.random() < 0.7:
            self.write(kind, f"{latin}@{domain}", [self.own()], [], suggest=[], name=name, signature=[name, "+7 (800) 555-35-35"] if self.rng.random() < 0.3 else [])
        else:
            self.write(kind, self.own(), [f"{latin}@{domain}"], [], suggest=[])

    def newsletter(self, kind):
        domain = f"rassylka{self.rng.randint(1, 60)}.example"
        self.write(
            kind, f"news@{domain}", [self.own()], [], suggest=[], name=self.rng.choice(["Новости", "Digest", "Скидки недели"]),
            fields=[f"List-Id: <news.{domain}>", f"List-Unsubscribe: <https://{domain}/u>", "Precedence: bulk"])

    def namesake(self, kind):
        # mail.ru and bk.ru give the same name to different people.
        who, email = self.world.at("mail.ru")
        local = email.split("@")[0]
        name, _ = self.rng.choice(self.world.strangers)
        self.write(kind, f"{local}@{self.rng.choice(['bk.ru', 'inbox.ru', 'list.ru'])}", [self.own()], [], suggest=None, name=name)

    def look_alike(self, kind):
        while True:
            who = self.rng.choice(self.world.single + self.world.organisations)
            local, domain = who.emails[0].split("@")
            if domain.endswith(".example") and domain.isascii():
                break
        label = domain.split(".")[0]
        ways = [domain.replace("o", "0", 1), domain.replace("m", "rn", 1), domain.replace("l", "1", 1)]
        ways += [domain.replace(latin, cyrillic, 1) for latin, cyrillic in ("aа", "eе", "oо", "pр", "cс")]
        ways.append(domain.replace(label, label[:2] + label[3] + label[2] + label[4:]))
        ways = [way for way in ways if way.split(".")[0] != label and way.endswith(".example")]
        self.write(kind, f"{local}@{self.rng.choice(ways)}", [self.own()], [], suggest=[], name=who.name)

    def borrowed_domain(self, kind):
        # Every letter of a known domain is right, and the domain is another one.
        while True:
            who = self.rng.choice(self.world.single + self.world.organisations)
            local, domain = who.emails[0].split("@")
            if domain.endswith(".example") and domain.isascii():
                break
        domain = self.rng.choice([domain, COMPANY])
        label = domain.split(".")[0]
        ways = [f"{label}.test", f"www.{label}.test", f"{domain}.podlog.example", f"mail.{domain}.podlog.example"]
        ways += [f"{domain}-login.test"]
        # A short name with a word is mostly another company's.
        ways += [f"{label}-support.example", f"my-{label}.test"] if len(label) > 5 else []
        self.write(kind, f"{local}@{self.rng.choice(ways)}", [self.own()], [], suggest=[], name=who.name)

    def address_as_name(self, kind):
        who = self.rng.choice(self.world.single)
        name = self.rng.choice([who.emails[0], f"{who.name} <{who.emails[0]}>", self.own()])
        self.write(kind, f"bill{self.rng.randint(1, 9999)}@{self.rng.choice(['gmail.com', f'obman{self.number}.example'])}", [self.own()], [], suggest=[], name=name)

    def forged_name(self, kind):
        # The name says one thing, the address another. A contact's new address has no other look.
        who = self.rng.choice(self.world.single)
        name = self.rng.choice([who.name, f"{who.name} via CRM"])
        self.write(kind, f"bill{self.rng.randint(1, 9999)}@{self.rng.choice(['gmail.com', f'obman{self.number}.example'])}", [self.own()], [], suggest=None, name=name)

    def forged_reference(self, kind):
        message_id, _ = self.rng.choice(self.sent)
        forged = self.rng.choice([message_id, f"{self.rng.getrandbits(90):x}@{COMPANY}"])
        self.write(
            kind, f"x{self.rng.getrandbits(30):x}@podlog{self.rng.randint(1, 400)}.example", [self.own()], [], suggest=None,
            name="Support", fields=[f"References: <{forged}>", f"In-Reply-To: <{forged}>"])

    def delivery_report(self, kind):
        who = self.rng.choice(self.world.single)
        email = who.emails[0].split("@")[0] + "@" + who.emails[0].split("@")[1].encode("idna").decode()
        body = (
            "--r\nContent-Type: text/plain\n\n550 5.1.1 no such user\n"
            f"--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.{COMPANY}\n\n"
            f"Final-Recipient: rfc822; {email}\nAction: failed\nStatus: 5.1.1\n\n"
            f"--r\nContent-Type: message/rfc822\n\nFrom: anna@{COMPANY}\nTo: {email}\nSubject: x\n"
            f"Message-ID: <{self.rng.getrandbits(80):x}@{COMPANY}>\n\nx\n--r--\n"
        )
        self.write(
            kind, f"mailer-daemon@relay{self.rng.randint(1, 50)}.example", [self.own()], [], suggest=None, name=who.name,
            fields=["Auto-Submitted: auto-replied", "MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="r"'],
            body=body)

    def nobody(self, kind):
        self.write(kind, None, [self.own()], [], suggest=[], fields=["X-Gateway: fax"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--contacts", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    os.makedirs(options.directory)
    world = World(options.contacts, rng)
    with open(os.path.join(options.directory, "contacts.csv"), "w", encoding="utf-8") as file:
        file.write("external_id,kind,name,emails,organisation,phones\n")
        for one in world.organisations + world.people:
            organisation = one.organisation.name if one.organisation else ""
            file.write(f"{one.key},{one.kind},{one.name},{';'.join(one.emails)},{organisation},{one.phone or ''}\n")
    mail = Mail(options.directory, world, rng)
    writers = {
        "exact, incoming": mail.exact_incoming, "exact, outgoing": mail.exact_outgoing, "several contacts": mail.several,
        "shared address": mail.shared_address, "automatic, from a contact": mail.automatic,
        "internal with a contact": lambda kind: mail.internal(kind, with_contact=True), "Gmail spelling": mail.gmail,
        "Yandex spelling": mail.yandex, "tag of a provider that has tags": mail.tag, "other spelling": mail.spelling,
        "internal": mail.internal, "colleague at an organisation": mail.colleague, "new address of a contact": mail.new_address,
        "tag of a provider that may have none": mail.unknown_tag, "answer from a new address": mail.answer,
        "stranger": mail.stranger, "newsletter": mail.newsletter, "namesake at another provider": mail.namesake,
        "look-alike": mail.look_alike, "borrowed domain": mail.borrowed_domain,
        "known address as the name": mail.address_as_name, "forged name": mail.forged_name, "forged reference": mail.forged_reference,
        "delivery report": mail.delivery_report, "nobody named": mail.nobody,
    }  # fmt: skip
    plan = [kind for kind, share in SHARES.items() for _ in range(max(1, share * options.messages // 10000))]
    rng.shuffle(plan)
    # What is answered must have been sent before.
    plan.sort(key=lambda kind: kind != "exact, outgoing")
    for kind in plan:
        writers[kind](kind)
    mail.truth.close()


if __name__ == "__main__":
    main()
