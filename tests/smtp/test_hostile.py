"""Streams of octets that no client should send, cut in any way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.smtp.fakes import SUBMISSION, SmtpFixture
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire

ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"\0\r\n", b""])
WORDS = st.sampled_from(
    [
        *(b"EHLO c", b"NOOP", b"RSET", b"MAIL FROM:<a@example.org>", b"RCPT TO:<bob@example.org>"),
        *(b"DATA", b"a: b", b"", b".", b"..", b"BDAT 5", b"BDAT 3 LAST", b"BDAT x", b"QUIT"),
        *(b"AUTH PLAIN", b"YWxpY2VAZXhhbXBsZS5vcmcgc2VjcmV0", b"\x16\x03\x01"),
        *(b"GET / HTTP/1.1", b"Host: x", b"x" * 3000),
    ]
)
STREAMS = st.lists(st.builds(bytes.__add__, WORDS, ENDS), max_size=14).map(b"".join)
LENIENT = {"soft_errors": 1000, "hard_errors": 1000}
PREFIX = b"EHLO c\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n"
PREFIXES = st.sampled_from([b"", b"EHLO c\r\n", PREFIX, PREFIX + b"DATA\r\n"])


def held(chunks: list[bytes], kind: type[Settings]) -> tuple[list[str], int, list[object]]:
    smtp = SmtpFixture()
    replies = smtp.hold(ScriptedWire(chunks), kind(**LENIENT))  # type: ignore[arg-type]
    replies = [reply.partition("queued as")[0] for reply in replies]  # the id is another each time
    bugs = [event for event in smtp.journal.events if event[0] == "failed"]
    return replies, len(smtp.queue.accepted), list(bugs)


@settings(deadline=None)
@given(PREFIXES, STREAMS, st.sampled_from([Settings, type(SUBMISSION)]), st.integers(1, 60))
def test_no_stream_breaks_a_session_or_depends_on_how_it_was_cut(
    prefix: bytes, stream: bytes, kind: type[Settings], size: int
) -> None:
    stream = prefix + stream
    whole = held([stream] if stream else [], kind)
    assert held([stream[at : at + size] for at in range(0, len(stream), size)], kind) == whole
    assert whole[2] == []


@given(st.lists(WORDS.filter(lambda word: word[:4].isalpha() and word[:4] in b"NOOP RSET EHLO")))
def test_each_line_has_its_answer_whatever_it_ends_with(words: list[bytes]) -> None:
    stream = b"".join(word + (b"\n", b"\r\n", b"\r\r\n")[at % 3] for at, word in enumerate(words))
    replies, _, _ = held([stream] if stream else [], Settings)
    finals = [reply for reply in replies if reply[3:4] == " "]
    assert len(finals) == 1 + len(words)
