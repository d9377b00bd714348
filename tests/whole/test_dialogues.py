"""Every dialogue again, over TCP and over TLS against the real service."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.dialogues.player import given_draft, play
from tests.dialogues.score import Dialogue, StartTls, all_dialogues
from tests.whole.live import LiveServer
from tests.whole.socket_end import SocketEnd
from twisted_mail.plugin import protocols

# What a server says depends on whether TLS is on already; such dialogues are not played over TLS.
_TELLS_OF_TLS = re.compile(r"STARTTLS|STLS|LOGINDISABLED|%\{tls|by %\{|with E?SMTP")


def ways_of(dialogue: Dialogue) -> list[str]:
    if dialogue.headings.get("tls") == "implicit":
        return ["tls"] if dialogue.plays("tls") else []
    changes = "tls" in dialogue.headings or "cleartext" in dialogue.headings
    changes = changes or any(isinstance(step, StartTls) for step in dialogue.steps)
    changes = changes or bool(_TELLS_OF_TLS.search(dialogue.path.read_text()))
    ways = ["tcp"] if changes else ["tcp", "tls"]
    return [way for way in ways if dialogue.plays(way)]


WAYS = [
    pytest.param(dialogue, way, id=f"{dialogue.path.stem}-{way}")
    for dialogue in all_dialogues()
    for way in ways_of(dialogue)
]


class SocketLine(SocketEnd):
    """A client's connection over a socket."""

    def __init__(self, server: LiveServer, name: str) -> None:
        super().__init__(server.connect(name))
        self._server = server

    def start_tls(self) -> None:
        self._socket = self._server.secured(self._socket)


def settings_of(dialogue: Dialogue) -> str:
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in dialogue.addresses.items()]
    addresses = "".join(["[addresses]\n", *lines])
    if not dialogue.settings:
        return addresses
    services = {dialogue.service(connection) for connection in range(1, 4)}
    known = [f"[{service}]\n{_known(service, dialogue)}" for service in sorted(services)]
    return "".join([addresses, *known])


def _known(service: str, dialogue: Dialogue) -> str:
    """Return the settings that a service has, and not another one of the dialogue."""
    plugin: Any = protocols()[service]
    names = {field.name for field in dataclasses.fields(plugin.settings)}
    return "".join(
        f"{name} = {json.dumps(value)}\n"
        for name, value in dialogue.settings.items()
        if name in names
    )


@pytest.mark.whole
@pytest.mark.parametrize(("dialogue", "way"), WAYS)
def test_the_dialogue_goes_as_written(dialogue: Dialogue, way: str, tmp_path: Path) -> None:
    cleartext = dialogue.headings.get("cleartext", "yes") == "yes"
    tls = "none" if dialogue.headings.get("tls") == "none" else "starttls"
    server = LiveServer(tmp_path, settings_of(dialogue), cleartext, tls)
    try:
        for message in dialogue.given:
            server.put(*given_draft(message))
        suffix = "s" if way == "tls" else ""
        play(dialogue, lambda connection: SocketLine(server, dialogue.service(connection) + suffix))
    finally:
        server.stop()
