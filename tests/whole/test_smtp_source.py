"""Postfix's load generator: many messages over many connections at once, and not one is lost."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.clients import run
from tests.whole.hostile import ObservedServer, many_descriptors
from tests.whole.live import needs

pytestmark = pytest.mark.whole

MESSAGES = int(os.environ.get("TWISTED_MAIL_MESSAGES", "1000"))
SESSIONS = 100
LENGTH = 4096


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ObservedServer]:
    with many_descriptors(4096):
        server = ObservedServer(tmp_path, listener="connections_per_address = 300\n")
        yield server
        bugs = server.bugs()
        server.stop()
    assert not bugs


def arrived(server: ObservedServer) -> list[bytes]:
    inbox = server.folder / "state/mail/example.org/bob/Maildir/new"
    return [file.read_bytes() for file in inbox.iterdir()] if inbox.exists() else []


@pytest.mark.parametrize("options", [[], ["-d"]], ids=["a connection each", "kept connections"])
def test_not_one_message_is_lost(
    server: ObservedServer, options: list[str], record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    run(
        [
            *(needs("smtp-source"), *options, "-s", str(SESSIONS), "-m", str(MESSAGES)),
            *("-l", str(LENGTH), "-f", "alice@example.com", "-t", "bob@example.org"),
            f"127.0.0.1:{server.ports['smtp']}",
        ],
        server.folder,
        seconds=600,
    )
    record_property("messages per second", round(MESSAGES / (time.monotonic() - began)))
    files = arrived(server)
    assert len(files) == MESSAGES
    ids = {file.partition(b"Message-Id: ")[2].partition(b"\r\n")[0] for file in files}
    assert len(ids) == MESSAGES
    bodies = {file.partition(b"\r\n\r\n")[2] for file in files}
    assert len(bodies) == 1
    assert len(bodies.pop()) > LENGTH / 2
