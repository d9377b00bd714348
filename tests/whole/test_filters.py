"""Filters in the real server, with a real DNS server to ask; clients come from several addresses."""

import smtplib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.live import LiveServer
from tests.whole.names import NameServer

pytestmark = pytest.mark.whole

MESSAGE = b"Subject: Hello\r\nX-Verdict: accept (lists: a friend)\r\n\r\nHow are you?\r\n"
GOOD, BAD, GREY, NAMELESS = "127.0.0.10", "127.0.0.20", "127.0.0.30", "127.0.0.40"
RECORDS = {
    "2.0.0.127.bl.example": {"A": ["127.0.0.2"]},
    "20.0.0.127.bl.example": {"A": ["127.0.0.4"], "TXT": ['"see https://bl.example/"']},
    "30.0.0.127.bl.example": {"A": ["127.0.0.9"]},
    "10.0.0.127.in-addr.arpa": {"PTR": ["good.example."]},
    "20.0.0.127.in-addr.arpa": {"PTR": ["bad.example."]},
    "30.0.0.127.in-addr.arpa": {"PTR": ["grey.example."]},
    "good.example": {"A": [GOOD], "MX": ["10 good.example."]},
    "grey.example": {"A": [GREY]},
    "bad.example": {"A": [BAD]},
    "null.example": {"MX": ["0 ."]},
}
CONFIG = """\
[dns]
servers = ["{dns}"]
timeout = 1

[[filter]]
kind = "reverse-name"
trusted = []

[[filter]]
kind = "sender-domain"
trusted = []
when_failed = "defer"

[[filter]]
kind = "dns-list"
trusted = []
lists = [
    {{ zone = "bl.example", weight = 3, replies = ["127.0.0.2-127.0.0.8"] }},
    {{ zone = "bl.example", replies = ["127.0.0.9"] }},
]
refuse_at = 3
quarantine_at = 1
"""
GREYLIST = """\
[[filter]]
kind = "greylist"
trusted = []
delay = 1
"""


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer(RECORDS)
    yield server
    server.close()


@pytest.fixture
def server(names: NameServer, tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path, CONFIG.format(dns=names.where))
    yield server
    server.stop()


def sent(
    server: LiveServer, host: str, sender: str = "a@good.example", *recipients: str
) -> tuple[int, str]:
    """Return the answer to the first command that was refused, or to the message."""
    wanted = recipients or ("alice@example.org",)
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "x.example", 20, (host, 0)) as client:
        client.ehlo()
        answer = client.mail(sender)
        for recipient in wanted:
            if answer[0] == 250:
                answer = client.rcpt(recipient)
        if answer[0] == 250:
            answer = client.data(MESSAGE)
        return answer[0], answer[1].decode()


def there(server: LiveServer, mailbox: str) -> list[bytes]:
    folder = server.maildir("alice@example.org") / mailbox
    return [path.read_bytes() for place in ("new", "cur") for path in (folder / place).iterdir()]


def test_an_honest_client_is_let_in_and_told_of(server: LiveServer) -> None:
    code, _ = sent(server, GOOD)
    assert code == 250
    [message] = there(server, ".")
    before, received, _ = message.partition(b"Received: ")
    assert received
    assert b"X-Verdict: accept (reverse-name: 127.0.0.10 is good.example)\r\n" in before
    assert b"a friend" not in before


def test_a_listed_client_hears_what_the_list_says(server: LiveServer) -> None:
    assert sent(server, BAD) == (550, "5.7.1 Listed by bl.example: see https://bl.example/")
    assert sent(server, BAD, "a@good.example", "postmaster@example.org")[0] == 250


def test_a_client_that_is_suspected_goes_where_junk_lies(server: LiveServer) -> None:
    assert sent(server, GREY)[0] == 250
    [message] = there(server, ".Junk")
    assert b"X-Verdict: quarantine (dns-list: listed by bl.example: weight 1)\r\n" in message


def test_a_client_without_a_name_and_senders_without_a_domain_are_refused(
    server: LiveServer,
) -> None:
    assert sent(server, NAMELESS) == (550, "5.7.25 Your address has no reverse name")
    assert sent(server, GOOD, "a@gone.example")[1].startswith("5.1.8")
    assert sent(server, GOOD, "a@null.example")[1].startswith("5.7.27")


def test_without_the_dns_each_filter_does_as_it_is_told(
    server: LiveServer, names: NameServer
) -> None:
    names.silent.add("slow.example")
    code, text = sent(server, GOOD, "a@slow.example")
    assert (code, text[:5]) == (450, "4.7.1")
    names.broken |= {"10.0.0.127.bl.example", "10.0.0.127.in-addr.arpa"}
    assert sent(server, GOOD)[0] == 250


def test_a_greylist_remembers_across_a_restart(names: NameServer, tmp_path: Path) -> None:
    server = LiveServer(tmp_path, CONFIG.format(dns=names.where) + GREYLIST)
    try:
        assert sent(server, GOOD) == (450, "4.7.1 Greylisted: please try again in 1 seconds")
    finally:
        server.stop()
    server.start()
    try:
        time.sleep(1)
        assert sent(server, GOOD)[0] == 250
        assert sent(server, GOOD, "b@good.example")[0] == 250
    finally:
        server.stop()
    assert (tmp_path / "state" / "greylist.sqlite3").exists()


def test_a_full_account_is_told_at_rcpt(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, "[store]\nquota_messages = 1\n")
    try:
        assert sent(server, GOOD)[0] == 250
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "x.example", 20) as client:
            client.ehlo()
            client.mail("a@good.example")
            assert client.rcpt("alice@example.org")[0] == 552
            assert client.rcpt("bob@example.org")[0] == 250
    finally:
        server.stop()
