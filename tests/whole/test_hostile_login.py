"""Guessing names and passwords, acting as another, and what is written down of it."""

import base64
import io
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from twisted.logger import globalLogPublisher, textFileLogObserver

from tests.whole.hostile import Raw, good_client_is_served, raw
from tests.whole.live import LiveServer
from twisted_mail.auth import throttle

pytestmark = pytest.mark.whole

SERVICES = ["submission", "pop3", "imap"]
WRONG = b"wrong-Pa55word"


@pytest.fixture(scope="module")
def quick() -> Iterator[pytest.MonkeyPatch]:
    """Let refusals wait for hundredths of a second."""
    patch = pytest.MonkeyPatch()
    patch.setattr(throttle, "FIRST_DELAY", 0.05)
    patch.setattr(throttle, "LONGEST_DELAY", 0.05)
    yield patch
    patch.undo()


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, quick: pytest.MonkeyPatch
) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("login")
    live = LiveServer(folder, "[submission]\nerror_delay = 0.0\n")
    yield live
    live.stop()


def plain_response(name: bytes, password: bytes, acting_as: bytes = b"") -> bytes:
    return base64.b64encode(acting_as + b"\0" + name + b"\0" + password)


def try_plain(client: Raw, service: str, response: bytes) -> bytes:
    """Try AUTH PLAIN; return the last line of the answer, without the tag."""
    if service == "imap":
        client.send(b"a AUTHENTICATE PLAIN %b\r\n" % response)
        return client.until(b"a ")[-1][2:]
    return client.ask(b"AUTH PLAIN " + response)


def begin(server: LiveServer, service: str) -> Raw:
    client = raw(server, service)
    if service == "submission":
        client.send(b"EHLO x\r\n")
        client.until(b"250 ")
    return client


def answer_to(server: LiveServer, service: str, response: bytes) -> bytes:
    with begin(server, service) as client:
        return try_plain(client, service, response)


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_password_and_an_unknown_name_get_the_same_words(
    server: LiveServer, service: str
) -> None:
    names = [
        b"bob@example.org", b"nobody@example.org", b"bob@example.com", b"bob", b"no address at all",
        "b\u00f6b@example.org".encode(), "bob@ex\u00e4mple.org".encode(), b"'; DROP TABLE account; --",
        b"\xf0\x9f\x92\xa3", "\u202egro.elpmaxe@bob".encode(), "bob\u0000".encode()[:3], b"a" * 1000,
        b"../alice@example.org", b"bob@example.org\xe2\x80\x8b", b"team@example.org", b"{}{0.x}%s",
    ]  # fmt: skip
    answers = {answer_to(server, service, plain_response(name, WRONG)) for name in names}
    assert len(answers) == 1, answers


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_password_and_an_unknown_name_take_the_same_time(
    server: LiveServer, service: str
) -> None:
    def seconds(name: bytes) -> float:
        began = time.monotonic()
        answer_to(server, service, plain_response(name, WRONG))
        return time.monotonic() - began

    known = median(seconds(b"bob@example.org") for _ in range(7))
    unknown = median(seconds(b"nobody@example.org") for _ in range(7))
    assert abs(known - unknown) < 0.03


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_acts_as_another(server: LiveServer, service: str) -> None:
    good = plain_response(b"bob@example.org", b"secret", b"bob@example.org")
    assert answer_to(server, service, good).startswith((b"235", b"+OK", b"OK"))
    for other in (b"alice@example.org", b"root", b"", b"carol@example.net", b"BOB@example.net"):
        bad = plain_response(b"bob@example.org", b"secret", other)
        if other:
            assert answer_to(server, service, bad).startswith((b"535", b"-ERR", b"NO")), other


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "response",
    [
        plain_response(b"bob@example.org", b"sec\0ret"),
        plain_response(b"bob\0x@example.org", b"secret"),
        plain_response(b"", b""),
        plain_response(b"bob@example.org", b""),
        plain_response(b"\xff\xfe", b"secret"),
        plain_response(b"bob@example.org", b"x" * 2000),
        b"A",
        b"====",
        b"AGJvYg==AHNlY3JldA==",
        b"\xff" * 100,
        b"*",
        b"=",
    ],
    ids=range(12),
)
def test_a_malformed_response_is_refused_and_the_session_goes_on(
    server: LiveServer, service: str, response: bytes
) -> None:
    with begin(server, service) as client:
        assert try_plain(client, service, response)[:3] not in (b"235", b"+OK", b"OK ")
        last = b"b NOOP" if service == "imap" else b"QUIT" if service == "pop3" else b"NOOP"
        assert client.ask(last).startswith((b"250", b"+OK", b"b OK"))


def test_a_megabyte_is_no_name(server: LiveServer) -> None:
    for service in SERVICES:
        assert answer_to(server, service, plain_response(b"b" * 1_000_000, WRONG))[:3] not in (
            b"235",
            b"+OK",
            b"OK ",
        )
    good_client_is_served(server)


def test_no_password_is_in_the_log(server: LiveServer) -> None:
    noted = io.StringIO()
    observer = textFileLogObserver(noted)
    globalLogPublisher.addObserver(observer)
    try:
        for service in SERVICES:
            answer_to(server, service, plain_response(b"bob@example.org", WRONG))
            answer_to(server, service, plain_response(b"nobody\r\nforged: line", WRONG))
            answer_to(server, service, plain_response(b"bob@example.org", b"secret"))
        with raw(server, "imap") as client:
            client.ask(b"a LOGIN bob@example.org " + WRONG)
        with raw(server, "pop3") as client:
            client.ask(b"USER bob@example.org")
            client.ask(b"PASS " + WRONG)
    finally:
        globalLogPublisher.removeObserver(observer)
    text = noted.getvalue()
    assert "bob@example.org" in text
    assert WRONG.decode() not in text
    assert base64.b64encode(WRONG).decode()[:12] not in text
    assert "secret" not in text
    assert "\nforged" not in text


def test_the_number_of_guesses_on_a_connection_is_small(server: LiveServer) -> None:
    for service in SERVICES:
        with begin(server, service) as client:
            guesses = 0
            while try_plain(client, service, plain_response(b"bob@example.org", WRONG)):
                guesses += 1
                assert guesses < 10
                if client.is_over:
                    break


def test_guessing_becomes_slow_and_the_owner_is_not_held_up(
    server: LiveServer, quick: pytest.MonkeyPatch
) -> None:
    with quick.context() as patch:
        patch.setattr(throttle, "FIRST_DELAY", 0.1)
        patch.setattr(throttle, "LONGEST_DELAY", 0.6)
        waits = []
        for service in SERVICES * 2:
            began = time.monotonic()
            answer_to(server, service, plain_response(b"carol@example.net", WRONG))
            waits.append(time.monotonic() - began)
        assert waits[0] >= 0.1
        assert waits[-1] >= 0.6, "counted over all services together"
        began = time.monotonic()
        answer_to(server, "imap", plain_response(b"carol@example.net", b"secret"))
        assert time.monotonic() - began < sum(waits)


@pytest.mark.parametrize(
    "name", [b"BOB@EXAMPLE.ORG", b"bob@example.org", b"Bob@Example.Org", b"bob"]
)
def test_spellings_of_a_name_are_one_account(server: LiveServer, name: bytes) -> None:
    with raw(server, "imap") as client:
        assert client.ask(b"a LOGIN %b secret" % name).startswith(b"a OK")
        client.send(b"b CREATE once-%b\r\n" % name.lower()[:3])
        assert client.until(b"b ")[-1].startswith((b"b OK", b"b NO [ALREADYEXISTS]"))
    accounts = {path.name for path in (server.folder / "state" / "mail" / "example.org").iterdir()}
    assert accounts <= {"bob", "alice"}


def test_accounts_never_see_each_other_s_mail(server: LiveServer) -> None:
    with raw(server, "imap") as client:
        assert client.ask(b"a LOGIN alice@example.org secret").startswith(b"a OK")
        client.send(b"b APPEND INBOX {7+}\r\nalice\r\n\r\nc CREATE hers\r\n")
        client.until(b"c ")
    with raw(server, "imap") as client:
        assert client.ask(b"a LOGIN bob@example.org secret").startswith(b"a OK")
        for name in (b"hers", b"../alice/Maildir", b"~alice", b"user/alice", b"#shared/alice",
                     b"alice/INBOX", b"../../alice/Maildir", b"alice@example.org"):  # fmt: skip
            assert client.ask(b'd SELECT "%b"' % name).startswith(b"d NO")
        client.send(b'e LIST "" *\r\nf LIST "~alice/" *\r\ng LIST "../" %\r\nh LIST "/" *\r\n')
        assert b"hers" not in b"".join(client.until(b"h "))
        client.send(b"i SELECT INBOX\r\n")
        assert b"* 0 EXISTS" in client.until(b"i ")
