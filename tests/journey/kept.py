"""A folder with events, for tests of what is found in it."""

import random
from pathlib import Path

from twisted_mail.journey.day_files import DayFiles
from twisted_mail.journey.dialogues import dialogue_lines
from twisted_mail.journey.event_lines import Event, event_lines
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.journey.dialogue import THEY, WE, Dialogue, Side, SpokenLine

NOON = 1_764_590_713.25  # 1 December 2025
LETTER, REPORT, OTHER, COPY, AGAIN = (
    make_id(NOON + after, random.Random(7).getrandbits) for after in (0, 60, 120, 180, 240)
)
BOB, ALICE = "bob@example.net", "alice@example.org"
HOST = {"host": "mx.example.net", "address": "192.0.2.1", "tls": "none", "use": 1}
EVENTS: list[Event] = [
    (
        NOON,
        "received",
        {"id": LETTER, "from": ALICE, "to": [BOB], "message_id": "<Lunch@client.example>"},
    ),
    (NOON, "accepted", {"id": LETTER, "from": ALICE, "to": [BOB], "kind": "mail"}),
    (
        NOON + 1,
        "deferred",
        {"id": LETTER, "to": BOB, **HOST, "code": 450, "text": "Come\r\n\x1b[2J\u202eback later"},
    ),
    (
        NOON + 60,
        "failed",
        {"id": LETTER, "to": BOB, **HOST, "code": 550, "enhanced": "5.1.1", "text": "No such user"},
    ),
    (NOON + 60, "accepted", {"id": REPORT, "from": "", "to": [ALICE], "kind": "report"}),
    (NOON + 60, "reported", {"id": LETTER, "to": ALICE, "report": REPORT, "failed": [BOB]}),
    (NOON + 61, "stored", {"id": REPORT, "accounts": [ALICE], "mailbox": "INBOX"}),
    (
        NOON + 120,
        "received",
        {"id": OTHER, "from": "carol@example.com", "to": ["news@example.org"]},
    ),
    (
        NOON + 121,
        "expanded",
        {"id": OTHER, "to": "news@example.org", "recipients": 2, "jobs": [COPY]},
    ),
    (
        NOON + 180,
        "accepted",
        {"id": COPY, "from": "news-x@example.org", "to": ["Dave@example.net"]},
    ),
    (NOON + 240, "received", {"id": AGAIN, "from": ALICE, "to": ["erin@example.net"]}),
    (NOON + 300, "word", {"id": "", "act": "hold", "by": "root", "recipients": 1}),
]


def keep(folder: Path, events: list[Event] | None = None) -> str:
    """Write events into the files of a folder, and return its name."""
    files = DayFiles(str(folder), "events", 3660, 1 << 30)
    for event in EVENTS if events is None else events:
        files.append(event_lines([event]), event[0])
    files.close()
    return str(folder)


def keep_dialogue(folder: Path, message: str, *said: tuple[Side, str], began: float = NOON) -> str:
    """Write a dialogue, and return its id."""
    lines = said or ((THEY, "220 mx\x1b[2J"), (WE, "EHLO us"))
    spoken = tuple(SpokenLine(1.5 * at, side, text) for at, (side, text) in enumerate(lines))
    id = make_id(began, random.Random(8).getrandbits)
    one = Dialogue(id, message, began, "mx.example.net", "192.0.2.1", "192.0.2.2", "", 1, spoken)
    files = DayFiles(str(folder), "dialogues", 3660, 1 << 30)
    files.append(dialogue_lines([one]), NOON)
    files.close()
    return id
