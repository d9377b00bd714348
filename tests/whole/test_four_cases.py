"""Mail between two users: on one server, on two, with a sender or both ends far from their servers.

The servers are two of ours, or two of ours with a Postfix between them. Who is far from a server speaks
to it over TLS with a login; who reads does so by POP3 and by IMAP.
"""

import email
import email.policy
import smtplib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.whole.clients import run
from tests.whole.hostile import eventually
from tests.whole.live import PATIENCE
from tests.whole.names import NameServer
from tests.whole.ports import free_port
from tests.whole.senders import Postfix
from tests.whole.towns import Town, letter

pytestmark = pytest.mark.whole

ALICE, BOB = "alice@example.org", "bob@example.org"
CAROL, DAVE = "carol@example.net", "dave@example.net"
QUICK = "[queue]\nretries = [1, 1, 2]\n"


class World:
    """Two domains with a server each, which are started as they are asked for, and the DNS."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._folder, self._ends = folder, ends
        self._names = ends.enter_context(closing(NameServer({})))
        self.port = free_port()

    def first(self, sending: str = "") -> Town:
        return self._town("example.org", "127.0.0.1", ("alice", "bob"), sending)

    def second(self) -> Town:
        return self._town("example.net", "127.0.0.2", ("carol", "dave"), "")

    def _town(self, domain: str, address: str, users: tuple[str, ...], sending: str) -> Town:
        folder = self._folder / domain
        town = Town(folder, domain, address, users, self._names, self.port, sending, QUICK)
        self._ends.callback(town.stop)
        return town

    def postfix(self, *settings: str) -> Postfix:
        """Start a Postfix that hands everything on to the second server."""
        lines = "\n".join([f"relayhost = [127.0.0.2]:{self.port}", *settings])
        relay = Postfix(self.port, lines)
        self._ends.callback(relay.stop)
        return relay


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as ends:
        yield World(tmp_path, ends)


def control(town: Town, *words: str) -> str:
    """Run the control command of a server; return what it prints."""
    command = [str(Path(sys.executable).with_name("twisted-mail"))]
    return run([*command, "--config", str(town.config), *words], town.folder)


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def read(town: Town, user: str, count: int = 1) -> list[EmailMessage]:
    """Return what has come for a user, read by POP3 and by IMAP: both show the same octets."""
    assert eventually(lambda: len(town.by_imap(user)) >= count)
    found = town.by_imap(user)
    assert town.by_pop3(user) == found
    return [parsed(raw) for raw in found]


def text_of(message: EmailMessage) -> list[str]:
    body = message.get_body()
    assert body is not None
    lines: list[str] = body.get_content().splitlines()
    return lines


def has_come(town: Town, user: str, sent: EmailMessage) -> None:
    """Look whether a message has come once, with the same content and a trace of its way."""
    [found] = read(town, user)
    assert found["Message-ID"] == sent["Message-ID"]
    assert text_of(found) == text_of(sent)
    [attachment] = found.iter_attachments()
    assert attachment.get_content() == bytes(range(256))
    assert found["Return-Path"] == f"<{sent['From']}>"


def test_both_users_on_one_server(world: World) -> None:
    one = world.first()
    sent = letter(ALICE, BOB, "one server")
    one.submit(ALICE, [BOB], sent)
    has_come(one, BOB, sent)


def test_two_servers(world: World) -> None:
    one, two = world.first(), world.second()
    sent = letter(ALICE, CAROL, "two servers")
    one.submit(ALICE, [CAROL], sent)
    has_come(two, CAROL, sent)
    back = letter(CAROL, ALICE, "and back")
    two.submit(CAROL, [ALICE], back)
    has_come(one, ALICE, back)


def test_one_message_for_users_of_both(world: World) -> None:
    one, two = world.first(), world.second()
    sent = letter(ALICE, BOB, "both servers")
    one.submit(ALICE, [BOB, CAROL, DAVE], sent)
    for town, user in ((one, BOB), (two, CAROL), (two, DAVE)):
        has_come(town, user, sent)


def test_the_way_between_two_servers_is_encrypted_where_that_is_offered(world: World) -> None:
    one, two = world.first(), world.second()
    one.submit(ALICE, [CAROL], letter(ALICE, CAROL, "sealed"))
    [found] = read(two, CAROL)
    received = found.get_all("Received")
    assert received is not None
    assert "with ESMTPS" in received[0]  # from server to server
    assert "with ESMTPSA" in received[1]  # from Alice's mail program


@pytest.mark.parametrize("tls", ["none", "may"])
def test_a_postfix_stands_between_them(world: World, tls: str) -> None:
    two = world.second()
    relay = world.postfix(f"smtp_tls_security_level = {tls}")
    one = world.first(f'relay = "smtp://127.0.0.1:{relay.port}"\nrelay_tls = "may"')
    sent = letter(ALICE, CAROL, "over a third")
    one.submit(ALICE, [CAROL], sent)
    has_come(two, CAROL, sent)


def test_a_large_message_goes_as_it_is(world: World) -> None:
    one, two = world.first(), world.second()
    text = "".join(f".{number:08} {'x' * 60}\r\n" for number in range(40_000))
    sent = letter(ALICE, CAROL, "large", text)
    one.submit(ALICE, [CAROL], sent)
    has_come(two, CAROL, sent)


def test_a_server_that_is_down_gets_its_mail_later(world: World) -> None:
    one, two = world.first(), world.second()
    two.stop()
    sent = letter(ALICE, CAROL, "patience")
    one.submit(ALICE, [CAROL], sent)
    assert eventually(lambda: "example.net" in control(one, "queue", "list"))
    two.start()
    control(one, "queue", "retry", "--all")
    has_come(two, CAROL, sent)
    assert eventually(lambda: "the queue is empty" in control(one, "queue"))


def test_the_sender_is_told_of_somebody_who_is_unknown(world: World) -> None:
    one, two = world.first(), world.second()
    sent = letter(ALICE, CAROL, "one of two")
    one.submit(ALICE, [CAROL, "nobody@example.net"], sent)
    assert read(two, CAROL)
    [report] = read(one, ALICE)
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    words, status, _ = report.iter_parts()
    assert "nobody@example.net" in words.get_content()
    fields = status.get_payload()[1]  # type: ignore[index]
    assert fields["Action"] == "failed"  # type: ignore[index]
    assert fields["Final-Recipient"] == "rfc822; nobody@example.net"  # type: ignore[index]
    assert str(fields["Diagnostic-Code"]).startswith("smtp; 550 ")  # type: ignore[index]
    told_by_their_journeys(one, two, str(sent["Message-ID"]))


def told_by_their_journeys(one: Town, two: Town, message_id: str) -> None:
    """Look whether both servers, which run, tell the story of the message, each its part."""
    wanted = "stored    in the mailbox INBOX of alice@example.org"
    assert eventually(lambda: wanted in control(one, "trace", message_id))
    story = control(one, "trace", message_id)
    for text in (
        "received  <alice@example.org> to <carol@example.net>, <nobody@example.net>",
        "delivered <carol@example.net>: 250 ",
        "failed    <nobody@example.net>: 550 5.1.1 ",
        "C: RCPT TO:<nobody@example.net>",
        "S: 550 5.1.1 ",
        "reported  to <alice@example.org> in ",
    ):
        assert text in story
    assert "stored    in the mailbox INBOX of carol" in control(two, "trace", message_id)
    id = story.split()[1]
    assert "the present client says the same" in control(one, "queue", "replay", id)
    assert "\nC: (starts TLS)\n" in control(one, "queue", "replay", id, "--as-test")
    site = control(one, "queue", "site", story.split(" by ")[1].split()[0].rstrip(","))
    assert "failed 1" in site


def test_a_domain_that_does_not_exist_is_told_while_one_still_writes(world: World) -> None:
    one = world.first()
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        one.submit(ALICE, ["carol@exmaple.net"], letter(ALICE, CAROL, "typo"))
    [(code, text)] = refused.value.recipients.values()
    assert code == 550
    assert b"5.1.2" in text


def test_strangers_send_nothing_on(world: World) -> None:
    one = world.first()
    with (
        smtplib.SMTP(one.address, one.port, timeout=PATIENCE) as stranger,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        stranger.sendmail("mallory@example.com", [CAROL], b"Subject: x\r\n\r\n")
    [(code, text)] = refused.value.recipients.values()
    assert code == 550
    assert b"5.7.1" in text
