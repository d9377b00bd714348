"""Dialogues as lines, and found again."""

from pathlib import Path
from random import getrandbits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.journey.day_files import DayFiles
from twisted_mail.journey.dialogues import (
    JourneyDialogues,
    dialogue_lines,
    find_dialogues,
    read_dialogue,
)
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.journey.dialogue import THEY, WE, Dialogue, SpokenLine

NOON = 1_764_590_713.25
LINES = st.lists(
    st.builds(SpokenLine, st.floats(0, 1e6), st.sampled_from((WE, THEY)), st.text(max_size=50))
)


def dialogue(lines: tuple[SpokenLine, ...] = (), began: float = NOON) -> Dialogue:
    id = make_id(began, getrandbits)
    return Dialogue(id, "1a", began, "mx", "192.0.2.1", "192.0.2.2", "", 1, lines)


@given(LINES)
def test_a_dialogue_is_read_back_as_it_was(lines: list[SpokenLine]) -> None:
    one = dialogue(tuple(lines))
    line = dialogue_lines([one])
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert read_dialogue(line) == one


def test_octets_that_are_no_text_are_read_back() -> None:
    one = dialogue((SpokenLine(1.0, THEY, b"550 \xff\0".decode("utf-8", "surrogateescape")),))
    assert read_dialogue(dialogue_lines([one])) == one


@pytest.mark.parametrize(
    "change",
    [
        (b'"dialogue"', b'"tried"'),
        (b'"lines":[', b'"lines":[1,'),
        (b'"use":1', b'"use":{}'),
        (b'"host"', b'"most"'),
        (b'"began"', b'"x"'),
    ],
)
def test_what_is_no_dialogue_is_none(change: tuple[bytes, bytes]) -> None:
    assert read_dialogue(dialogue_lines([dialogue()]).replace(*change)) is None


def test_dialogues_are_found_by_their_ids(tmp_path: Path) -> None:
    kept = [dialogue(began=NOON + 86400 * day) for day in range(3)]
    files = DayFiles(str(tmp_path), "dialogues", 9, 1 << 24)
    for one in kept:
        files.append(dialogue_lines([one]), one.began)
    files.close()
    wanted = [kept[0].id, kept[2].id, make_id(NOON, getrandbits), "no id", ""]
    assert find_dialogues(str(tmp_path), wanted) == {one.id: one for one in (kept[0], kept[2])}
    assert find_dialogues(str(tmp_path), ["no id"]) == {}


def test_what_is_to_be_kept_is_recorded() -> None:
    recorded: list[Dialogue] = []
    one = dialogue()
    journal = JourneyDialogues(recorded.append, keeps_all=True)
    journal.keep(one)
    assert recorded == [one]
    assert journal.keeps_all
