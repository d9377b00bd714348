"""twisted-mail queue and a server that runs: each command is done within a second or so, and told."""

import json
import smtplib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.whole.live import LiveServer
from twisted_mail.control import main

pytestmark = pytest.mark.whole
SETTINGS = """\
[[program]]
name = "ticket"
command = ["/bin/sh", "-c", "exit 75"]

[log]
file = "mail.log"

"""
TICKET = "program:ticket"
PROMPT = 5.0  # seconds that an answer may take on a machine with other work: a second is meant


class Tool:
    """The control command, of one server."""

    def __init__(self, server: LiveServer, capsys: Any) -> None:
        self._server = server
        self._capsys = capsys
        self.code = 0

    def __call__(self, *words: str) -> Any:
        began = time.monotonic()
        config = str(self._server.folder / "mail.toml")
        self.code = main.main(["--config", config, "--json", "queue", *words])
        assert time.monotonic() - began < PROMPT
        return json.loads(self._capsys.readouterr().out)

    def until(self, is_so: Callable[[Any], bool], *words: str) -> Any:
        """Return the first answer with which something is so."""
        for _ in range(200):
            if is_so(found := self(*words)):
                return found
            time.sleep(0.05)
        raise AssertionError(found)

    def log(self, id: str) -> list[str]:
        """Return the events of a message."""
        lines = (self._server.folder / "state" / "mail.log").read_text().splitlines()
        return [line.split()[2] for line in lines if f" {id}: " in line]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path, SETTINGS)
    yield server
    server.stop()


@pytest.fixture
def tool(live: LiveServer, capsys: Any) -> Tool:
    return Tool(live, capsys)


def send(live: LiveServer) -> None:
    with smtplib.SMTP("127.0.0.1", live.ports["smtp"], timeout=20) as client:
        message = b"Subject: Help\r\n\r\nIt is broken.\r\n"
        client.sendmail("alice@example.org", ["tickets@example.org"], message)


def test_a_message_is_followed_from_its_acceptance_to_its_report(
    live: LiveServer, tool: Tool
) -> None:
    send(live)
    tried = tool.until(lambda found: found["recipients"][0]["tries"] == 1, "list")
    [one] = tried["recipients"]
    id, shown = one["id"], tool("show", one["id"])
    assert [reason["kind"] for reason in shown["recipients"][0]["waits_for"]] == ["time"]
    assert shown["recipients"][0]["last"]["code"] == 451
    assert tool()["is_served"]

    assert tool("retry", id)["recipients"] == 1
    tool.until(lambda found: found["recipients"][0]["tries"] == 2, "list")
    assert tool("hold", id)["recipients"] == 1
    assert tool()["held"] == 1
    assert tool("suspend", "account", "alice@example.org", "--for", "1h")
    assert tool("release", "--domain", TICKET)["recipients"] == 1
    assert tool("fail", id)["reports"] == 1
    tool.until(lambda found: found["messages"] == 0)
    events = [event for event in tool.log(id) if event not in ("received", "deferred")]
    assert events == ["accepted", "retried", "held", "released", "reported", "failed"]
    inbox = live.maildir("alice@example.org")
    assert any("Given up by" in path.read_text() for path in inbox.glob("*/*") if path.is_file())


def test_words_given_while_the_server_is_stopped_count_when_it_starts(
    live: LiveServer, tool: Tool
) -> None:
    send(live)
    tool.until(lambda found: found["recipients"][0]["tries"] == 1, "list")
    live.stop()
    assert not tool()["is_served"]
    assert tool("hold", "--all")["recipients"] == 1
    assert tool("suspend", "domain", "one.example")
    live.start()
    found = tool.until(lambda found: found["is_served"])
    assert (found["held"], found["waiting"]) == (1, 0)
    assert [one["name"] for one in found["suspended"]] == ["one.example"]
    live.stop()
    assert tool("fail", "--all") == {"ok": True, "later": True}
    live.start()
    tool.until(lambda found: found["messages"] == 0)
