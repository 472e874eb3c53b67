#!/usr/bin/env python3
"""The mailboxes of a company of many users, for the benchmarks of many accounts.

fleet.py config ACCOUNTS FILE [key=value…]   appends an [[account]] for each mailbox to a configuration;
                                             users u0001 … with the password fleet-password
fleet.py users ACCOUNTS FILE                 the same users for scripts/dovecot
fleet.py deliver ACCOUNTS MESSAGES ROUND DIR puts MESSAGES messages of about 4 KB into each Maildir below DIR;
                                             ROUND tells one delivery from the next
fleet.py contacts ACCOUNTS FILE              the contacts that most of them come from, as CSV

The same arguments make the same messages on every machine.
"""

import os
import random
import sys

WORDS = (
    "договор поставка оплата счёт встреча склад клиент заказ отгрузка цена скидка письмо ответ вопрос проект срок "
    "смета работа материал доставка адрес телефон офис директор бухгалтер отдел компания сегодня завтра"
).split()
PASSWORD = "fleet-password"
SENDERS_PER_MAILBOX = 3


def name(index):
    return f"u{index:04d}"


def sender(index, number):
    return f"partner{number % SENDERS_PER_MAILBOX}.{name(index)}@klient.example"


def message(index, round_name, number):
    """One message; every fourth comes from a stranger."""
    rng = random.Random(f"{index} {round_name} {number}")
    stranger = number % 4 == 3
    address = f"chuzhoy{rng.randrange(10**9)}@nigde.example" if stranger else sender(index, number)
    body = "\n".join(" ".join(rng.choice(WORDS) for _ in range(8)) for _ in range(30))
    return (
        f"Return-Path: <{address}>\n"
        f"Received: from mx.klient.example by mx.firma.example; Mon, 3 Feb 2025 10:00:00 +0300\n"
        f"From: {address}\nTo: {name(index)}@firma.example\n"
        f"Subject: Nr {number} {round_name}\nDate: Mon, 3 Feb 2025 09:59:{number % 60:02d} +0300\n"
        f"Message-ID: <{name(index)}.{round_name}.{number}@klient.example>\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        f"{body}\n"
    ).encode()


def maildir(directory, index):
    path = os.path.join(directory, name(index), "Maildir")
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(path, part), mode=0o700, exist_ok=True)
    return path


def put(path, file_name, content, owner):
    """As a delivery agent does it: written in tmp, then renamed into new."""
    temporary = os.path.join(path, "tmp", file_name)
    with open(temporary, "wb") as file:
        file.write(content)
    os.chown(temporary, *owner)
    os.rename(temporary, os.path.join(path, "new", file_name))


def owner_of(directory):
    status = os.stat(directory)
    return status.st_uid, status.st_gid


def deliver(accounts, messages, round_name, directory):
    for index in range(1, accounts + 1):
        path = maildir(directory, index)
        for number in range(messages):
            put(path, f"1700000000.M{number:06d}Q{round_name}.localhost", message(index, round_name, number),
                owner_of(directory))


def main():
    action, accounts = sys.argv[1], int(sys.argv[2])
    indices = range(1, accounts + 1)
    if action == "deliver":
        deliver(accounts, int(sys.argv[3]), sys.argv[4], sys.argv[5])
        return
    with open(sys.argv[3], "a", encoding="utf-8") as file:
        if action == "config":
            for index in indices:
                file.write(
                    f'\n[[account]]\nname = "{name(index)}"\nuser = "{name(index)}"\n'
                    f'email = "{name(index)}@firma.example"\nlogin = "{name(index)}"\n'
                    'password_env = "FLEET_PASSWORD"\n'
                )
                for setting in sys.argv[4:]:
                    key, value = setting.split("=", 1)
                    file.write(f"{key} = {value}\n")
        elif action == "users":
            file.writelines(f"{name(index)}:{PASSWORD}\n" for index in indices)
        elif action == "contacts":
            file.write("external_id,kind,name,emails,organisation,owner,do_not_email\n")
            for index in indices:
                for number in range(SENDERS_PER_MAILBOX):
                    file.write(f"c{index}-{number},person,Partner {index} {number},{sender(index, number)},,,\n")
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
