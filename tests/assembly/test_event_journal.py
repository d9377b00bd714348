"""The journal of a process writes the log and the journey."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from twisted_mail.assembly.event_journal import JournalAssembly
from twisted_mail.config import Config
from twisted_mail.interfaces import Peer
from twisted_mail.journey.settings import JourneySettings
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.testing.doubles import InlineBlocking, finish

PEER = Peer("192.0.2.1", 25)


def made(state: Path, **settings) -> JournalAssembly:
    config = Config(state / "c", "mail.example.org", state, journey=JourneySettings(**settings))
    return JournalAssembly(Clock(), config, InlineBlocking())


def kept(state: Path) -> str:
    return "".join(path.read_text() for path in state.glob("journey/events-*.jsonl"))


def test_an_event_is_in_the_journey_after_the_periodic_task(tmp_path: Path) -> None:
    assembly = made(tmp_path)
    assembly.journal.refused("smtp", PEER, "1a", "550 5.7.1 No")
    for task in assembly.periodic_tasks():
        finish(task.work())
    assert '{"id":"1a",' in kept(tmp_path)


def test_what_is_left_is_written_when_the_process_ends(tmp_path: Path) -> None:
    assembly = made(tmp_path)
    assembly.journal.refused("smtp", PEER, "1a", "550 5.7.1 No")
    assembly.close()
    assert '"text":"550 5.7.1 No"' in kept(tmp_path)


@pytest.mark.parametrize(("dialogues", "keeps_all"), [("failures", False), ("all", True)])
def test_dialogues_are_kept_as_the_settings_say(
    tmp_path: Path, dialogues: str, keeps_all: bool
) -> None:
    assembly = made(tmp_path, dialogues=dialogues)
    assert assembly.dialogues is not None
    assert assembly.dialogues.keeps_all is keeps_all
    assembly.dialogues.keep(Dialogue("2b", "1a", 1.0, "mx", "192.0.2.1", "", "", 1, ()))
    assembly.close()
    [path] = tmp_path.glob("journey/dialogues-*.jsonl")
    assert '{"id":"2b",' in path.read_text()


def test_without_dialogues_there_is_no_keeper_of_them(tmp_path: Path) -> None:
    assert made(tmp_path, dialogues="none").dialogues is None
    assert made(tmp_path, days=0).dialogues is None


def test_without_days_nothing_is_kept(tmp_path: Path) -> None:
    assembly = made(tmp_path, days=0)
    assembly.journal.refused("smtp", PEER, "1a", "550 5.7.1 No")
    assembly.close()
    assert assembly.periodic_tasks() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"days": -1}, {"days": 9999}, {"octets": 1000}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        JourneySettings(**wrong)
