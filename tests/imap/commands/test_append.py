import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish


def test_a_message_is_kept_as_it_came() -> None:
    imap = ImapFixture()
    body = b"Subject: x\r\n\r\nbare\rcr and \x80 octets\r\n"
    head = b'a APPEND INBOX (\\Seen $Junk) "17-Jul-1996 02:44:25 -0700" {%d}\r\n' % len(body)
    lines = imap.inside(head, body + b"\r\n")
    assert lines == ["+ OK", "a OK [APPENDUID 1000000000 1] APPEND completed."]
    box = imap.box()
    assert finish(box.read([MessageRange(1)])) == [body]
    assert box.columns[0].flags == {"\\Seen", "$Junk"}
    assert box.columns[0].date == 837596665


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ([b"Subject: x\n\none\ntwo\n"], b"Subject: x\r\n\r\none\r\ntwo\r\n"),
        ([b"Subject: x\r", b"\n\r", b"\none\n"], b"Subject: x\r\n\r\none\r\n"),
        ([b"\n", b"\n"], b"\r\n\r\n"),
        ([b"one\r", b"two\n\r"], b"one\rtwo\r\n\r"),
    ],
    ids=["LF", "CRLF in pieces", "LF first", "CR alone"],
)
def test_lf_alone_is_kept_as_crlf(pieces: list[bytes], kept: bytes) -> None:
    imap = ImapFixture()
    head = b"a APPEND INBOX {%d}\r\n" % len(b"".join(pieces))
    assert imap.inside(head, *pieces, b"\r\n")[-1].startswith("a OK [APPENDUID")
    assert finish(imap.box().read([MessageRange(1)])) == [kept]
    assert imap.box().columns[0].size == len(kept)


def test_a_client_that_brings_messages_with_nul_is_not_cut_off() -> None:
    imap = ImapFixture(max_errors=3)
    lines = imap.inside(*[b"a APPEND INBOX {3+}\r\nx\0y\r\n"] * 10, "b NOOP")
    assert lines == ["a NO [CANNOT] A message may not hold NUL"] * 10 + ["b OK NOOP completed."]


def test_the_limit_counts_what_is_kept() -> None:
    imap = ImapFixture(max_size=4)
    lines = imap.inside(
        b"a APPEND INBOX {3+}\r\na\n\n\r\n", b"b APPEND INBOX {3+}\r\nab\n\r\n", "c NOOP"
    )
    assert lines[0] == "a NO [TOOBIG] The message is too large with CRLF line ends"
    assert lines[1].startswith("b OK [APPENDUID")
    assert [entry.size for entry in imap.box().columns] == [4]


def test_the_mailbox_may_be_a_literal_too() -> None:
    lines = ImapFixture().inside(b"a APPEND {5+}\r\ninbox () {1+}\r\nx\r\n")
    assert lines == ["a OK [APPENDUID 1000000000 1] APPEND completed."]


def test_news_of_the_selected_mailbox_come_with_the_answer() -> None:
    lines = ImapFixture().inside("s SELECT INBOX", b"a APPEND INBOX {1+}\r\nx\r\n")
    assert lines[-3:-1] == ["* 1 EXISTS", "* 1 RECENT"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"a APPEND x {1+}\r\nx\r\n", "a NO [TRYCREATE]"),
        (b"a APPEND INBOX {0+}\r\n\r\n", "a NO [CANNOT]"),
        (b"a APPEND INBOX (\\Recent) {1+}\r\nx\r\n", "a BAD"),
        (b"a APPEND INBOX (\\Seen){1+}\r\nx\r\n", "a BAD"),
        (b'a APPEND INBOX "yesterday" {1+}\r\nx\r\n', "a BAD"),
        (b"a APPEND INBOX {1+}\r\nx{1+}\r\ny\r\n", "a BAD"),
        (b"a APPEND INBOX {1+}\r\nx y\r\n", "a BAD"),
        (b"a APPEND INBOX {3+}\r\nx\0y\r\n", "a NO [CANNOT]"),
        (b"a APPEND INBOX text\r\n", "a BAD"),
        (b"a APPEND INBOX\r\n", "a BAD"),
        (b"a APPEND\r\n", "a BAD"),
        (b"a SELECT {1+}\r\nx{1+}\r\ny\r\n", "a BAD"),
    ],
)
def test_what_cannot_be_appended(command: bytes, answer: str) -> None:
    imap = ImapFixture()
    lines = imap.inside(command, "b NOOP")
    assert lines[0].startswith(answer)
    assert lines[1:] == ["b OK NOOP completed."]
    assert len(imap.box().columns) == 0


def test_a_message_that_is_too_large_is_not_asked_for() -> None:
    lines = ImapFixture(max_size=100).inside("a APPEND INBOX {101}", "b NOOP")
    assert lines == ["a NO [TOOBIG] The message is too large", "b OK NOOP completed."]


def test_a_full_disk_is_reported_when_all_octets_have_come() -> None:
    imap = ImapFixture()
    imap.disk_error = Unavailable("There is no room")
    lines = imap.inside(b"a APPEND INBOX {10}\r\n", b"x NOOP", b"\r\nx\r\nb NOOP\r\n")
    assert lines == ["+ OK", "a NO [UNAVAILABLE] There is no room", "b OK NOOP completed."]


def test_a_writer_that_cannot_be_made_is_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    imap = ImapFixture()

    def failing() -> None:
        raise Unavailable("There are too many messages")

    monkeypatch.setattr(imap, "writer", failing)
    lines = imap.inside(b"a APPEND INBOX {2+}\r\nxy\r\n", "b NOOP")
    assert lines[0] == "a NO [UNAVAILABLE] There are too many messages"
    assert len(lines) == 2
