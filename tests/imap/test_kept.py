"""Header fields that are kept: FETCH answers the same as from the message itself."""

from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import fetch
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind, SectionSpec
from twisted_mail.imap.fetch.sections import (
    KEPT,
    MAX_HEADER,
    MAX_KEPT,
    is_kept,
    kept_fields,
    selected_fields,
)
from twisted_mail.mail.mailbox.entry import RenderedItems
from twisted_mail.mail.mime import structure
from twisted_mail.testing.doubles import finish

[FETCH] = fetch.COMMANDS
MESSAGE = b"From: a@b\r\nX-Other: x\r\nSubject: one\r\n two\r\n\r\nbody\r\n"


class KeepingMailbox(SmallMailbox):
    """A mailbox that renders as the server does."""

    def _items(self, body: bytes) -> RenderedItems:
        return ItemRenderer()(body)


class ForgettingMailbox(SmallMailbox):
    def _items(self, body: bytes) -> RenderedItems:
        return ItemRenderer()(body)._replace(fields=None)


def answer(mailbox: SmallMailbox, arguments: bytes) -> bytes:
    session = SelectedSession(mailbox)
    assert finish(session.run(FETCH, arguments)) == "FETCH completed."
    return session.written()


def reads(mailbox: SmallMailbox) -> int:
    return sum(call[0] == "read" for call in mailbox.calls)


def test_no_message_is_read_for_fields_that_are_kept() -> None:
    mailbox = KeepingMailbox(MESSAGE, MESSAGE)
    fields = b"BODY.PEEK[HEADER.FIELDS (SUBJECT from Date)]"
    said = answer(mailbox, b"1:* (UID " + fields + b" " + fields + b"<0.6>)")
    assert said.count(b"{33}\r\nFrom: a@b\r\nSubject: one\r\n two\r\n\r\n") == 2, said
    assert said.count(b"{6}\r\nFrom: ") == 2
    assert reads(mailbox) == 0


def test_fetching_kept_fields_marks_as_seen() -> None:
    mailbox = KeepingMailbox(MESSAGE)
    assert b"FLAGS (\\Seen)" in answer(mailbox, b"1 BODY[HEADER.FIELDS (FROM)]")


def test_other_fields_and_sections_are_read() -> None:
    for item in (
        b"BODY.PEEK[HEADER.FIELDS (FROM X-OTHER)]",
        b"BODY.PEEK[HEADER.FIELDS.NOT (FROM)]",
        b"BODY.PEEK[1.MIME]",
        b"(BODY.PEEK[HEADER.FIELDS (FROM)] BODY.PEEK[TEXT])",
    ):
        mailbox = KeepingMailbox(MESSAGE)
        answer(mailbox, b"1 " + item)
        assert reads(mailbox) == 1


def test_fields_that_are_too_long_are_not_kept() -> None:
    long = b"From: a@b\r\nTo: " + b"x" * MAX_KEPT + b"\r\n\r\n"
    assert ItemRenderer()(long).fields is None
    mailbox = KeepingMailbox(MESSAGE, long)
    said = answer(mailbox, b"1:* BODY.PEEK[HEADER.FIELDS (TO)]")
    assert b"x" * MAX_KEPT in said


def test_a_text_of_a_part_is_not_kept() -> None:
    assert not is_kept(BodySection(SectionSpec((1,), SectionKind.FIELDS, (b"FROM",)), b""))
    assert is_kept(BodySection(SectionSpec((), SectionKind.FIELDS, (b"FROM", b"to")), b""))


LINES = st.sampled_from(
    [
        b"From: a",
        b"FROM : b",
        b"subject:",
        b"Subject: x",
        b" folded",
        b"\tfolded: so",
        b"X-Other: x",
        b"no field",
        b"References: <1> <2>",
        b"",
        b"Date: \xff\0",
        b": empty",
    ]
)
ENDS = st.sampled_from([b"", b"\r\n", b"\n", b"\r\n\r\n", b"\r\n\r\nbody\r\n"])


@given(
    lines=st.lists(LINES, max_size=8),
    end=ENDS,
    names=st.lists(st.sampled_from(sorted(KEPT)), min_size=1, max_size=4),
)
def test_what_is_taken_of_the_kept_fields_is_what_is_taken_of_the_header(
    lines: list[bytes], end: bytes, names: list[bytes]
) -> None:
    data = b"\r\n".join(lines) + end
    section = SectionSpec(kind=SectionKind.FIELDS, fields=tuple(names))
    size = structure.scan(data).body
    kept = kept_fields(data, size)
    assert kept is not None
    assert selected_fields(kept, section) == selected_fields(data[:size], section)


@given(lines=st.lists(LINES, max_size=8), end=ENDS)
def test_the_answers_are_the_same_whether_fields_are_kept_or_not(
    lines: list[bytes], end: bytes
) -> None:
    data = b"\r\n".join(lines) + end
    asked = b"1:2 (BODY.PEEK[HEADER.FIELDS (From Subject)] BODY.PEEK[HEADER.FIELDS (DATE)]<1.9>)"
    keeping, forgetting = KeepingMailbox(data, MESSAGE), ForgettingMailbox(data, MESSAGE)
    assert answer(keeping, asked) == answer(forgetting, asked)
    assert (reads(keeping), reads(forgetting)) == (0, 1)


def test_fields_behind_the_bound_are_not_seen_either_way() -> None:
    data = b"X: " + b"x" * MAX_HEADER + b"\r\nFrom: a\r\n\r\n"
    asked = b"1 BODY.PEEK[HEADER.FIELDS (From)]"
    assert answer(KeepingMailbox(data), asked) == answer(ForgettingMailbox(data), asked)
