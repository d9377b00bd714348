"""Messages as hosts take them."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.dialogue.hosts import InlineThreads, mail
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.smtp.dialogue.capabilities import NOTHING_OFFERED, Capabilities
from twisted_mail.smtp.dialogue.content import stuffed
from twisted_mail.smtp.dialogue.fitting import (
    BINARY,
    MAX_CONVERTED,
    NO_UTF8,
    SIGNED,
    SMALLEST_LIMIT,
    FittedMessage,
    MessageFitter,
)
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import FakeBlobWriter

EIGHT = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
SIGNED_EIGHT = b"DKIM-Signature: v=1\r\n" + EIGHT
BIG = b"x" * 70 + b"\r\n"


class Elsewhere:
    """A blob that is not in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.is_closed = False

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield self._data[start : self.size if stop is None else stop]

    def close(self) -> None:
        self.is_closed = True


def fitter(offered: Capabilities = NOTHING_OFFERED, sends_signed: bool = True) -> MessageFitter:
    threads = InlineThreads()
    return MessageFitter(offered, sends_signed, threads, threads, FakeBlobWriter)


def fit(
    transaction: Transaction, offered: Capabilities = NOTHING_OFFERED, sends_signed: bool = True
) -> FittedMessage | Outcome:
    found = fitter(offered, sends_signed)
    at_once = found.fit_at_once(transaction)
    slowly = finish(found.fit(transaction))
    assert at_once is None or _octets(at_once) == _octets(slowly)
    return slowly if at_once is None else at_once


def _octets(found: FittedMessage | Outcome) -> bytes | Outcome:
    return found if isinstance(found, Outcome) else found.head + b"".join(found.blob.pieces())


def wishing(data: bytes, **wishes: object) -> Transaction:
    plain = mail(data=data)
    parameters = MailParameters(**wishes)  # type: ignore[arg-type]
    return replace(plain, job=replace(plain.job, mail_parameters=parameters))


def test_ascii_goes_anywhere_as_it_is() -> None:
    found = fit(mail())
    assert isinstance(found, FittedMessage)
    assert (found.size, found.is_8bit, found.is_utf8) == (22, False, False)


@pytest.mark.parametrize("data", [EIGHT, EIGHT + BIG * 2000])
def test_8_bits_go_as_they_are_where_they_are_taken(data: bytes) -> None:
    found = fit(mail(data=data), Capabilities(has_8bit=True))
    assert isinstance(found, FittedMessage)
    assert found.is_8bit


LONE = {
    b"a\rb": b"YQ1i\r\n",
    b"a\nb": b"YQpi\r\n",
    b"\r\n\0.\r\n": b"DQoALg0K\r\n",
    b"a\r": b"YQ0=\r\n",
}


@pytest.mark.parametrize("body", LONE)
@pytest.mark.parametrize("in_memory", [True, False])
def test_line_ends_of_no_line_are_encoded(body: bytes, in_memory: bool) -> None:
    data = b"Subject: x\r\n\r\n" + body
    plain = mail(data=data)
    if not in_memory:
        plain = replace(plain, message=Message(Elsewhere(data)))
    for offered in (NOTHING_OFFERED, Capabilities(has_8bit=True)):
        found = fit(plain, offered)
        assert isinstance(found, FittedMessage)
        copy = _octets(found)
        assert isinstance(copy, bytes)
        assert b"\r\nContent-Transfer-Encoding: base64\r\n" in copy
        assert copy.endswith(b"\r\n\r\n" + LONE[body])
        assert found.size == len(copy)


@pytest.mark.parametrize("signs", [b"DKIM-Signature: v=1\r\n", b"X: a\rb\r\n"])
def test_line_ends_of_no_line_are_not_sent_where_they_cannot_be_encoded(signs: bytes) -> None:
    data = signs + b"\r\na\nb\r\n"
    assert fit(mail(data=data), Capabilities(has_8bit=True)) == BINARY
    assert fit(mail(data=data)) == BINARY


def test_a_large_message_with_such_a_line_end_is_not_sent() -> None:
    blob = Elsewhere(b"a\nb")
    blob.size = MAX_CONVERTED + 1
    assert finish(fitter().fit(replace(mail(), message=Message(blob)))) == BINARY


def test_a_pair_may_be_cut() -> None:
    data = b"Subject: x\r\n\r\n"
    blob = Elsewhere(data)
    blob.pieces = lambda *_: iter([data[:11], data[11:13], data[13:]])  # type: ignore[method-assign]
    found = finish(fitter().fit(replace(mail(), message=Message(blob))))
    assert isinstance(found, FittedMessage)
    assert found.blob is blob


def test_a_copy_that_has_grown_too_large_is_not_sent() -> None:
    data = b"Subject: x\r\n\r\n" + b"\n" * 70_000
    found = fit(mail(data=data), Capabilities(size=80_000))
    assert isinstance(found, Outcome)
    assert found.enhanced == "5.3.4"


_PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"a",
    b"\0",
    b"\xe9",
    b"\r\n.\r\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n\r\n",
]
_HEADS = [b"", b"Subject: x\r\n", b"DKIM-Signature: v=1\r\n", b"Content-Type: text/html\r\n"]


@given(
    st.sampled_from(_HEADS),
    st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_no_host_finds_the_end_of_a_message_early(
    head: bytes, body: bytes, has_8bit: bool, sends_signed: bool, in_memory: bool
) -> None:
    data = head + body
    blob = MemoryBlob(data) if in_memory else Elsewhere(data)
    offered = Capabilities(has_8bit=has_8bit)
    found = fit(replace(mail(), message=Message(blob)), offered, sends_signed)
    if isinstance(found, Outcome):
        assert found in (BINARY, SIGNED)
        return
    octets = _octets(found)
    assert isinstance(octets, bytes)
    sent = stuffed(octets)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", sent)
    lines = re.split(rb"\r\n|\r|\n", sent)  # as the most lenient host reads them
    assert lines.index(b".") == len(lines) - 2
    assert has_8bit or sends_signed or sent.isascii()


@pytest.mark.parametrize("data", [EIGHT, EIGHT + BIG * 2000])
def test_8_bits_are_encoded_where_they_are_not_taken(data: bytes) -> None:
    found = fit(mail(data=data))
    assert isinstance(found, FittedMessage)
    copy = _octets(found)
    assert isinstance(copy, bytes)
    assert copy.isascii()
    assert b"Gr=C3=BC=C3=9Fe\r\n" in copy
    assert (found.size, found.is_8bit, found.is_owned) == (len(copy), False, True)


def test_what_is_signed_is_sent_as_it_is_or_refused() -> None:
    found = fit(mail(data=SIGNED_EIGHT))
    assert isinstance(found, FittedMessage)
    assert _octets(found) == SIGNED_EIGHT
    assert not found.is_8bit  # it cannot be said
    assert fit(mail(data=SIGNED_EIGHT), sends_signed=False) == SIGNED


def test_what_is_too_large_to_be_encoded_counts_as_signed() -> None:
    blob = Elsewhere(EIGHT)
    blob.size = MAX_CONVERTED + 1
    transaction = replace(mail(), message=Message(blob))
    assert finish(fitter(sends_signed=False).fit(transaction)) == SIGNED


def test_only_a_copy_is_closed() -> None:
    blob = Elsewhere(EIGHT)
    FittedMessage(b"", blob, 1).close()
    assert not blob.is_closed
    FittedMessage(b"", blob, 1, is_owned=True).close()
    assert blob.is_closed


@pytest.mark.parametrize(
    ("size", "is_taken"),
    [
        (0, True),
        (72_000, True),
        (71_999, False),
        (SMALLEST_LIMIT, False),
        (SMALLEST_LIMIT - 1, True),
    ],
)
def test_the_size_that_a_host_takes(size: int, is_taken: bool) -> None:
    found = fit(mail(data=BIG * 1000), Capabilities(has_size=True, size=size))
    assert isinstance(found, FittedMessage) == is_taken
    if isinstance(found, Outcome):
        assert (found.code, found.enhanced) == (552, "5.3.4")


def test_a_wish_for_utf8_is_passed_on() -> None:
    found = fit(wishing(EIGHT, is_utf8=True), Capabilities(has_utf8=True, has_8bit=True))
    assert isinstance(found, FittedMessage)
    assert found.is_utf8


@pytest.mark.parametrize("in_memory", [True, False])
def test_utf8_is_wished_for_where_an_alias_leads_to_such_an_address(in_memory: bool) -> None:
    offered = Capabilities(has_8bit=True, has_utf8=True)
    plain, leading = mail(), mail("bob@remote.example, b\u00fccher@remote.example")
    if not in_memory:
        leading = replace(leading, message=Message(Elsewhere(b"Subject: x\r\n\r\n")))
    found = [fit(one, offered) for one in (plain, leading)]
    assert [isinstance(one, FittedMessage) and one.is_utf8 for one in found] == [False, True]


def test_a_wish_for_utf8_is_dropped_where_the_header_is_ascii() -> None:
    found = fit(wishing(EIGHT, is_utf8=True), Capabilities(has_8bit=True))
    assert isinstance(found, FittedMessage)
    assert (found.is_utf8, found.is_8bit) == (False, True)


def test_a_header_in_utf8_is_refused_where_it_is_not_taken() -> None:
    data = b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nx\r\n"
    assert fit(wishing(data, is_utf8=True), Capabilities(has_8bit=True)) == NO_UTF8


def test_a_sender_in_utf8_is_refused_where_it_is_not_taken() -> None:
    plain = mail()
    sender = Address("é", "example.org")
    transaction = replace(plain, job=replace(plain.job, sender=sender))
    assert fit(transaction) == NO_UTF8
    assert isinstance(fit(transaction, Capabilities(has_utf8=True)), FittedMessage)


def test_recipients_in_utf8_are_told_only_to_those_who_can_read_them() -> None:
    [plain] = mail().recipients
    [foreign] = mail("é@remote.example").recipients
    assert fitter().takes(plain)
    assert not fitter().takes(foreign)
    assert fitter(Capabilities(has_utf8=True)).takes(foreign)


def test_a_header_without_end_is_not_taken_for_ascii() -> None:
    data = b"X: " + b"y" * 70 + b"\r\n" + b" y\r\n" * 300_000
    assert fit(wishing(data, is_utf8=True)) == NO_UTF8


def test_what_is_large_is_not_copied_and_what_is_very_large_not_even_looked_at() -> None:
    blob = MemoryBlob(BIG * 2000)
    found = fitter().fit_at_once(replace(mail(), message=Message(blob)))
    assert isinstance(found, FittedMessage)
    assert found.data is None
    assert found.blob is blob
    blob = MemoryBlob(BIG * 20_000)
    assert fitter().fit_at_once(replace(mail(), message=Message(blob))) is None


def test_a_copy_that_cannot_be_written_is_given_up() -> None:
    writer = FakeBlobWriter(OSError(28, "No space left on device"))
    threads = InlineThreads()
    found = MessageFitter(NOTHING_OFFERED, True, threads, threads, lambda: writer)
    with pytest.raises(OSError, match="No space left"):
        finish(found.fit(mail(data=EIGHT)))
    assert writer.is_discarded
