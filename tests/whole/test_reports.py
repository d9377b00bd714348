"""Reports on the real server: asked for over SMTP, and found in the sender's mailbox."""

import smtplib
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.whole.live import PATIENCE, LiveServer

ALICE, BOB, TICKETS, NEWS = (f"{name}@example.org" for name in ("alice", "bob", "tickets", "news"))
TEAM = "team@example.org"
PROGRAM = '[[program]]\nname = "ticket"\ncommand = ["/bin/sh", "-c", "exit {code}"]\n'
REFUSES = 69  # EX_UNAVAILABLE: permanently

pytestmark = pytest.mark.whole


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path, PROGRAM.format(code=REFUSES))
    yield live
    live.stop()


def send(live: LiveServer, *recipients: str, notify: str = "", ret: str = "") -> None:
    """Send a message of Alice's, with what she asks for."""
    with smtplib.SMTP("127.0.0.1", live.ports["smtp"], timeout=PATIENCE) as client:
        client.ehlo("client.example")
        assert client.has_extn("dsn")
        client.mail(ALICE, [f"RET={ret}"] if ret else [])
        for recipient in recipients:
            options = [f"NOTIFY={notify}", f"ORCPT=rfc822;{recipient}"] if notify else []
            assert client.rcpt(recipient, options)[0] == 250
        data = f"From: {ALICE}\nSubject: Lunch\nMessage-ID: <lunch@example.org>\n\nbody\n"
        assert client.data(data)[0] == 250


def report(live: LiveServer) -> EmailMessage:
    """Return the report that comes to Alice."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for path in (live.maildir(ALICE) / "new").glob("*"):
            found = message_from_bytes(path.read_bytes(), policy=policy.SMTP)
            if found.get_content_type() == "multipart/report":
                assert isinstance(found, EmailMessage)
                return found
        time.sleep(0.05)
    raise AssertionError("no report has come")


def told(live: LiveServer) -> list[tuple[str, str]]:
    """Return action and recipient of each that the report tells of."""
    (_, status, _) = report(live).iter_parts()
    groups: Any = status.get_payload()
    return sorted((one["Action"], one["Final-Recipient"]) for one in groups if one["Action"])


def test_what_is_asked_for_is_reported(server: LiveServer) -> None:
    send(server, BOB, NEWS, TEAM, notify="SUCCESS")
    assert told(server) == [
        ("delivered", f"rfc822; {BOB}"),
        ("delivered", f"rfc822; {NEWS}"),
        ("expanded", f"rfc822; {TEAM}"),
    ]


def test_what_a_program_refuses_comes_back_with_its_message(server: LiveServer) -> None:
    send(server, TICKETS)
    assert told(server) == [("failed", f"rfc822; {TICKETS}")]
    found = report(server)
    assert (found["Return-Path"], found["To"]) == ("<>", ALICE)
    assert found["In-Reply-To"] == "<lunch@example.org>"
    (words, _, returned) = found.iter_parts()
    assert words.get_content().startswith("Your message was not delivered to")
    assert returned.get_content()["Subject"] == "Lunch"


def test_who_wants_the_header_alone_gets_it_alone(server: LiveServer) -> None:
    send(server, TICKETS, notify="FAILURE", ret="HDRS")
    (_, _, returned) = report(server).iter_parts()
    assert returned.get_content_type() == "text/rfc822-headers"


def test_nobody_hears_of_what_was_not_asked_for(server: LiveServer) -> None:
    send(server, TICKETS, notify="NEVER")
    send(server, BOB, notify="FAILURE")
    send(server, BOB, notify="SUCCESS")  # the one that is reported comes last
    assert told(server) == [("delivered", f"rfc822; {BOB}")]
    assert len(list((server.maildir(ALICE) / "new").glob("*"))) == 1
