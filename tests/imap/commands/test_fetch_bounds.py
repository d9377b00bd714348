"""How much of large messages a FETCH has in memory: what was read and did not leave yet."""

from collections.abc import Sequence

import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import fetch
from twisted_mail.imap.fetch import fetching
from twisted_mail.imap.fetch.body_sections import GROUP_OCTETS
from twisted_mail.imap.fetch.sections import MAX_HEADER, kept_fields
from twisted_mail.mail.mailbox.entry import MessageRange, RenderedItems
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

[FETCH] = fetch.COMMANDS
OCTETS = 3 * 1024 * 1024
PART = b"--x\r\nContent-Type: application/octet-stream\r\nX-Id: 1\r\n\r\n" + b"y" * OCTETS + b"\r\n"
LARGE = (
    b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\nhello\r\n" + PART + PART + b"--x--\r\n"
)
LONG_HEADER = b"".join(b"X-%d: %b\r\n" % (number, b"z" * 1000) for number in range(600)) + b"\r\n"


class CountingMailbox(SmallMailbox):
    """Counts the octets that were read, and how many of them did not leave yet: ``most``."""

    def __init__(self, *bodies: bytes) -> None:
        super().__init__(*bodies)
        self.wire = ScriptedWire()
        self.octets = self.most = 0

    def _items(self, body: bytes) -> RenderedItems:
        items = super()._items(body)
        return items._replace(fields=kept_fields(body, items.header_size))

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        found = await super().read(pieces)
        self.octets += sum(len(data or b"") for data in found)
        self.most = max(self.most, self.octets - len(self.wire.written))
        return found


def counted(arguments: bytes, *bodies: bytes) -> CountingMailbox:
    mailbox = CountingMailbox(*bodies)
    session = SelectedSession(mailbox)
    mailbox.wire = session.wire
    assert finish(session.run(FETCH, arguments)) == "FETCH completed."
    return mailbox


@pytest.mark.parametrize(
    ("section", "octets"),
    [
        (b"1", 5),
        (b"1]<2.2", 2),
        (b"2", OCTETS),
        (b"2]<1000.100000", 100_000),
        (b"2.MIME", 56 - 5),
        (b"3", OCTETS),
        (b"4", 0),
    ],
)
def test_of_a_large_message_only_the_part_is_read(section: bytes, octets: int) -> None:
    close = b">" if b"<" in section else b"]"
    mailbox = counted(b"1 BODY.PEEK[%b%b" % (section, close), LARGE)
    assert mailbox.octets == octets
    assert mailbox.most <= GROUP_OCTETS


def test_any_number_of_parts_of_many_large_messages_is_never_in_memory_together() -> None:
    mailbox = counted(b"1:4 (BODY.PEEK[2] BODY.PEEK[3] BODY.PEEK[1] BODY.PEEK[])", *[LARGE] * 4)
    assert mailbox.octets > 40 * 1024 * 1024
    assert mailbox.most <= GROUP_OCTETS


def test_long_headers_are_read_one_after_the_other() -> None:
    items = b" ".join(b"BODY.PEEK[HEADER.FIELDS.NOT (X%d)]" % number for number in range(20))
    mailbox = counted(b"1 (%b)" % items, LONG_HEADER)
    assert mailbox.octets == 1 + 20 * MAX_HEADER
    assert mailbox.most <= 1 + MAX_HEADER


def test_what_leaves_together_is_small() -> None:
    mailbox = counted(b"1 BODY.PEEK[2]", LARGE)
    assert mailbox.wire.largest_write <= fetching.DRAIN_AFTER_OCTETS
    assert mailbox.wire.drains >= OCTETS // GROUP_OCTETS


def test_fields_that_were_kept_are_shown_in_portions_by_what_they_become() -> None:
    bodies = [b"Subject: " + b"s" * 4000 + b"\r\n\r\n"] * 200
    names = [b"Subject", b"Date", b"From", b"To", b"Cc", b"Bcc", b"Sender"]
    items = b" ".join(b"BODY.PEEK[HEADER.FIELDS (Subject %b)]" % name for name in names)
    mailbox = counted(b"1:* (%b)" % items, *bodies)
    assert mailbox.octets == 0
    assert len(mailbox.wire.written) > 5 * 1024 * 1024
    assert mailbox.wire.largest_write <= fetching.MAX_RENDERED_OCTETS + GROUP_OCTETS


@pytest.mark.parametrize("number", [2, 3])
def test_a_large_part_is_announced_with_its_size_and_sent_whole(number: int) -> None:
    mailbox = counted(b"1 BODY.PEEK[%d]" % number, LARGE)
    head = b"* 1 FETCH (BODY[%d] {%d}\r\n" % (number, OCTETS)
    assert bytes(mailbox.wire.written) == head + b"y" * OCTETS + b")\r\n"


def test_bodies_of_250_messages_are_rendered_together() -> None:
    mailbox = counted(b"1:* (ENVELOPE BODY.PEEK[HEADER])", *[b"Subject: x\r\n\r\n"] * 501)
    asked = [len(what[0]) for name, *what in mailbox.calls if name == "items"]
    assert asked == [250, 250, 1]


def test_of_large_messages_16_are_rendered_together() -> None:
    mailbox = counted(b"1:* (ENVELOPE BODY.PEEK[HEADER])", *[b"\r\n" + b"x" * 200_000] * 33)
    asked = [len(what[0]) for name, *what in mailbox.calls if name == "items"]
    assert asked == [16, 16, 1]
