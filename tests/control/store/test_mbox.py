import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import mails
from twisted_mail.control.store import mbox
from twisted_mail.control.store.importing.mbox_split import split
from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.flags import normal

LINES = st.sampled_from(
    [
        b"",
        b"From here on",
        b"From bob Mon Nov 23 10:00:00 2026",
        b">From ",
        b">>From me",
        b"From",
        b"Status: x",
        b".",
        b"\xff\x00",
        b"two\rparts",
        b" folded",
    ]
)
FLAGS = st.frozensets(st.sampled_from(["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "work"]))


def messages(data: bytes, dialect: mbox.Dialect = "mboxrd") -> list[mbox.MboxMessage]:
    return [mbox.read(data[start:stop], dialect) for start, stop in split(io.BytesIO(data)).ranges]


@given(st.lists(st.tuples(st.lists(LINES, max_size=8), FLAGS), min_size=1, max_size=5))
def test_what_is_written_is_read_again(found: list[tuple[list[bytes], frozenset[str]]]) -> None:
    mails = [b"Subject: x\n\n" + b"".join(line + b"\n" for line in lines) for lines, _ in found]
    data = b"".join(
        mbox.write(with_crlf(each), flags, 1_700_000_000)
        for each, (_, flags) in zip(mails, found, strict=True)
    )
    read = messages(data)
    assert [each.data for each in read] == mails
    assert [each.flags for each in read] == [normal(flags) for _, flags in found]
    assert {each.date.timestamp() for each in read if each.date} == {1_700_000_000}


@given(st.binary(max_size=2000))
def test_any_octets_can_be_read(data: bytes) -> None:
    for each in messages(b"From x Mon Nov 23 10:00:00 2026\n" + data):
        assert len(each.data) <= len(data)


def test_real_looking_mail_comes_through() -> None:
    found = list(mails(40))
    data = b"".join(mbox.write(each.data, each.flags, int(each.date.timestamp())) for each in found)
    read = messages(data)
    assert [with_crlf(each.data) for each in read] == [each.data for each in found]
    assert [each.date for each in read] == [each.date for each in found]


def test_mboxo_quotes_plain_lines_only() -> None:
    data = b"From x Mon Nov 23 10:00:00 2026\nSubject: x\n\n>From a\n>>From b\n\n"
    assert messages(data, "mboxo")[0].data == b"Subject: x\n\nFrom a\n>>From b\n"
    assert messages(data)[0].data == b"Subject: x\n\nFrom a\n>From b\n"


def test_lines_that_only_begin_like_a_separator_are_none() -> None:
    data = b"From x Mon Nov 23 10:00:00 2026\nSubject: x\n\nhello\n\nFrom now on all is well\n\n"
    assert len(messages(data)) == 1


def test_crlf_files_are_read() -> None:
    data = b"From x Mon Nov 23 10:00:00 2026\r\nStatus: RO\r\nSubject: x\r\n\r\ny\r\n\r\n"
    [found] = messages(data * 2)[1:]
    assert found.data == b"Subject: x\r\n\r\ny\r\n"
    assert found.flags == {"\\Seen"}


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        (b"Status: O\n", set()),
        (b"Status: RO\nX-Status: AFT\n", {"\\Seen", "\\Answered", "\\Flagged", "\\Draft"}),
        (b"X-Mozilla-Status: 0005\nX-Mozilla-Keys: $label1\n", {"\\Seen", "\\Flagged", "$label1"}),
        (b"X-Mozilla-Status: zzzz\n", set()),
        (b"X-Keywords: a\n b (c)\n", {"a", "b"}),
    ],
)
def test_flags_are_read_as_mail_programs_write_them(fields: bytes, flags: set[str]) -> None:
    data = b"From x Mon Nov 23 10:00:00 2026\nSubject: x\n" + fields + b"\ny\n\n"
    [found] = messages(data)
    assert found.data == b"Subject: x\n\ny\n"
    assert found.flags == flags


def test_the_note_of_a_mail_program_to_itself_is_known() -> None:
    data = b"From x Mon Nov 23 10:00:00 2026\nX-IMAP: 1 2\nSubject: FOLDER INTERNAL DATA\n\ny\n\n"
    assert messages(data)[0].is_internal
