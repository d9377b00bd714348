"""Another program renames, removes and replaces files whose names are in memory, under clients that read.

Each client is sent the octets of the message that it asked for, or none.
"""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.ground import mail
from tests.faults import CachedDisk
from tests.imap.talk import ImapFixture
from tests.pop3.fakes import LOGIN, FailingMailbox, Pop3Fixture
from tests.store.shared_maildir import SharedMaildir
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.testing.doubles import finish

STEPS = 10_000
MESSAGES = 20
SENT = re.compile(rb"UID (\d+) BODY\[\] \{(\d+)\}\r\n")


def may_be_hidden(uid: int) -> bool:
    """Return whether something that is no message may take its place: then it may count as gone."""
    return uid % 5 == 0


class OtherProgram:
    """Does something to a file by chance; ``gone`` are the UIDs of messages that it has removed."""

    def __init__(self, shared: SharedMaildir, seed: int) -> None:
        self.chance = random.Random(seed)
        self.mails = [mail(f"number {number:04}") for number in range(MESSAGES)]
        self.paths = [
            shared.drop(f"cur/1000000{number:03}.M.host:2,", data)
            for number, data in enumerate(self.mails)
        ]
        self.decoy = shared.drop("decoy", mail("none of them"))
        self.gone: set[int] = set()
        self.hidden: set[int] = set()  # behind something that is no message

    def act(self) -> int:
        """Perhaps do something; return the UID of the message that it was done to, or of any."""
        number = self.chance.randrange(MESSAGES)
        if number + 1 not in self.gone:
            match self.chance.randrange(12):
                case 0:
                    self._rename(number)
                case 1 if len(self.gone) < MESSAGES // 2:
                    self.paths[number].unlink()
                    self.gone.add(number + 1)
                case 2:
                    self._restore(number)
                case 3 if may_be_hidden(number + 1):
                    self._hide(number)
        return number + 1

    def _rename(self, number: int) -> None:
        old = self.paths[number]
        new = old.with_name(f"1000000{number:03}.M.host:2,{self.chance.choice('FRS')}")
        if number + 1 in self.hidden:
            self._restore(number)
        self.paths[number] = old.rename(new)

    def _restore(self, number: int) -> None:
        """Put a copy in the place of a file, as a backup program does: octets and date."""
        copy = self.decoy.with_name("copy")
        copy.write_bytes(self.mails[number])
        os.utime(copy, (1_000_000_000, 1_000_000_000))
        self.hidden.discard(number + 1)
        copy.rename(self.paths[number])

    def _hide(self, number: int) -> None:
        """Put a link to another message in the place of a file."""
        self.hidden.add(number + 1)
        self.paths[number].unlink()
        self.paths[number].symlink_to(self.decoy)


@pytest.fixture
def disk() -> CachedDisk:
    return CachedDisk()


@pytest.fixture
def shared(tmp_path: Path, disk: CachedDisk) -> SharedMaildir:
    return SharedMaildir(tmp_path, disk)


def imap_script(program: OtherProgram, asked: list[int]) -> Iterator[bytes]:
    for number in range(STEPS):
        uid = program.act()
        if uid not in program.gone and not may_be_hidden(uid):
            asked.append(uid)
        yield b"%d UID FETCH %d BODY.PEEK[]\r\n" % (number, uid)
        if not number % 50:
            yield b"n NOOP\r\n"


def sent_by_imap(written: bytes) -> Iterator[tuple[int, bytes]]:
    for found in SENT.finditer(written):
        yield int(found[1]), written[found.end() : found.end() + int(found[2])]


def test_fetch_never_sends_another_octet(shared: SharedMaildir, disk: CachedDisk) -> None:
    program, asked = OtherProgram(shared, 5), list[int]()
    talk = ImapFixture()
    talk.account = shared.account  # type: ignore[assignment]
    script = imap_script(program, asked)
    steps = [lambda: next(script, None)] * (STEPS + STEPS // 50)
    loop = talk.loop("a LOGIN alice secret", "b SELECT INBOX", *steps)
    finish(loop.run())
    sent = list(sent_by_imap(loop.session.wire.written))  # type: ignore[attr-defined]
    assert all(data == program.mails[uid - 1] for uid, data in sent)
    assert [uid for uid, _ in sent if not may_be_hidden(uid)] == asked
    assert disk.reads_at_once > STEPS // 3
    assert talk.events("failed") == []


def test_retr_never_sends_another_octet(shared: SharedMaildir, disk: CachedDisk) -> None:
    program, asked = OtherProgram(shared, 6), list[int]()
    pop = Pop3Fixture()
    inbox = shared.open()
    finish(inbox.read([MessageRange(uid) for uid in inbox.columns.uids]))
    finish(inbox.measure(inbox.columns.uids))
    pop.mailbox = FailingMailbox(inbox)

    def step() -> bytes:
        asked.append(program.act())
        return b"RETR %d\r\n" % asked[-1]

    replies = pop.talk(LOGIN, *[step] * STEPS).text.encode("latin-1")
    found = re.findall(rb"\+OK \d+ octets\r\n(.*?)\r\n\.\r\n|(-ERR)[^\r]*\r\n", replies, re.DOTALL)
    assert len(found) == STEPS
    for uid, (data, error) in zip(asked, found, strict=True):
        assert error or data + b"\r\n" == program.mails[uid - 1]
    assert sum(not error for _, error in found) > STEPS // 3
    assert disk.reads_at_once > STEPS // 3
    assert pop.bugs == []
