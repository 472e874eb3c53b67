#!/usr/bin/env python3
"""crowd.py DIR --contacts N --waiting W --queue Q [--lookups L] [--seed S]

Makes what a company with very many contacts has: DIR/contacts-0.csv and so on (N contacts, 100,000 a file), DIR/addresses
(L addresses to look up: half are contacts', as they or their providers spell them, half are nobody's), DIR/waiting (a
Maildir of W messages of one stranger) and DIR/queue (one of Q messages of as many strangers). The same arguments make the
same bytes on every machine.
"""

import argparse
import os
import random
from email.utils import formatdate

FIRST = "ivan petr oleg sergey dmitry andrey gleb roman maxim nikita pavel yury anna maria olga elena vera irina".split()
LAST = "petrov sidorov volkov zaitsev orlov sokolov lebedev kozlov novikov morozov pavlov fedorov belov karpov".split()
PROVIDERS = ["gmail.com", "yandex.ru", "mail.ru", "outlook.com"]
PART = 100_000
STRANGER = "many@letters.example"


def name(number):
    """One that some other contacts have, too."""
    middle = chr(ord("A") + number // 11 % 26)
    return f"{FIRST[number % len(FIRST)].title()} {middle}. {LAST[number // 7 % len(LAST)].title()}"


def address(number, rng):
    """A contact's address: a third at providers, the others at some hundred thousand domains of companies."""
    local = f"{FIRST[number % len(FIRST)]}.{LAST[number // 7 % len(LAST)]}{number}"
    if number % 3 == 0:
        return f"{local}@{PROVIDERS[number // 3 % len(PROVIDERS)]}"
    return f"{local}@company{number // 8}.example"


def spelling(email, rng):
    local, domain = email.split("@")
    kind = rng.randrange(4)
    if kind == 0 and domain in PROVIDERS:
        return f"{local}+crm@{domain}"
    if kind == 1 and domain == "gmail.com":
        return f"{local.replace('.', '')}@googlemail.com"
    if kind == 1 and domain == "yandex.ru":
        return f"{local.replace('.', '-')}@ya.ru"
    return email.upper() if kind == 2 else email


def maildir(directory, senders):
    for folder in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(directory, folder))
    for number, sender in enumerate(senders):
        moment = 1700000000 + 60 * number
        message = (
            f"Received: from mx.example by firma.example; {formatdate(moment)}\n"
            f"From: {name(number)} <{sender}>\nTo: bench@firma.example\nSubject: Letter {number}\n"
            f"Message-ID: <{number}.crowd@{sender.split('@')[1]}>\nDate: {formatdate(moment)}\n\nLetter {number}.\n"
        )
        with open(os.path.join(directory, "cur", f"{moment}.{number}.crowd:2,S"), "w", encoding="utf-8") as file:
            file.write(message)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    for option in ("contacts", "waiting", "queue"):
        parser.add_argument(f"--{option}", type=int, required=True)
    parser.add_argument("--lookups", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    os.makedirs(options.directory)
    for part in range(0, options.contacts, PART):
        with open(os.path.join(options.directory, f"contacts-{part // PART}.csv"), "w", encoding="utf-8") as file:
            file.write("external_id,kind,name,emails\n")
            for number in range(part, min(options.contacts, part + PART)):
                email = address(number, rng)
                file.write(f"c{number},person,{name(number)},{email}\n")
    with open(os.path.join(options.directory, "addresses"), "w", encoding="utf-8") as file:
        for number in range(options.lookups):
            if number % 2:
                file.write(f"nobody{rng.randrange(10 ** 9)}@company{rng.randrange(10 ** 6)}.example\n")
            else:
                file.write(spelling(address(rng.randrange(options.contacts), rng), rng) + "\n")
    maildir(os.path.join(options.directory, "waiting"), (STRANGER for _ in range(options.waiting)))
    # Nobody looks like anybody: digits tell them apart.
    maildir(
        os.path.join(options.directory, "queue"),
        (f"writer{n}@house{n % 9973}-{n // 9973}.example" for n in range(options.queue)))


main()
