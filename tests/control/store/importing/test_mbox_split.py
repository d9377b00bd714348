import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.control.store import mbox
from twisted_mail.control.store.importing import from_lines
from twisted_mail.control.store.importing.mbox_split import MboxIndex, begins_like_mbox, split

HEADER = b"From: a@b.example\nSubject: %d\nDate: Thu, 22 Aug 2019 17:20:08 +0200\n\ntext\n"
DATED = b"From a@b.example Mon Nov 23 10:00:00 2026\n"
APRIL = "2015-04-16T09:53:04+00:00"


def index(data: bytes) -> MboxIndex:
    return split(io.BytesIO(data))


def bodies(data: bytes, dialect: mbox.Dialect = "mboxrd") -> list[bytes]:
    return [mbox.read(data[start:stop], dialect).data for start, stop in index(data).ranges]


def written(*separators: bytes) -> bytes:
    return b"".join(line + HEADER % at + b"\n" for at, line in enumerate(separators))


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n", b"\n\n\n", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize(
    "separator",
    [
        b"From \n",
        b"From - \n",
        b"From - Fri Aug 24 11:55:47 2018\n",
        b"From MAILER-DAEMON\n",
        b"From a@b.example 2018-08-24 11:55:47\n",
        b"From ???@??? Mon Nov 23 10:00:00 2026   \n",
        b'From "A. User"@b.example   Mon Nov  3 10:00:00 2026\n',
        b"From a Mon Nov 23 10:00 2026 remote from there\n",
        b"From a@b.example Montag 10:00:00 2026\n",  # a time in a form that is not known
    ],
)
def test_each_kind_of_separator_separates(separator: bytes, before: bytes, ends: bytes) -> None:
    data = (before + written(separator, DATED, separator)).replace(b"\n", ends)
    found = index(data)
    assert len(found.ranges) == 3
    assert not found.hiding
    assert not found.doubtful
    assert begins_like_mbox(io.BytesIO(data))
    assert bodies(data) == [(HEADER % at).replace(b"\n", ends) for at in range(3)]


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("Thu Apr 16 09:53:04 2015", APRIL),
        ("Thu Apr 16 09:53:04 +0000 2015", APRIL),
        ("Thu Apr 16 09:53:04 GMT 2015", APRIL),
        ("Thu Apr 16 05:53:04 EDT 2015", "2015-04-16T05:53:04-04:00"),
        ("Thu Apr 16 11:53:04 2015 +0200", "2015-04-16T11:53:04+02:00"),
        ("Thu Apr 16 11:53:04 2015 +0200 (CEST)", "2015-04-16T11:53:04+02:00"),
        ("Apr 16 09:53:04 2015", APRIL),
        ("Thu Apr 16 09:53 2015", "2015-04-16T09:53:00+00:00"),
        ("Thu Apr 16 09:53:04 15", APRIL),
        ("Thu Apr 16 09:53:04 96", "1996-04-16T09:53:04+00:00"),
        ("  Thu   Apr 16\t09:53:04   2015  ", APRIL),
        ("Thu Apr  6 09:53:04 2015", "2015-04-06T09:53:04+00:00"),
        ("2015-04-16 09:53:04", APRIL),
        ("2015-04-16T11:53:04.123+02:00", "2015-04-16T11:53:04+02:00"),
        ("2015-04-16T09:53:04Z", APRIL),
        ("Thu, 16 Apr 2015 09:53:04 +0000", APRIL),
        ("16 Apr 2015 09:53:04", APRIL),
        ("Thu Apr 16 09:53:04 2015 remote from host", APRIL),
    ],
)
@pytest.mark.parametrize("sender", ["a@b.example", "-", "1597000000000000000@xxx", "two words"])
def test_each_form_of_a_date_is_read(sender: str, date: str, iso: str) -> None:
    found = from_lines.date_of(f"From {sender} {date}\r\n".encode())
    assert found is not None
    assert found.isoformat() == iso


@pytest.mark.parametrize("text", ["", "Thu Feb 30 09:53:04 2015", "a@b.example", "now on", "2015"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert from_lines.date_of(f"From x {text}\n".encode()) is None


@given(st.binary(max_size=300))
def test_any_line_is_judged(data: bytes) -> None:
    for is_after_blank in (True, False):
        assert isinstance(from_lines.judge(b"From " + data, data, is_after_blank).doubt, str)


# ---------------------------------------------------------------- doubts


@pytest.mark.parametrize(
    ("line", "behind", "messages", "hiding", "doubtful"),
    [
        (b"\nFrom now on all is well\n", b"and good\n", 1, [], []),
        (b"\nFrom \n", b"all of us\n", 1, [], [8]),
        (b"\nFrom now on:\n", b"From: a@b.example\nSubject: y\n\n", 1, [8], []),
        (b"\n" + DATED, b"he wrote\n", 2, [], [8]),
        (b"\n" + DATED, b"\nhe wrote\n", 2, [], [8]),
        (b"\n" + DATED, b"\r\nhe wrote\r\n", 2, [], [8]),
        (b"\n" + DATED, b"\n", 2, [], []),
        (DATED, b"Subject: y\n\nz\n", 2, [], [7]),
        (b"From \n", b"X-Mozilla-Status: 0001\nSubject: y\n\nz\n", 2, [], [7]),
        (DATED, b"he wrote\n", 1, [], []),
        (b"\nFrom 10:30 to 12:00 of 2026\n", b"he wrote\n", 1, [], [8]),
    ],
)
def test_what_is_ambiguous_is_named_with_its_line(
    line: bytes, behind: bytes, messages: int, hiding: list[int], doubtful: list[int]
) -> None:
    found = index(DATED + HEADER % 1 + line + behind)
    assert len(found.ranges) == messages
    assert [number for number, _ in found.hiding] == hiding
    assert [number for number, _ in found.doubtful] == doubtful


def test_what_is_before_the_first_message_is_named() -> None:
    found = index(b"\nrubbish\nmore\n\n" + written(DATED))
    assert [number for number, _ in found.hiding] == [2]
    assert len(found.ranges) == 1


# ---------------------------------------------------------------- Content-Length


def with_length(body: bytes, extra: int = 0) -> bytes:
    return DATED + b"Subject: x\nContent-Length: %d\n\n" % (len(body) + extra) + body


@pytest.mark.parametrize(("between", "dialect"), [(b"", "mboxcl2"), (b"\n", "mboxrd")])
def test_a_length_that_fits_holds_whatever_the_text_looks_like(
    between: bytes, dialect: mbox.Dialect
) -> None:
    body = b"hello\n\nFrom b@c.example Mon Nov 23 10:00:00 2026\nhe wrote\n>From me\n\n"
    data = with_length(body) + between + with_length(b"z\n") + b"\n"
    assert not index(data).hiding
    assert [each.partition(b"\n\n")[2] for each in bodies(data, dialect)] == [body, b"z\n"]


def test_a_length_does_not_hide_a_message_in_silence() -> None:
    inner = written(DATED)
    found = index(with_length(b"hello\n\n" + inner) + written(DATED))
    assert len(found.ranges) == 2
    assert [number for number, _ in found.hiding] == [7]


@pytest.mark.parametrize("extra", [-2, 1, 5, 10**9])
def test_a_length_that_does_not_fit_is_ignored(extra: int) -> None:
    data = with_length(b"hello\n", extra) + b"\n" + written(DATED)
    assert len(index(data).ranges) == 2
    assert bodies(data)[0].endswith(b"\n\nhello\n")


def test_quoting_is_undone_as_the_dialect_has_it() -> None:
    data = with_length(b">From me\n>>From you\n") + b"\n"
    wanted = {
        "mboxrd": b"From me\n>From you\n",
        "mboxcl": b"From me\n>>From you\n",
        "mboxcl2": b">From me\n>>From you\n",
    }
    for dialect, body in wanted.items():
        assert bodies(data, dialect)[0].endswith(b"\n\n" + body)  # type: ignore[arg-type]


TEXTS = st.lists(
    st.sampled_from([b"", b"From me", b"From \n", b"x", b"> From", DATED[:-1]]), max_size=6
)


@given(st.lists(st.tuples(TEXTS, st.integers(0, 40)), min_size=1, max_size=4))
def test_a_length_of_the_message_itself_spoils_nothing(
    found: list[tuple[list[bytes], int]],
) -> None:
    mails = [
        b"Content-Length: %d\n\n" % length + b"".join(line + b"\n" for line in lines)
        for lines, length in found
    ]
    data = b"".join(mbox.write(each, frozenset(), 1_700_000_000) for each in mails)
    assert bodies(data) == mails


def test_a_from_line_without_a_date_among_dated_ones_is_doubtful() -> None:
    """It may be a quoted message in the text of another one."""
    text = DATED + HEADER % 1 + b"\nFrom bob\nSubject: quoted\n\nlook\n\n" + DATED + HEADER % 2
    found = index(text)
    assert len(found.ranges) == 3
    [(number, why)] = found.doubtful
    assert (number, why) == (8, "begins a message, and tells no date as the first From line does")


@pytest.mark.parametrize("separator", [b"From \n", b"From - \n"])
def test_thunderbirds_newer_separator_among_older_ones_is_not_doubtful(separator: bytes) -> None:
    found = index(written(DATED, separator, separator))
    assert len(found.ranges) == 3
    assert not found.doubtful


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"text\n", b"From a to b\n", b"From a@b 1429178000\n"]
)
def test_what_has_no_from_line_has_no_messages(data: bytes) -> None:
    assert index(data).ranges == []
