"""Dovecot and this server serve one maildir at once: nothing is lost, doubled or numbered anew."""

import imaplib
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.whole.clients import hello
from tests.whole.live import PATIENCE
from tests.whole.process import select_nothing
from tests.whole.shared_maildir import SharedMaildir, done, shared_maildir
from twisted_mail.store.repair import compact

pytestmark = pytest.mark.whole

SINCE = 1_600_000_000  # the internal date of all messages


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedMaildir]:
    with shared_maildir(monkeypatch) as found:
        yield found


class Client(threading.Thread):
    """A client of one of the servers: appends, marks and expunges until its time is over.

    ``mine`` are the messages it has: subject and flags by UID. ``shared`` are messages that every
    client marks, each with its own keyword; ``marked`` are those that it did.
    """

    def __init__(self, imap: imaplib.IMAP4, name: str, shared: list[int]) -> None:
        super().__init__()
        self.imap, self.keyword, self.shared = imap, name, shared
        self.mine: dict[int, tuple[str, frozenset[str]]] = {}
        self.marked: set[int] = set()
        self.gone: set[str] = set()
        self.number = 0
        self.chance = random.Random(name)
        self.until = 0.0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            done(self.imap.select("INBOX"))
            while time.monotonic() < self.until:
                self.step()
        except BaseException as error:
            self.error = error

    def step(self) -> None:
        act = self.chance.choice([self.append, self.append, self.mark, self.share, self.expunge])
        act()

    def append(self) -> None:
        self.number += 1
        subject = f"{self.keyword}-{self.number}"
        flags = frozenset(self.chance.sample(["\\Seen", "\\Flagged", self.keyword], 2))
        date = imaplib.Time2Internaldate(SINCE)
        answer = self.imap.append("INBOX", f"({' '.join(flags)})", date, hello(subject).encode())
        match = re.search(rb"APPENDUID \d+ (\d+)", done(answer)[0])
        assert match
        self.mine[int(match[1])] = subject, flags

    def mark(self) -> None:
        if not self.mine:
            return
        uid = self.chance.choice(list(self.mine))
        subject, flags = self.mine[uid]
        flag = self.chance.choice(["\\Seen", "\\Answered", "common", self.keyword])
        done(self.imap.uid("STORE", str(uid), "-+"[flag not in flags] + "FLAGS", f"({flag})"))
        self.mine[uid] = subject, flags ^ {flag}

    def share(self) -> None:
        uid = self.chance.choice(self.shared)
        done(self.imap.uid("STORE", str(uid), "+FLAGS.SILENT", f"({self.keyword})"))
        self.marked.add(uid)

    def expunge(self) -> None:
        if len(self.mine) < 5:
            return
        uid = self.chance.choice(list(self.mine))
        done(self.imap.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)"))
        done(self.imap.uid("EXPUNGE", str(uid)))
        self.gone.add(self.mine.pop(uid)[0])


def expected(clients: list[Client], shared: list[int]) -> dict[int, tuple[str, frozenset[str]]]:
    """Return what must be there in the end: subject and flags by UID."""
    found = {uid: one for client in clients for uid, one in client.mine.items()}
    for uid in shared:
        marks = frozenset(client.keyword for client in clients if uid in client.marked)
        found[uid] = f"shared-{uid}", marks
    return found


def shown(client: imaplib.IMAP4) -> dict[int, tuple[str, frozenset[str]]]:
    done(client.select("INBOX", readonly=True))
    header = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"
    parts: list[Any] = client.fetch("1:*", f"(UID FLAGS {header})")[1]
    found = {}
    for start, text in [part for part in parts if isinstance(part, tuple)]:
        match = re.search(r"UID (\d+) FLAGS \(([^)]*)\)", start.decode())
        assert match, start
        flags = frozenset(match[2].split()) - {"\\Recent"}
        found[int(match[1])] = text.decode().partition(":")[2].strip(), flags
    assert len(found) == sum(isinstance(part, tuple) for part in parts)
    return found


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := look()) != wanted and time.monotonic() < deadline:
        select_nothing(0.3)
    assert found == wanted


def test_both_at_once(ground: SharedMaildir) -> None:
    with (
        ground.dovecot_serves() as (theirs, dovecot),
        ground.live_serves() as (ours, live),
    ):
        shared = list(range(1, 21))
        for uid in shared:
            done(
                theirs.append(
                    "INBOX", "", imaplib.Time2Internaldate(SINCE), hello(f"shared-{uid}").encode()
                )
            )
        ports = [dovecot.imap, live.imap] * 2
        clients = [
            Client(ground.imap(port), f"k{number}", shared) for number, port in enumerate(ports)
        ]
        alternately(clients[:2])
        for client in clients:
            client.until = time.monotonic() + 4
            client.start()
        for client in clients:
            client.join()
        errors = [client.error for client in clients if client.error]
        assert not errors
        wanted = expected(clients, shared)
        eventually(lambda: shown(theirs), wanted)
        eventually(lambda: shown(ours), wanted)


def test_dovecot_goes_on_with_a_list_that_was_written_anew(
    ground: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "LEAST", 20)
    with ground.dovecot_serves() as (theirs, _), ground.live_serves() as (ours, _):
        date = imaplib.Time2Internaldate(SINCE)

        def put(client: imaplib.IMAP4, subject: str) -> int:
            answer = client.append("INBOX", "", date, hello(subject).encode())
            match = re.search(rb"APPENDUID \d+ (\d+)", done(answer)[0])
            assert match
            return int(match[1])

        for number in range(1, 61):
            assert put((ours, theirs)[number % 2], f"message {number}") == number
        for client in (ours, theirs):
            done(client.select("INBOX"))
        done(ours.store("1:50", "+FLAGS.SILENT", "(\\Deleted)"))
        done(ours.expunge())
        path = ground.maildir / "dovecot-uidlist"
        eventually(lambda: len(path.read_bytes().splitlines()), 11)
        done(theirs.noop())
        uids = [put(client, "later") for client in (theirs, ours, theirs)]
        assert uids == [61, 62, 63]
        wanted = [*range(51, 64)]
        for client in (ours, theirs):
            eventually(lambda client=client: sorted(shown(client)), wanted)
        validities = {done(client.status("INBOX", "(UIDVALIDITY)"))[0] for client in (ours, theirs)}
        assert len(validities) == 1


def alternately(clients: list[Client]) -> None:
    """Act in turns; each sees at once what the other did."""
    for client in clients:
        done(client.imap.select("INBOX"))
    for one, other in [clients, clients[::-1]] * 10:
        select_nothing(0.02)  # a file system's clock ticks every 4 ms
        one.step()
        done(other.imap.noop())
        for uid, (_, flags) in one.mine.items():
            assert told_flags(other.imap, uid) == flags


def told_flags(client: imaplib.IMAP4, uid: int) -> frozenset[str]:
    answer = done(client.uid("FETCH", str(uid), "(UID FLAGS)"))
    found = [line.decode() for line in answer if f"UID {uid} ".encode() in line]
    match = re.search(r"FLAGS \(([^)]*)\)", found[-1])
    assert match, found
    return frozenset(match[1].split()) - {"\\Recent"}
