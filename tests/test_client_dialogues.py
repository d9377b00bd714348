"""Every dialogue of the client, in memory: what the server says comes whole, by lines, by bytes."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tests.dialogues.client_player import play
from tests.dialogues.score import Dialogue, client_dialogues
from tests.dialogues.sent_mail import SentMail, in_words, settings, transactions
from tests.smtp.dialogue.hosts import MemoryHosts, MemoryServerLine
from twisted_mail.smtp.client import ClientSession
from twisted_mail.smtp.dialogue.settings import NextHop

HOP = NextHop("mx.remote.example", "192.0.2.25")

WAYS = [
    pytest.param(dialogue, way, id=f"{dialogue.path.stem}-{way}")
    for dialogue in client_dialogues()
    for way in ("whole", "lines", "bytes")
    if dialogue.plays(way)
]


@pytest.mark.parametrize(("dialogue", "way"), WAYS)
def test_the_dialogue_goes_as_written(dialogue: Dialogue, way: str) -> None:
    hosts = MemoryHosts()
    supply = SentMail(transactions(dialogue))
    ended: list[str] = []

    async def send() -> None:
        found = await hosts.client.connect(HOP, settings(dialogue))
        end = await found.hand_on(supply) if isinstance(found, ClientSession) else found
        if end is not None:
            ended.append(in_words(end))
        if isinstance(found, ClientSession):
            found.close()

    running: Deferred[None] = Deferred.fromCoroutine(send())
    play(dialogue, lambda number: MemoryServerLine(hosts, number, way))
    failures: list[Any] = []
    running.addErrback(failures.append)
    assert not failures
    assert running.called, "the client still waits for something"
    assert supply.results == dialogue.results
    assert ended == ([dialogue.headings["ends"]] if "ends" in dialogue.headings else [])
    assert hosts.faults == []
    hosts.end(Failure(ConnectionDone()))
