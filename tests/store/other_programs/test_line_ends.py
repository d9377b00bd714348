"""Files of other programs, with lines that end with LF alone and with NUL, are served as mail may be."""

import pytest

from tests.contracts.ground import draft, entry
from tests.store.shared_maildir import SharedMaildir, texts
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.testing.doubles import finish

LF = b"Subject: lines\n\n" + b"a line\n" * 30_000 + b"one with CR\r\nand the last"
CRLF = LF.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "name", ["cur/a:2,S", f"cur/a,S={len(LF)}:2,", f"cur/a,S=5,W={len(LF)}:2,"]
)
def test_bare_line_feeds_are_served_with_carriage_returns(shared: SharedMaildir, name: str) -> None:
    shared.drop(name, LF)
    inbox = shared.open()
    finish(inbox.measure([1]))
    assert entry(inbox, 1).size == len(CRLF)
    assert texts(inbox) == [CRLF]
    finish(inbox.items([1]))
    assert shared.render.rendered[-1] == CRLF


def test_ranges_of_converted_files_are_those_of_the_wire(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,S", LF)
    inbox = shared.open()
    starts = range(0, len(CRLF), 50_001)
    parts = [finish(inbox.read([MessageRange(1, at, at + 50_001)]))[0] for at in starts]
    assert b"".join(part or b"" for part in parts) == CRLF
    assert finish(inbox.read([MessageRange(1, 14, 18), MessageRange(1, 70_000, 70_010)])) == [
        CRLF[14:18],
        CRLF[70_000:70_010],
    ]


@pytest.mark.parametrize("length", [65_535, 65_536, 65_537])
def test_line_ends_are_counted_across_chunks(shared: SharedMaildir, length: int) -> None:
    data = b"x" * (length - 1) + b"\r\n" + b"y\n\r\r\n\n"
    shared.drop("cur/a:2,S", data)
    inbox = shared.open()
    expected = b"x" * (length - 1) + b"\r\n" + b"y\r\n\r\r\n\r\n"
    assert (texts(inbox), entry(inbox, 1).size) == ([expected], len(expected))


def test_the_size_on_the_wire_that_a_name_tells_is_believed(shared: SharedMaildir) -> None:
    shared.drop(f"cur/a,S={len(LF)},W={len(CRLF)}:2,", LF)
    assert texts(shared.open()) == [CRLF]


def test_a_copy_of_a_converted_file_tells_both_sizes(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,S", LF)
    finish(shared.open().copy([1], "Sent"))
    [name] = shared.files(".Sent/cur")
    assert name.endswith(f",S={len(LF)},W={len(CRLF)}:2,S")
    assert texts(shared.open("Sent")) == [CRLF]


def test_own_messages_with_bare_line_feeds_stay_as_they_came(shared: SharedMaildir) -> None:
    finish(shared.account.append("INBOX", [draft(b"a\nb\r\n")]))
    shared.close()
    for path in shared.root.glob("*/*/index*"):
        path.unlink()
    shared.restart()
    assert texts(shared.open()) == [b"a\nb\r\n"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_nul_is_served_as_another_octet_everywhere(shared: SharedMaildir, line_end: bytes) -> None:
    data = line_end.join([b"Subject: n\0l", b"", b"\0" * 40_000, b"\0\0\0word\0", b""])
    wire = data.replace(line_end, b"\r\n").replace(b"\0", b"\x80")
    shared.drop("cur/a:2,S", data)
    inbox = shared.open()
    assert (texts(inbox), entry(inbox, 1).size) == ([wire], len(wire))
    assert finish(inbox.read([MessageRange(1, 5, 12)])) == [wire[5:12]]
    finish(inbox.items([1]))
    assert shared.render.rendered[-1] == wire
    [name] = shared.files("cur")
    assert (shared.maildir / "cur" / name).read_bytes() == data
