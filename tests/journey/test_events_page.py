"""docs/events.md has every event and every field that the code writes, and no other."""

import re
from pathlib import Path

from twisted_mail.interfaces import Peer, SmtpContext
from twisted_mail.journey.event_lines import EVENTS, OTHER_SIDE, RECIPIENT, event_line, read_event
from twisted_mail.log import LogJournal
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.verdict import Decision, FilterStage, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
GROUPS = {"the recipient": RECIPIENT, "the other side": OTHER_SIDE}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", text)


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_each_event_is_there_with_its_fields() -> None:
    found = {}
    for cells in rows("The events"):
        about = cells[-1].lower()
        groups = [field for name, fields in GROUPS.items() if name in about for field in fields]
        found[named(cells[0])[0]] = sorted([*named(cells[-1]), *groups])
    assert found == {name: sorted(fields) for name, fields in EVENTS.items()}


def test_the_groups_of_fields_are_those_of_the_code() -> None:
    text = re.sub(r"\s+", " ", section("The events")).lower()
    for name, fields in GROUPS.items():
        told = text.split(f"*{name}* is ")[1].split(".")[0]
        assert named(told) == list(fields)


def test_each_field_is_explained_once() -> None:
    explained = [field for cells in rows("The fields") for field in named(cells[0])]
    known = {"id", "time", "event"}.union(*EVENTS.values())
    assert sorted(explained) == sorted(known)


def test_the_log_writes_these_fields_alone() -> None:
    events: list = []
    journal = LogJournal(write=lambda _: None, record=events.append)
    peer = Peer("192.0.2.1", 25)
    envelope = Envelope("1a", parse("a@b.example"), (parse("c@d.example"),), client_host="")
    journal.received(envelope, 5)
    journal.refused("smtp", peer, "1a", "550 5.7.1 No")
    context = SmtpContext("smtp", peer, id="1a")
    journal.judged("dnsbl", FilterStage.RECIPIENT, context, Verdict(Decision.REFUSE, "listed"))
    journal.delivered("1a", ["c@d.example"], "INBOX")
    journal.tried("1a", "news@d.example", "approve", "")
    journal.queue_event("1a", "word", {"act": "hold", "by": "root", "recipients": 0})
    names = ["received", "refused", "judged", "stored", "moderated", "word"]
    assert [name for _, name, _ in events] == names
    for event in events:
        data = read_event(event_line(event).encode())
        assert data is not None
        assert data["id"] == "1a"
        assert set(data) - {"id", "time", "event"} <= set(EVENTS[event[1]])
