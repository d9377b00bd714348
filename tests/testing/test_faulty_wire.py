"""Without faults, a wire for faults changes nothing: every dialogue goes as written over it."""

from typing import Any

import pytest

from tests.dialogues.memory import DialogueServer, MemoryLine
from tests.dialogues.player import play
from tests.dialogues.score import Dialogue, all_dialogues
from twisted_mail.net.connection.conversation import MakeSession
from twisted_mail.testing.faults import Fault, FaultPlan
from twisted_mail.testing.faulty_wire import with_faults

DIALOGUES = [
    pytest.param(dialogue, way, id=f"{dialogue.path.stem}-{way}")
    for dialogue in all_dialogues()
    for way in ("whole", "bytes")
    if dialogue.plays(way)
]


class FaultyServer(DialogueServer):
    """Has a fault that never happens."""

    def make_session(self, plugin: Any, settings: Any, service: str) -> MakeSession:
        made = super().make_session(plugin, settings, service)
        return with_faults(made, FaultPlan([Fault.close("NEVER")]), service, self.clock)


@pytest.mark.parametrize(("dialogue", "way"), DIALOGUES)
def test_the_dialogue_goes_as_written(dialogue: Dialogue, way: str) -> None:
    server = FaultyServer(dialogue)
    play(dialogue, lambda connection: MemoryLine(server, connection, way))
    assert not server.journal.of("failed")
