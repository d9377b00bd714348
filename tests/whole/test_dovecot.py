"""Dovecot serves a maildir, then this server, then Dovecot again: nobody notices, and nothing is lost."""

import imaplib
import shutil
import smtplib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.whole.clients import hello
from tests.whole.live import PATIENCE, LiveServer
from tests.whole.mbsync import NOTHING
from tests.whole.shared_maildir import (
    BOB,
    SharedMaildir,
    View,
    done,
    quoted,
    shared_maildir,
)

pytestmark = pytest.mark.whole

SINCE = 1_600_000_000  # internal dates begin here

# Names as Dovecot writes them, with dots between levels.
FOLDERS = {
    "INBOX": 550,
    "Sent": 100,
    "Projects.2024.Mail": 80,
    "Projects.2024": 40,
    "INBOX.below": 20,
    "Entw&APw-rfe.Sp&AOQ-ter": 60,
    "&ZeVnLIqe-": 30,
    "R&-D": 20,
    'q"uo*te%d': 20,
    r"back\slash": 20,
    r"back\2fslash": 20,
    "a:b ~c": 20,
    "!#$()+,-;<=>?@^_`{|}": 20,
    "Empty": 0,
}
SUBSCRIBED = ("INBOX", "Sent", "Projects.2024", "Entw&APw-rfe.Sp&AOQ-ter", r"back\slash")
FLAGS = (
    "",
    "\\Seen",
    "\\Seen \\Answered $Forwarded",
    "\\Flagged $Junk",
    "\\Draft mine",
    "\\Deleted \\Seen",
    "$NotJunk mine yours",
)


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedMaildir]:
    with shared_maildir(monkeypatch) as found:
        yield found


# ---------------------------------------------------------------- filling


def message(name: str) -> bytes:
    """Return a message, some longer, all with lines that are not ASCII."""
    count = sum(name.encode()) % 40
    return (hello(name) + f"A line of {name}, naïve.\r\n" * count).encode()


def literals(mailbox: str, number: int) -> list[bytes]:
    parts = []
    for each in range(number):
        data = message(f"{len(mailbox)}-{ord(mailbox[0])}-{each}")
        date = imaplib.Time2Internaldate(SINCE + each * 86_411)
        flags = FLAGS[each % len(FLAGS)]
        parts.append(f" ({flags}) {date} {{{len(data)}+}}\r\n".encode() + data)
    return parts


def append(client: imaplib.IMAP4, mailbox: str, parts: list[bytes]) -> None:
    """Append messages, 50 in one command where that is possible (RFC 3502); imaplib cannot."""
    number = 50 if "MULTIAPPEND" in client.capabilities else 1
    for start in range(0, len(parts), number):
        tag = client._new_tag()
        command = tag + b" APPEND " + quoted(mailbox).encode()
        client.send(command + b"".join(parts[start : start + number]) + b"\r\n")
        answer, said = client._command_complete("APPEND", tag)
        assert answer == "OK", said


def serve_first(client: imaplib.IMAP4) -> None:
    """Have 1,000 messages, with gaps between their UIDs, and subscriptions."""
    for mailbox, number in FOLDERS.items():
        spare = range(3, number, 10)
        if mailbox != "INBOX":
            done(client.create(quoted(mailbox)))
        append(client, mailbox, literals(mailbox, number + len(spare)))
        done(client.select(quoted(mailbox)))
        if spare:
            uids = ",".join(map(str, spare))
            done(client.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted gone)"))
            done(client.uid("EXPUNGE", uids))
        client.unselect()
    for mailbox in SUBSCRIBED:
        done(client.subscribe(quoted(mailbox)))


def change(client: imaplib.IMAP4) -> None:
    """Alter everything that can be altered, through this server."""
    done(client.select("INBOX"))
    done(client.uid("STORE", "1:40", "+FLAGS", "(\\Flagged fresh)"))
    done(client.uid("STORE", "20:60", "-FLAGS", "(mine $Junk \\Seen)"))
    done(client.uid("STORE", "61:70", "FLAGS", "(\\Answered $Phishing yours)"))
    done(client.uid("STORE", "71:80", "+FLAGS", "(\\Deleted)"))
    done(client.uid("EXPUNGE", "71:75"))
    done(client.uid("COPY", "100:120", "Empty"))
    done(client.uid("MOVE", "200:220", quoted("Projects/2024/Mail")))
    client.unselect()
    append(client, "Sent", literals("Sent again", 15))
    done(client.create(quoted("Neu/&AMQ-rger")))
    append(client, "Neu/&AMQ-rger", literals("x", 10))
    done(client.create("v1.2"))
    append(client, "v1.2", literals("v", 3))
    done(client.rename(quoted("Projects/2024"), quoted("Projects/&AMk-t&AOk- 2025")))
    done(client.select(quoted("a:b ~c")))
    done(client.uid("MOVE", "1:*", "Empty"))
    client.unselect()
    done(client.delete(quoted("a:b ~c")))
    done(client.unsubscribe("Sent"))
    done(client.subscribe(quoted("Neu/&AMQ-rger")))


def change_again(client: imaplib.IMAP4) -> None:
    """Alter some of that through Dovecot."""
    done(client.select("INBOX"))
    done(client.uid("STORE", "1:10", "-FLAGS", "(fresh)"))
    done(client.uid("STORE", "30:50", "+FLAGS", "($Phishing third)"))
    done(client.uid("STORE", "300:310", "+FLAGS", "(\\Deleted)"))
    done(client.uid("EXPUNGE", "300:310"))
    done(client.uid("COPY", "320:330", "Empty"))
    client.unselect()
    done(client.select("Empty"))
    done(client.uid("STORE", "1:*", "+FLAGS", "(fourth)"))
    client.unselect()
    done(client.delete("Sent"))
    done(client.create("Sent"))
    append(client, "Sent", literals("Sent anew", 5))
    done(client.rename(quoted("R&-D"), quoted("R&-E")))
    append(client, "INBOX", literals("late", 5))
    done(client.subscribe("Sent"))


def deliver(server: LiveServer, subjects: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        for subject in subjects:
            client.sendmail("alice@example.net", [BOB], message(subject))


# ---------------------------------------------------------------- there and back


def check_claims(ground: SharedMaildir, seen: View) -> None:
    """Check what Dovecot's files and unique ids are said to look like."""
    inbox = seen.mailboxes["INBOX"]
    assert set(seen.pop3) == {f"{uid:08x}{inbox.uidvalidity:08x}" for uid in inbox.messages}
    keywords = (ground.maildir / "dovecot-keywords").read_text().splitlines()
    letters = {chr(ord("a") + int(number)): name for number, name in map(str.split, keywords)}
    files = [path.name.rpartition(",")[2] for path in (ground.maildir / "cur").iterdir()]
    for letter, name in letters.items():
        number = sum(name in flags for flags, *_ in inbox.messages.values())
        assert number == sum(letter in file for file in files), name
    assert {"a", "b", "c", "d"} <= letters.keys()


def check_same(one: View, other: View) -> None:
    """Compare mailbox by mailbox, so that a difference can be read."""
    assert one.mailboxes.keys() == other.mailboxes.keys()
    for name, seen in one.mailboxes.items():
        assert seen == other.mailboxes[name], name
    assert one.subscribed == other.subscribed
    assert one.pop3 == other.pop3


def dotted(found: View) -> View:
    """Return what Dovecot shows as this server shows it: it has no dots in names."""
    mailboxes = {name.replace(r"\2e", "."): seen for name, seen in found.mailboxes.items()}
    return replace(found, mailboxes=mailboxes)


def test_there_and_back(ground: SharedMaildir) -> None:
    with ground.dovecot_serves() as (client, dovecot):
        serve_first(client)
        first = dovecot()
        check_claims(ground, first)
        assert sum(len(seen.messages) for seen in first.mailboxes.values()) == 1000
        assert ground.mbsync(dovecot.imap).near["+"] == 1000

    with ground.live_serves() as (client, live):
        check_same(first, live())
        assert ground.mbsync(live.imap) == NOTHING
        deliver(ground.live, ["one", "two", "three"])
        change(client)
        second = live()
        for name in ("Projects/2024", "a:b ~c"):  # mbsync cannot follow these
            shutil.rmtree(ground.folder / "near" / name)
        assert ground.mbsync(live.imap).near["+"] >= 10
        assert ground.mbsync(live.imap) == NOTHING

    with ground.dovecot_serves() as (client, dovecot):
        check_same(second, dotted(dovecot()))
        assert ground.mbsync(dovecot.imap) == NOTHING
        change_again(client)
        third = dovecot()
        assert not ground.dovecot.complaints()

    with ground.live_serves() as (client, live):
        check_same(dotted(third), live())
        deliver(ground.live, ["four", "five"])

    with ground.dovecot_serves() as (client, dovecot):
        inbox = dovecot().mailboxes["INBOX"]
        before = third.mailboxes["INBOX"]
        assert inbox.uidnext == before.uidnext + 2
        assert before.messages.items() <= inbox.messages.items()
        assert not ground.dovecot.complaints()
