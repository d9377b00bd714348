"""What CONTRIBUTING says about adding to IMAP, followed word for word."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialogues import score
from tests.dialogues.memory import DialogueServer, MemoryLine
from tests.dialogues.player import play
from twisted_mail.imap import extensions

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
SUBJECTS = ("a FETCH item", "a search key", "a STATUS item", "an IMAP command")


def files_of(subject: str) -> dict[str, str]:
    """Return the files that a section shows, by path."""
    section = re.split(r"^##+ ", TEXT.partition(f"### Adding {subject}\n")[2], flags=re.MULTILINE)[
        0
    ]
    return dict(re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)```", section, re.DOTALL | re.MULTILINE))


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that counts as part of imap/extensions."""
    monkeypatch.setattr(extensions, "__path__", [*extensions.__path__, str(tmp_path)])
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"{extensions.__name__}.{path.stem}", None)
        vars(extensions).pop(path.stem, None)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_one_source_file_and_one_dialogue_are_all(subject: str, room: Path, tmp_path: Path) -> None:
    (source, code), (story, text) = files_of(subject).items()
    assert source.startswith("twisted_mail/imap/extensions/")
    assert story.startswith("tests/dialogues/imap-")
    assert not (ROOT / source).exists()
    (room / Path(source).name).write_text(code)
    (tmp_path / "story.txt").write_text(text)
    dialogue = score.read(tmp_path / "story.txt")
    for way in ("whole", "lines", "bytes"):
        server = DialogueServer(dialogue)
        play(dialogue, lambda connection: MemoryLine(server, connection, way))  # noqa: B023
        assert not server.journal.of("failed")


def test_all_of_them_can_be_added_together(room: Path, tmp_path: Path) -> None:
    for subject in SUBJECTS:
        source, code = next(iter(files_of(subject).items()))
        (room / Path(source).name).write_text(code)
    (tmp_path / "story.txt").write_text(files_of(SUBJECTS[-1])["tests/dialogues/imap-clock.txt"])
    dialogue = score.read(tmp_path / "story.txt")
    server = DialogueServer(dialogue)
    play(dialogue, lambda connection: MemoryLine(server, connection, "whole"))
    assert not server.journal.of("failed")
