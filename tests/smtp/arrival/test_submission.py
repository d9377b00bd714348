"""What a submission server does to messages, and to nobody's secret recipients."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.arrival.arrivals import NotingBlob, spooled, submit
from tests.smtp.fakes import HELLO, RCPT, FakeSubmitter, SmtpFixture, lines
from twisted_mail.mail.message import MemoryBlob, Message, SlicedBlob
from twisted_mail.mail.mime import header
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp.arrival import incoming_message, submission
from twisted_mail.smtp.arrival.submission import scan_content, without_bcc
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

LONG = "x" * 3000


# ---------------------------------------------------------------- Bcc


def test_secret_recipients_are_removed_with_their_folded_lines() -> None:
    _, smtp = submit(
        "Bcc: eve@client.example,",
        "\tmallory@client.example",
        "From: alice@example.org",
        "bCC : x@client.example",
        "Resent-Bcc:",
        "Subject: Bcc: is a word",
        " and so is",
        " Bcc: here",
        "",
        "Bcc: stays",
    )
    assert smtp.content == (
        b"From: alice@example.org\r\nSubject: Bcc: is a word\r\n and so is\r\n Bcc: here\r\n\r\n"
        b"Bcc: stays\r\n"
    )


def test_a_message_that_only_has_secret_recipients_keeps_its_body() -> None:
    _, smtp = submit("Bcc: eve@client.example", "", "Hello")
    assert smtp.content == b"\r\nHello\r\n"
    assert b"Date: " in smtp.prefix


def test_text_without_a_header_has_no_secret() -> None:
    _, smtp = submit("Hello there", "Bcc: x", "", "bye")
    assert smtp.content == b"Hello there\r\nBcc: x\r\n\r\nbye\r\n"


def test_a_large_body_is_not_rewritten() -> None:
    head, body = b"Bcc: x\r\nSubject: y\r\n", b"\r\nbody\r\n"
    big = SlicedBlob(MemoryBlob(head + body), 0, len(head + body))
    kept, blob = without_bcc(head, big)
    assert kept == b"Subject: y\r\n"
    assert b"".join(blob.pieces()) == kept + body
    assert blob.size == len(kept + body)


FIELD = st.sampled_from(
    [
        b"Bcc: a\r\n",
        b"BCC:\r\n\tb\r\n",
        b"resent-bcc : c\r\n d\r\n",
        b"Subject: bcc\r\n",
        b"X: y\r\n Bcc: z\r\n",
    ]
)


@given(st.lists(FIELD), st.binary(max_size=30))
def test_what_is_no_secret_stays_as_it_was(fields: list[bytes], body: bytes) -> None:
    head = b"".join(fields)
    kept, blob = without_bcc(head, MemoryBlob(head + b"\r\n" + body))
    assert kept == b"".join(one for one in fields if one[:1] in b"SX")
    assert b"".join(blob.pieces()) == kept + b"\r\n" + body


def test_on_port_25_nothing_is_removed() -> None:
    smtp = SmtpFixture()
    talk = lines(HELLO, "MAIL FROM:<a@client.example>", RCPT, "DATA", "Bcc: x", "", LONG, ".")
    smtp.hold(ScriptedWire([talk]))
    assert smtp.content == b"Bcc: x\r\n\r\n" + LONG.encode() + b"\r\n"


# ---------------------------------------------------------------- missing fields


def test_a_message_without_author_is_from_its_sender() -> None:
    _, smtp = submit("Subject: x", "", "Hello")
    assert smtp.prefix.endswith(b"\r\nFrom: <alice@example.org>\r\n")


def test_a_report_without_author_is_from_the_account() -> None:
    _, smtp = submit("Subject: x", "", "Hello", sender="")
    assert smtp.prefix.endswith(b"\r\nFrom: <alice@example.org>\r\n")


def test_an_author_is_not_named_twice() -> None:
    _, smtp = submit("From: Alice <alice@example.org>", "", "Hello")
    assert b"From: <" not in smtp.prefix


# ---------------------------------------------------------------- legal octets


def test_a_plain_message_is_kept_as_it_came() -> None:
    _, smtp = submit("From: alice@example.org", "", "Hello")
    assert smtp.content == b"From: alice@example.org\r\n\r\nHello\r\n"


def test_long_lines_are_encoded() -> None:
    _, smtp = submit("From: alice@example.org", "", LONG)
    assert smtp.content.startswith(
        b"From: alice@example.org\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        b"MIME-Version: 1.0\r\n\r\nxxx"
    )
    assert smtp.content.count(b"=\r\n") > 30


def test_long_lines_of_text_without_header_are_encoded_under_one() -> None:
    _, smtp = submit("Hello there", LONG)
    whole = smtp.prefix + smtp.content
    assert b"\r\n\r\nHello there\r\n" in whole
    names = [field.name for field in header.fields(whole)]
    assert b"Content-Transfer-Encoding" in names
    assert b"From" in names


def test_octets_above_127_are_announced_whether_or_not_the_client_did() -> None:
    _, smtp = submit("From: alice@example.org", "", "h\xe9")
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.mail_parameters.body == "8BITMIME"
    _, smtp = submit("From: alice@example.org", "", "he")
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.mail_parameters.body == "7BIT"


def test_what_is_encoded_in_ascii_is_announced_as_such() -> None:
    _, smtp = submit("From: alice@example.org", "", LONG)
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.mail_parameters.body == "7BIT"


def test_a_message_that_is_too_large_to_convert_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "MAX_CONVERTED", 100)
    _, smtp = submit("From: alice@example.org", "", LONG)
    assert LONG.encode() in smtp.content


def test_what_has_grown_beyond_memory_goes_where_large_messages_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(submission, "IN_MEMORY", 1000)
    _, smtp = submit("From: alice@example.org", "", LONG)
    assert len(smtp.writers) == 2
    assert smtp.content == smtp.writers[1].data
    assert b"quoted-printable" in smtp.content


class Pieces:
    """A blob in pieces of its own."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.size = sum(map(len, pieces))

    def pieces(self, start: int = 0, stop: int | None = None) -> Any:
        return iter(self._pieces)

    def close(self) -> None: ...


@given(
    st.lists(
        st.sampled_from([b"a\r\n", b"x" * 500, b"\r\n", b"\r", b"\n", b"\0", b"\xe9", b"x" * 998])
    ),
    st.lists(st.integers(0, 3000), max_size=4),
)
def test_the_pieces_in_which_it_is_looked_at_do_not_matter(
    words: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(words)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:stop] for start, stop in pairwise(edges)]
    whole, cut = scan_content(Pieces([data])), scan_content(Pieces(pieces))
    assert whole[0] == cut[0]
    assert not whole[0] or whole == cut


# ---------------------------------------------------------------- each step alone


def test_a_header_of_which_not_all_is_seen_is_refused() -> None:
    whole = spooled(removes_bcc=True)
    submission.check_header(whole)
    whole.header = b"x" * incoming_message.MAX_HEADER
    with pytest.raises(Refused):
        submission.check_header(whole)


def test_on_port_25_the_header_is_looked_at_once_somebody_has_logged_in() -> None:
    whole = spooled(offers_login=True)
    whole.header = b"x" * incoming_message.MAX_HEADER
    submission.check_header(whole)
    whole.session.submitter = FakeSubmitter()
    with pytest.raises(Refused):
        submission.check_header(whole)


def test_header_and_message_lose_their_secret_recipients() -> None:
    whole = spooled()
    whole.header = b"Bcc: x\r\nSubject: y\r\n"
    whole.message = Message(MemoryBlob(whole.header + b"\r\nbody\r\n"))
    submission.remove_bcc(whole)
    assert whole.header == b"Subject: y\r\n"
    assert b"".join(whole.message.pieces()) == b"Subject: y\r\n\r\nbody\r\n"


def test_a_message_that_is_encoded_takes_the_place_of_the_old_one() -> None:
    whole = spooled()
    whole.header = b"Subject: y\r\n"
    old = NotingBlob(whole.header + b"\r\n" + LONG.encode() + b"\r\n")
    whole.message = Message(old)
    finish(submission.make_legal(whole))
    assert NotingBlob.closed == 1
    assert b"quoted-printable" in whole.header
    assert b"".join(whole.message.pieces()).startswith(whole.header + b"\r\n")


def test_steps_are_there_that_the_settings_ask_for() -> None:
    def names(**settings: bool) -> list[str]:
        return [step.name for step in submission.steps(Settings(**settings))]  # type: ignore[arg-type]

    assert names() == []
    assert names(offers_login=True) == ["header", "author"]
    assert names(offers_login=True, checks_author=False) == ["header", "author"]  # of reports
    assert names(removes_bcc=True) == ["header", "author", "bcc"]
    assert names(makes_legal=True) == ["header", "author", "encoding"]
