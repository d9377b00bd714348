"""The README's table of extensions says what the server announces: no more, no less."""

import imaplib
import poplib
import re
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

README = (Path(__file__).parents[2] / "README.md").read_text()
USER, PASSWORD = "alice@example.org", "secret"
MORE = '[smtp]\nexpn_for = "everyone"\nxclient_from = ["127.0.0.0/8"]\n'


def listed(protocol: str) -> set[str]:
    """Return the words of the last column in a protocol's row; a value after ``=`` does not count."""
    [row] = re.findall(rf"^\| {protocol} \|.*$", README, re.MULTILINE)
    return set(re.findall(r"`([^`]+)`", row.split("|")[3]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("readme"), MORE, cleartext=False)
    yield live
    live.stop()


@pytest.fixture(scope="module")
def trust(server: LiveServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.folder / "ca.pem"))
    context.check_hostname = False
    return context


def keywords(client: smtplib.SMTP) -> set[str]:
    client.ehlo()
    return {name.upper() for name in client.esmtp_features}


def announced(server: LiveServer, trust: ssl.SSLContext, service: str) -> set[str]:
    with smtplib.SMTP("127.0.0.1", server.ports[service]) as client:
        before = keywords(client)
        client.starttls(context=trust)
        return before | keywords(client)


def test_smtp_and_submission(server: LiveServer, trust: ssl.SSLContext) -> None:
    both = announced(server, trust, "smtp") | announced(server, trust, "submission")
    assert both == listed("SMTP, submission")


def test_lmtp(server: LiveServer) -> None:
    with smtplib.LMTP("127.0.0.1", server.ports["lmtp"]) as client:
        found = keywords(client)
    assert "the same without `AUTH`" in README
    assert found <= listed("SMTP, submission") - {"AUTH"}
    assert {"PIPELINING", "SIZE", "ENHANCEDSTATUSCODES"} <= found


def test_pop3(server: LiveServer, trust: ssl.SSLContext) -> None:
    client = poplib.POP3("127.0.0.1", server.ports["pop3"])
    found = set(client.capa())
    client.stls(context=trust)
    found |= set(client.capa())
    client.user(USER)
    client.pass_(PASSWORD)
    found |= set(client.capa())
    client.quit()
    assert found == listed("POP3")


def capabilities(client: imaplib.IMAP4) -> set[str]:
    line = client.capability()[1][-1]
    words = line.decode().split()
    return {
        re.sub("=.*", "=", word) if word.startswith(("AUTH=", "APPENDLIMIT=")) else word
        for word in words
    }


def test_imap(server: LiveServer, trust: ssl.SSLContext) -> None:
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    found = capabilities(client)
    client.starttls(trust)
    found |= capabilities(client)
    client.login(USER, PASSWORD)
    found |= capabilities(client)
    client.logout()
    assert found - {"IMAP4rev1"} == listed("IMAP")
