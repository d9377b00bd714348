"""Every dialogue of the client, in memory: what the server says comes whole, by lines, by bytes."""

from base64 import b64encode
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tests.dialogues.client_player import play
from tests.dialogues.score import Dialogue, Expect, client_dialogues
from tests.dialogues.sent_mail import SentMail, in_words, settings, transactions
from tests.smtp.dialogue.hosts import MemoryHosts, MemoryServerLine
from twisted_mail.mail.journey.dialogue import Dialogue as KeptDialogue
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
    hosts.keeps_all = True
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
    _check_kept(dialogue, supply, {one.id: one for one in hosts.dialogues})
    hosts.end(Failure(ConnectionDone()))


def _check_kept(dialogue: Dialogue, supply: SentMail, kept: dict[str, KeptDialogue]) -> None:
    """What was said is kept as the file has it, but for passwords and contents."""
    said = {step.text for step in dialogue.steps if isinstance(step, Expect)}
    login = settings(dialogue).login
    secrets = [login.password, b64encode(login.password.encode()).decode()] if login else []
    for _, _, attempt in supply.attempts:
        if not attempt.dialogue:  # nothing was said about it
            continue
        lines = kept[attempt.dialogue].lines
        texts = [one.text for one in lines if one.side == "C" and not one.text.startswith("(")]
        assert [text for text in texts if text not in said and "(hidden)" not in text] == []
        assert not [one for one in lines for secret in secrets if secret in one.text]
        assert [one.at for one in lines] == sorted(one.at for one in lines)
