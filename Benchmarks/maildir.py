#!/usr/bin/env python3
"""maildir.py N DIR [--contacts C] [--seed S]

Makes a Maildir of N small messages (about 1 KB: header and a few lines, half of them Russian) in
DIR/cur and contacts in DIR/contacts.csv. Half of the mail is with contacts. The same
arguments make the same bytes on every machine.
"""

import argparse
import base64
import os
import random
from email.utils import formatdate

WORDS = (
    "договор поставка оплата счёт встреча склад клиент заказ отгрузка цена скидка письмо ответ вопрос проект "
    "invoice delivery payment order meeting project deadline offer contract sample catalogue warranty schedule"
).split()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("directory")
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(options.directory, name))
    with open(os.path.join(options.directory, "contacts.csv"), "w") as file:
        file.write("external_id,kind,name,emails\n")
        for number in range(options.contacts):
            file.write(f"c{number},person,Contact {number},contact{number}@client{number}.example\n")
    strangers = max(100, options.count // 20)
    for number in range(options.count):
        known = rng.random() < 0.5
        who = rng.randrange(options.contacts if known else strangers)
        sender = f"contact{who}@client{who}.example" if known else f"person{who}@stranger{who % 997}.example"
        subject = " ".join(rng.choices(WORDS, k=4)) + f" {number}"
        encoded = base64.b64encode(subject.encode()).decode()
        body = "\n".join(" ".join(rng.choices(WORDS, k=8)) for _ in range(6))
        message = (
            f"Return-Path: <{sender}>\n"
            f"Received: from mx{number % 9}.example by firma.example; {formatdate(1600000000 + 60 * number)}\n"
            f"From: Person {who} <{sender}>\nTo: bench@firma.example\nSubject: =?utf-8?B?{encoded}?=\n"
            f"Message-ID: <{number}.{rng.getrandbits(48):x}@{sender.split('@')[1]}>\n"
            f"Date: {formatdate(1600000000 + 60 * number)}\nMIME-Version: 1.0\n"
            f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n"
        )
        path = os.path.join(options.directory, "cur", f"{1600000000 + number}.{number}.bench:2,S")
        with open(path, "w") as file:
            file.write(message)


main()
