#!/usr/bin/env python3
"""judge.py TRUTH BINARY CONFIG

Compares what the program made of the labelled mail, as its own listings tell it, with what is true, and prints a
table. Ends with 1 unless every message that has a known address is in the right histories, nothing is linked by
a name, a reference or a look-alike, and the first suggestion is right for 95 % of what waits. Leads that the program
made by itself (LEADS) may have the mail of their own address, and of kinds that people write.
"""

import collections
import json
import subprocess
import sys

# Mail of which nobody may make a lead.
NO_LEADS = {
    "internal", "tag of a provider that may have none", "newsletter", "look-alike", "borrowed domain",
    "known address as the name", "delivery report", "nobody named",
}  # fmt: skip
FORGED = {
    "look-alike", "borrowed domain", "known address as the name", "forged name", "forged reference",
    "namesake at another provider", "delivery report",
}  # fmt: skip


def listing(binary, config, *arguments):
    done = subprocess.run([binary, "--config", config, *arguments, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main():
    truth_path, binary, config = sys.argv[1:]
    truth = [json.loads(line) for line in open(truth_path, encoding="utf-8")]
    kinds = list(dict.fromkeys(fact["kind"] for fact in truth))

    contacts = listing(binary, config, "contact", "list", "--limit", "1000000")
    leads = {f"lead {one['id']}": one["emails"] for one in contacts if one["made_by_rule"]}
    external = {str(one["id"]): one["external_id"] or f"lead {one['id']}" for one in contacts}
    histories = collections.defaultdict(set)
    for done, one in enumerate(contacts):
        if done % 50 == 0 and sys.stderr.isatty():
            print(f"\rhistories: {done} of {len(contacts)}", end="", file=sys.stderr)
        # An organisation's history reads through its people; what is its own is linked to it.
        for entry in listing(binary, config, "history", str(one["id"]), "--limit", "1000000"):
            if str(entry.get("contact", one["id"])) == str(one["id"]):
                histories[entry["message_id"].strip("<>")].add(external[str(one["id"])])
    waiting = {
        item["message_id"].strip("<>"): item
        for item in listing(binary, config, "queue", "list", "--limit", "1000000") if item["message_id"]
    }  # fmt: skip

    rows = {kind: collections.Counter() for kind in kinds}
    examples = []
    for fact in truth:
        row = rows[fact["kind"]]
        row["messages"] += 1
        expected, found = set(fact["histories"]), histories[fact["message_id"]]
        if fact["kind"] not in NO_LEADS and not expected:
            # Whoever writes for the first time may be a new lead, of that very address.
            expected = {key for key in found if (fact["counterpart"] or "").lower() in leads.get(key, [])}
        row["missing"] += len(expected - found)
        row["wrong"] += len(found - expected)
        item = waiting.get(fact["message_id"])
        # Mail of nobody waits, unless it is internal; what is nowhere was lost.
        is_lost = not expected and not item and fact["kind"] != "internal"
        row["missing"] += is_lost
        row["right"] += expected == found and not is_lost
        if is_lost and len(examples) < 20:
            examples.append(f"{fact['kind']}: {fact['message_id']} is nowhere")
        if expected != found and len(examples) < 20:
            examples.append(f"{fact['kind']}: {fact['message_id']} is with {sorted(found)} instead of {sorted(expected)}")
        if not item:
            continue
        row["waiting"] += 1
        if fact["suggest"] is None:
            continue
        first = [external.get(str(one["contact"])) for one in item["suggestions"][:1]]
        if first and first[0] in leads:
            # A namesake of somebody who wrote before: nobody knows.
            continue
        row["judged"] += 1
        is_right = first[0] in fact["suggest"] if first and fact["suggest"] else not first and not fact["suggest"]
        row["suggested"] += is_right
        if not is_right and len(examples) < 40:
            reason = [one["reason"] for one in item["suggestions"][:1]]
            examples.append(f"{fact['kind']}: {fact['message_id']} suggests {first} {reason} instead of {fact['suggest']}")

    print(f"{len(leads)} leads were made by rule")
    print(f"{'kind of mail':<38} {'messages':>8} {'right':>6} {'missing':>8} {'wrong':>6} {'waiting':>8} {'first suggestion right':>23}")
    for kind in kinds:
        row = rows[kind]
        suggested = f"{row['suggested']} of {row['judged']}" if row["judged"] else "-"
        print(f"{kind:<38} {row['messages']:>8} {row['right']:>6} {row['missing']:>8} {row['wrong']:>6} {row['waiting']:>8} {suggested:>23}")
    total = sum((row for row in rows.values()), collections.Counter())
    share = 100 * total["suggested"] / max(1, total["judged"])
    forged = sum(rows[kind]["wrong"] for kind in kinds if kind in FORGED)
    print(
        f"{total['right']} of {total['messages']} messages are where they belong; {total['missing']} links are missing, "
        f"{total['wrong']} are wrong, {forged} of these by a name, a reference or a look-alike; "
        f"the first suggestion is right for {share:.1f} % of {total['judged']} that wait")
    for line in examples:
        print(line, file=sys.stderr)
    sys.exit(0 if total["right"] == total["messages"] and share >= 95 else 1)


if __name__ == "__main__":
    main()
