"""SMTP: what strangers send to make a server see mail where there is none."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import (
    Raw,
    answer_to_dribble,
    eventually,
    good_client_is_served,
    inbox,
    raw,
)
from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

OPENING = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
SECOND = OPENING.partition(b"\r\n")[2] + b"Subject: smuggled\r\n\r\nx"
# All that some server somewhere takes for the end of a message, but for CRLF . CRLF.
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\n\n.\n\n",
    b"\r\n.\n\n",
    b"\n.\r",
    b"\r\n.\x0b\r\n",
    b"\r\n. \r\n",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("smtp")
    live = LiveServer(
        folder,
        "[smtp]\nerror_delay = 0.0\ncommand_timeout = 2.0\n[submission]\nerror_delay = 0.0\n",
    )
    yield live
    live.stop()


def new_mail(server: LiveServer, before: list[str]) -> list[str]:
    return list((Counter(inbox(server)) - Counter(before)).elements())


def codes(answers: bytes) -> list[bytes]:
    lines = answers.split(b"\r\n")
    return [line[:3] for line in lines if line[3:4] == b" "]


@pytest.mark.parametrize("end", FALSE_ENDS, ids=[repr(end)[2:-1] for end in FALSE_ENDS])
def test_one_message_is_never_seen_as_two(server: LiveServer, end: bytes) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        client.send(OPENING + b"Subject: first\r\n\r\ntext" + end + SECOND + b"\r\n.\r\nQUIT\r\n")
        answers = codes(client.rest())
    assert answers[-1] == b"221"
    assert answers[:4] == [b"250", b"250", b"250", b"354"]
    assert len(answers) == 6, "one message, one answer"
    found = new_mail(server, before)
    assert found == (["first"] if answers[4] == b"250" else [])


def test_commands_before_354_are_the_message(server: LiveServer) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        client.send(OPENING + b"RSET\r\nQUIT\r\n" + SECOND + b"\r\n.\r\nQUIT\r\n")
        assert codes(client.rest()) == [b"250", b"250", b"250", b"354", b"250", b"221"]
    assert new_mail(server, before) == [""]


def test_a_refused_data_lets_no_text_of_the_message_run_as_mail(server: LiveServer) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        client.send(
            b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nDATA\r\n" + b"Subject: x\r\n\r\n.\r\nQUIT\r\n"
        )
        assert codes(client.rest())[:3] == [b"250", b"250", b"554"]
    assert new_mail(server, before) == []


@pytest.mark.parametrize("name", ["smtp", "submission"])
def test_what_follows_starttls_in_clear_is_never_run(server: LiveServer, name: str) -> None:
    with raw(server, name) as client:
        client.send(b"EHLO x\r\nSTARTTLS\r\nNOOP injected\r\nMAIL FROM:<a@b.example>\r\n")
        answers = codes(client.rest())
    assert answers[0] == b"250"
    assert b"220" not in answers
    assert len(answers) == 2


def test_what_was_said_in_clear_is_forgotten_under_tls(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n")
        client.until(b"250 ")
        assert client.ask(b"STARTTLS").startswith(b"220")
        client.socket = server.secured(client.socket)
        assert client.ask(b"MAIL FROM:<a@example.com>").startswith(b"503")


def test_a_command_line_without_end_is_refused_once_and_never_run(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(b"x" * 1_000_000)
        assert client.line().startswith(b"500")
        client.send(b"\r\nNOOP\r\n")
        assert client.line().startswith(b"250")


def test_a_dribble_of_octets_is_silence(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        assert answer_to_dribble(client, 0.2, 100).startswith(b"421")


def test_a_header_line_of_megabytes_is_taken_or_refused_as_one_message(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(OPENING + b"X: " + b"y" * 5_000_000 + b"\r\n\r\n.\r\nNOOP\r\nQUIT\r\n")
        answers = codes(client.rest())
    assert answers[-2:] == [b"250", b"221"]
    assert len(answers) == 7


def test_recipients_without_end_are_limited(server: LiveServer) -> None:
    many = b"".join(b"RCPT TO:<bob+%d@example.org>\r\n" % number for number in range(3000))
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\nMAIL FROM:<a@example.com>\r\n" + many + b"QUIT\r\n")
        answers = codes(client.rest())
    assert answers.count(b"250") == 1002
    assert b"452" in answers
    assert answers[-1] == b"421"


def test_guessing_recipients_ends_the_conversation(server: LiveServer) -> None:
    many = b"".join(b"RCPT TO:<guess%d@example.org>\r\n" % number for number in range(200))
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\nMAIL FROM:<a@example.com>\r\n" + many)
        answers = codes(client.rest())
    assert answers[-1] == b"421"
    assert answers.count(b"550") <= 100


@pytest.mark.parametrize("name", ["smtp", "submission"])
@pytest.mark.parametrize(
    "junk",
    [
        bytes(range(256)) * 20,
        b"\0" * 5000,
        b"\r\n" * 5000,
        b"\r" * 5000,
        b"\n" * 5000,
        b"\xff\xfe" * 3000,
    ],
    ids=["all", "nul", "crlf", "cr", "lf", "high"],
)
def test_junk_ends_in_words_of_the_protocol(server: LiveServer, name: str, junk: bytes) -> None:
    for state in (
        b"",
        b"EHLO x\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n",
        b"EHLO x\r\nAUTH LOGIN\r\n",
    ):
        with raw(server, name) as client:
            client.send(state + junk)
            for line in client.finish().split(b"\r\n"):
                assert not line or line[:3].isdigit(), line
    good_client_is_served(server)


@pytest.mark.parametrize(
    "path",
    [
        b"../../etc/passwd@example.org",
        b'"../../bob"@example.org',
        b'"/"@example.org',
        b'".."@example.org',
        b'"bob\\\0"@example.org',
        b"bob@../example.org",
        b"bob@example.org/../example.net",
        b"bob%example.org@example.com",
        b'"bob@example.org"@example.com',
        b"@example.org:carol@example.com",
        b"bob!example.org",
        b"bob@[127.0.0.1]",
        b"bob@example.org..",
        b"..@example.org",
        b"/../bob@example.org",
        b"",
        b"a" * 65 + b"@example.org",
    ],
)
def test_no_form_of_address_is_a_way_in_or_out(server: LiveServer, path: bytes) -> None:
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n")
        client.until(b"250 ")
        assert client.ask(b"MAIL FROM:<a@example.com>").startswith(b"250")
        assert client.ask(b"RCPT TO:<%b>" % path)[:1] == b"5"
    accounts = server.folder / "state" / "mail"  # may not be there yet
    assert {path.name for path in accounts.glob("*")} <= {"example.org", "example.net"}
    assert {path.name for path in accounts.glob("*/*")} <= {"alice", "bob", "carol"}


def test_octets_one_by_one_are_a_message_like_any_other(server: LiveServer) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        for octet in OPENING + b"Subject: slow\r\n\r\n..\r\n.\r\n":
            client.send(bytes([octet]))
        client.send(b"QUIT\r\n")
        assert codes(client.rest())[-2:] == [b"250", b"221"]
    assert new_mail(server, before) == ["slow"]


def test_a_client_that_vanishes_in_the_middle_leaves_nothing(server: LiveServer) -> None:
    before = inbox(server)
    for cut in range(0, 80, 7):
        client: Raw = raw(server, "smtp")
        client.send((OPENING + b"Subject: half\r\n\r\nx\r\n.")[: len(OPENING) + cut])
        client.close()
    good_client_is_served(server)
    assert new_mail(server, before) == []
    spool = server.folder / "state" / "tmp"
    assert eventually(lambda: not list(spool.iterdir()))
