"""Every dialogue, in memory: whole, line by line, byte by byte."""

import pytest

from tests.dialogues.memory import DialogueServer, MemoryLine
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
    server = DialogueServer(dialogue)
    play(dialogue, lambda connection: MemoryLine(server, connection, way))
    assert not server.journal.of("failed")
