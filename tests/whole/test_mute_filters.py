"""Filters of other programs that take connections and never say a word: mail goes on without them."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clients import hello
from tests.whole.filters import received, send
from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole

KINDS = {
    "milter": 'endpoint = "tcp:127.0.0.1:{port}"',
    "rspamd": 'url = "http://127.0.0.1:{port}"',
    "clamav": 'endpoint = "tcp:127.0.0.1:{port}"',
    "spamassassin": 'endpoint = "tcp:127.0.0.1:{port}"',
}
FILTER = '[[filter]]\nkind = "{kind}"\nseconds = 0.3\n{place}\n'


@pytest.fixture
def beside_the_mute(tmp_path: Path) -> Iterator[LiveServer]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        sections = "".join(
            FILTER.format(kind=kind, place=place.format(port=port)) for kind, place in KINDS.items()
        )
        live = LiveServer(tmp_path, sections)
        yield live
        live.stop()


def test_mail_does_not_wait_for_them(beside_the_mute: LiveServer) -> None:
    began = time.monotonic()
    message = hello("mute").encode() + (b"y" * 70 + b"\r\n") * 5_000
    assert send(beside_the_mute, message)[0] == 250
    assert time.monotonic() - began < 10
    (found,) = received(beside_the_mute)
    for kind in KINDS:  # a busy machine may not even have connected within that time
        assert b"\nX-Verdict: accept (%s: " % kind.encode() in b"\n" + found
    assert b"no answer within 0.3 seconds" in found
