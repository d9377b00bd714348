"""Every dialogue, in memory: whole, line by line, byte by byte."""

import pytest

from tests.dialogues.memory import MemoryLine, MemoryServer
from tests.dialogues.player import play
from tests.dialogues.score import Dialogue, all_dialogues

WAYS = [
    pytest.param(dialogue, way, id=f"{dialogue.path.stem}-{way}")
    for dialogue in all_dialogues()
    for way in ("whole", "lines", "bytes")
    if dialogue.plays(way)
]


@pytest.mark.parametrize(("dialogue", "way"), WAYS)
def test_the_dialogue_goes_as_written(dialogue: Dialogue, way: str) -> None:
    server = MemoryServer()
    server.set_filters(dialogue)
    for message in dialogue.given:
        server.put(message)
    play(dialogue, lambda connection: MemoryLine(server, dialogue, connection, way))
    bugs = [event for event in server.journal.events if event[0] == "failed"]
    assert not bugs
