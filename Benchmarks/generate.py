#!/usr/bin/env python3
"""generate.py N DIR [--contacts C] [--seed S]

Makes the mail of one user, bench@firma.example: N messages of about 8 KB in
DIR/INBOX and DIR/Sent (one file each, line ends as in a Maildir), contacts in
DIR/contacts.csv, and in DIR/truth.json what must become of them. The same
arguments make the same bytes on every machine.

About a third is Russian in each of UTF-8, windows-1251 and KOI8-R; 8bit,
quoted-printable and base64; plain, HTML with an alternative, and with
attachments. Of INBOX 67 % come from contacts, 27 % from strangers, 3 % are second
copies of earlier mail with other Received fields, 3 % are from a colleague.
"""

import argparse
import base64
import json
import os
import quopri
import random
import sys
from email.utils import formatdate

WORDS = (
    "договор поставка оплата счёт встреча склад клиент заказ отгрузка цена скидка письмо ответ вопрос проект "
    "срок смета работа бригада материал доставка адрес телефон офис директор бухгалтер менеджер отдел компания "
    "пожалуйста сегодня завтра понедельник утром вечером подтвердите пришлите согласны приложение документ акт "
    "сверка остаток партия качество гарантия возврат замена монтаж наладка чертёж образец каталог прайс новый"
).split()
ENGLISH = (
    "invoice delivery payment order meeting project deadline offer contract sample catalogue warranty schedule "
    "regards attached please confirm tomorrow office manager account customer price discount question answer"
).split()
FIRST = "Иван Пётр Анна Мария Олег Ольга Сергей Елена Дмитрий Наталья Андрей Юлия Глеб Вера Роман Ирина".split()
LAST = "Петров Сидоров Волков Зайцев Орлов Соколов Лебедев Козлов Новиков Морозов Павлов Фёдоров".split()
CHARSETS = ["utf-8", "windows-1251", "koi8-r"]


def text(rng, size, words):
    """About `size` characters of prose in lines of at most 72."""
    lines, line = [], ""
    while size > 0:
        word = rng.choice(words)
        if rng.random() < 0.1:
            word = word.capitalize()
        if len(line) + len(word) > 70:
            lines.append(line)
            size -= len(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\n".join(lines + [line]) + "\n"


def encoded_word(value, charset):
    if value.isascii():
        return value
    return f"=?{charset}?B?{base64.b64encode(value.encode(charset)).decode()}?="


def encoded_words(value, charset):
    """Each word apart, as RFC 2047 limits an encoded word to 75 characters."""
    return "\n ".join(encoded_word(value[i : i + 20], charset) for i in range(0, len(value), 20))


def part(content, content_type, charset, transfer):
    data = content.encode(charset)
    if transfer == "base64":
        body = base64.encodebytes(data)
    elif transfer == "quoted-printable":
        body = quopri.encodestring(data)
    else:
        body = data
    head = f"Content-Type: {content_type}; charset={charset}\nContent-Transfer-Encoding: {transfer}\n\n"
    return head.encode() + body


def body(rng, number):
    charset = rng.choice(CHARSETS)
    transfer = rng.choice(["8bit", "base64", "quoted-printable"])
    words = WORDS if rng.random() < 0.85 else ENGLISH
    # What each transfer encoding makes of a Cyrillic character, to stay near 8 KB.
    growth = {"8bit": 1, "base64": 1.4, "quoted-printable": 2.7}[transfer]
    if words is WORDS and charset == "utf-8":
        growth *= 1.85
    room = int(rng.choice([2500, 5000, 8000, 12000]) / growth)
    kind = rng.random()
    if kind < 0.4:
        return part(text(rng, room, words), "text/plain", charset, transfer)
    edge = f"=_edge_{number}_{rng.getrandbits(48):x}"
    if kind < 0.75:
        plain = text(rng, room * 2 // 5, words)
        html = "<html><head><style>p { margin: 0 }</style></head><body>" + "".join(
            f"<p>{line}</p>\n" for line in plain.splitlines()
        ) + "</body></html>\n"
        subtype, parts = "alternative", [
            part(plain, "text/plain", charset, transfer),
            part(html, "text/html", charset, transfer),
        ]
    else:
        subtype, parts = "mixed", [part(text(rng, room // 2, words), "text/plain", charset, transfer)]
        for index in range(rng.choice([1, 1, 2])):
            name = f"{rng.choice(WORDS)} {number}-{index}.pdf"
            quoted = "".join(f"%{byte:02X}" for byte in name.encode())
            parts.append(
                "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
                f"Content-Disposition: attachment; filename*=utf-8''{quoted}\n\n".encode()
                + base64.encodebytes(rng.randbytes(rng.choice([1500, 3000, 4500])))
            )
    head = f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="{edge}"\n\n'.encode()
    return head + b"".join(b"--%s\n%s\n" % (edge.encode(), one) for one in parts) + f"--{edge}--\n".encode()


def message(rng, number, sender, recipients, cc):
    charset = rng.choice(CHARSETS)
    subject = " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 6))) + f" {number}"
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    lines = [
        f"From: {encoded_word(name, charset)} <{sender}>",
        "To: " + ",\n ".join(recipients),
    ]
    if cc:
        lines.append("Cc: " + ",\n ".join(cc))
    lines += [
        f"Subject: {encoded_words(subject, charset)}",
        f"Date: {formatdate(1735700000 + number * 600)}",
        f"Message-ID: <{number}.{rng.getrandbits(64):x}@{sender.split('@')[1]}>",
    ]
    content = body(rng, number)
    if not content.startswith(b"MIME-Version"):
        lines.append("MIME-Version: 1.0")
    return "\n".join(lines).encode() + b"\n" + content


def received(rng, number):
    return (
        f"Received: from relay{rng.randint(1, 9)}.example by mx.firma.example with ESMTPS id {rng.getrandbits(60):x}\n"
        f" for <bench@firma.example>; {formatdate(1735700000 + number * 600)}\n"
    ).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("directory")
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    target = arguments.directory
    for folder in ("INBOX", "Sent"):
        os.makedirs(os.path.join(target, folder))

    # Every third contact has a second address; mail comes from either.
    contacts = []
    with open(os.path.join(target, "contacts.csv"), "w", encoding="utf-8") as sheet:
        sheet.write("external_id,kind,name,emails,organisation,owner,do_not_email\n")
        for index in range(arguments.contacts):
            emails = [f"contact{index}@client{index % 97}.example"]
            if index % 3 == 0:
                emails.append(f"c.{index}@private.example")
            contacts.append(emails)
            kind = ("person", "lead", "person", "person")[index % 4]
            sheet.write(f"c{index},{kind},{rng.choice(FIRST)} {rng.choice(LAST)} {index},{';'.join(emails)},,bench,\n")

    truth = {
        "messages": arguments.n, "bytes": 0, "folders": {"INBOX": 0, "Sent": 0},
        "linked": 0, "history": 0, "review": 0, "duplicates": 0, "ignored": 0,
    }  # fmt: skip
    earlier = []

    def participants(count):
        chosen = rng.sample(range(len(contacts)), count)
        return [rng.choice(contacts[index]) for index in chosen]

    for number in range(arguments.n):
        folder = "Sent" if number % 5 == 4 else "INBOX"
        kind = rng.random()
        others = rng.choice([0, 0, 0, 1, 2])
        if folder == "Sent":
            if kind < 0.75:
                people = participants(1 + others)
                content = message(rng, number, "bench@firma.example", people[:1], people[1:])
                truth["linked"] += 1
                truth["history"] += len(people)
            else:
                content = message(
                    rng, number, "bench@firma.example", [f"prospect{rng.randrange(5000)}@new.example"], [])
                truth["review"] += 1
        else:
            if kind < 0.03 and earlier:
                content = rng.choice(earlier)
                truth["duplicates"] += 1
            elif kind < 0.06:
                content = message(rng, number, "colleague@firma.example", ["bench@firma.example"], [])
                truth["ignored"] += 1
            elif kind < 0.33:
                content = message(
                    rng, number, f"stranger{rng.randrange(5000)}@unknown{number % 300}.example",
                    ["bench@firma.example"], [])
                truth["review"] += 1
            else:
                people = participants(1 + others)
                content = message(rng, number, people[0], ["bench@firma.example"], people[1:])
                truth["linked"] += 1
                truth["history"] += len(people)
            if number % 10 == 0 and kind >= 0.06:
                earlier.append(content)
            content = received(rng, number) + content
        truth["folders"][folder] += 1
        truth["bytes"] += len(content)
        name = f"{1735700000 + number:010d}.M{number:06d}P1.bench"
        with open(os.path.join(target, folder, name), "wb") as file:
            file.write(content)

    with open(os.path.join(target, "truth.json"), "w", encoding="utf-8") as file:
        json.dump(truth, file, indent=2)
        file.write("\n")
    json.dump(truth, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
