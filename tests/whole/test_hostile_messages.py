"""Messages made to take for ever: what is asked about them is answered, and others do not wait."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import MIB, Metronome, ObservedServer, Raw, selected

pytestmark = pytest.mark.whole

PATIENT = 1.0  # seconds that a good client waits at most; about 0.1 where nothing else runs
LONGEST = 15.0  # seconds for one answer about one message

HEAD = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: bomb\r\nMIME-Version: 1.0\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
TO = b"From: a@example.org\r\nTo: "
END = b"\r\n\r\nx\r\n"

BOMBS = {
    "ten thousand parts": MIXED + b"--b\r\nContent-Type: text/plain; name=a\r\n\r\nx\r\n" * 10_000,
    "a hundred thousand parts": MIXED + b"--b\r\n\r\nx\r\n" * 100_000,
    "three thousand levels": HEAD
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(3000)
    ),
    "messages in messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000 + END,
    "one boundary for all levels": MIXED.replace(HEAD, b"") * 3000 + b"--b\r\n" * 3000,
    "what is nearly a boundary": MIXED + b"--bx\r\n" * 500_000,
    "a boundary of dashes": HEAD
    + b"Content-Type: multipart/mixed; boundary=--\r\n\r\n"
    + b"----\r\n" * 100_000,
    "an endless boundary": MIXED.replace(b"=b", b"=" + b"b" * 100_000),
    "a line of ten megabytes": HEAD + b"\r\n" + b"x" * 10_000_000 + b"\r\n",
    "a million commas": TO + b"a@b," * 1_000_000 + END,
    "a million parentheses": TO + b"(" * 1_000_000 + END,
    "a million quotes": TO + b'"\\' * 1_000_000 + END,
    "a million angles": TO + b"<@a," * 1_000_000 + END,
    "a million groups": TO + b"g:;" * 1_000_000 + END,
    "a million encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 1_000_000 + END,
    "a million fields": b"To: a@b\r\n" * 1_000_000 + END,
    "a million parameters": HEAD + b"Content-Type: text/plain" + b"; a*1=x" * 1_000_000 + END,
    "a million languages": HEAD + b"Content-Language: " + b"a," * 1_000_000 + END,
    "tags that never close": HTML + b"<b " * 2_000_000,
    "comments that never close": HTML + b"<!-- " * 1_000_000,
    "entities": HTML + b"&#38" * 1_000_000,
    "marks on a letter": HEAD
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + "e\u0301\u0302".encode() * 500_000,
    "shifts of charset": HEAD
    + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    + b"\x1b$B0!\x1b(B" * 500_000,
    "much Russian": HEAD
    + b"Content-Type: text/plain; charset=koi8-r\r\n\r\n"
    + b"\xd0\xd2\xc9 " * 2_000_000,
    "no header": b"\r\n",
    "nothing but line ends": b"\n" * 1_000_000,
}
QUESTIONS = [
    b"FETCH * (ENVELOPE)",
    b"FETCH * (BODY)",
    b"FETCH * (BODYSTRUCTURE)",
    b"FETCH * (BODY.PEEK[HEADER.FIELDS (to content-type)])",
    b"FETCH * (BODY.PEEK[1])",
    b"FETCH * (BODY.PEEK[1.1.1.1.1.1.1.1.1.1.1.1])",
    b"FETCH * (BODY.PEEK[9999.MIME])",
    b"FETCH * (BODY.PEEK[TEXT]<0.10>)",
    b"SEARCH * TEXT zzzzzz",
    b"SEARCH * HEADER to zzzzzz",
    b"SEARCH * BODY z",
    b"SEARCH * SENTSINCE 1-Feb-1994",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    folder: Path = tmp_path_factory.mktemp("bombs")
    server = ObservedServer(folder)
    yield server
    bugs = server.bugs()
    server.stop()
    assert not bugs


@pytest.fixture(scope="module")
def bob(server: ObservedServer) -> Iterator[Raw]:
    with selected(server.connect("imap")) as client:
        yield client


@pytest.mark.parametrize("name", BOMBS)
def test_a_message_like_this_holds_nobody_up(
    server: ObservedServer, bob: Raw, name: str, record_property: Callable[[str, object], None]
) -> None:
    message, before = BOMBS[name], server.memory()
    with Metronome(server) as good:
        bob.send(b"p APPEND INBOX {%d+}\r\n%b\r\n" % (len(message), message))
        assert bob.until(b"p ")[-1].startswith(b"p OK")
        for question in QUESTIONS:
            began = time.monotonic()
            bob.send(b"q%d %b\r\n" % (len(question), question))
            answer = bob.until(b"q%d " % len(question))[-1].partition(b" ")[2]
            assert answer.startswith(b"OK"), (question, answer)
            assert time.monotonic() - began < LONGEST, question
    record_property("longest wait", good.worst)
    assert good.worst < PATIENT
    assert server.memory() - before < 100 * MIB


def test_twice_the_message_takes_about_twice_the_time(server: ObservedServer, bob: Raw) -> None:
    def cost(size: int) -> float:
        message = MIXED + b"--bx\r\n" * size
        bob.send(b"p APPEND INBOX {%d+}\r\n%b\r\n" % (len(message), message))
        assert bob.until(b"p ")[-1].startswith(b"p OK")
        before = server.cpu()
        bob.send(b"q FETCH * (BODYSTRUCTURE)\r\n")
        bob.until(b"q ")
        return server.cpu() - before

    assert cost(800_000) < 4 * 3 * max(cost(200_000), 0.05)
