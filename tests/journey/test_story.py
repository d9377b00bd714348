"""Finding messages in the journey, and telling their stories."""

from pathlib import Path

import pytest

from tests.journey.kept import AGAIN, ALICE, COPY, EVENTS, LETTER, NOON, OTHER, REPORT, keep
from twisted_mail.journey import search
from twisted_mail.journey.story import MAX_TOLD, find, tell
from twisted_mail.mail.ids import make_id


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return keep(tmp_path / "journey")


def ids(folder: str, text: str) -> list[str]:
    return [one.id for one in find(folder, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LETTER, [LETTER]),
        ("<Lunch@client.example>", [LETTER]),
        ("lunch@CLIENT.example", [LETTER]),
        ("carol@example.com", [OTHER]),
        ("dave@example.net", [COPY]),
        (ALICE, [LETTER, REPORT, AGAIN]),
        ("<Alice@Example.org>", [LETTER, REPORT, AGAIN]),
        ("lice@example.org", []),
        ("No such user", []),
        ("nobody@example.org", []),
    ],
)
def test_a_message_is_found_by_what_names_it(folder: str, text: str, found: list[str]) -> None:
    assert ids(folder, text) == found


def test_a_report_is_found_to_have_come_of_its_message(folder: str) -> None:
    assert [one.came_of for one in find(folder, ALICE)] == ["", LETTER, ""]


def test_a_story_has_the_report_that_came_of_it(folder: str) -> None:
    letter, report = tell(folder, [LETTER]).journeys
    names = [event["event"] for event in letter.events]
    assert names == ["received", "accepted", "deferred", "failed", "reported"]
    assert (report.id, report.came_of) == (REPORT, LETTER)
    assert [event["event"] for event in report.events] == ["accepted", "stored"]


def test_a_story_has_what_a_list_made_of_it(folder: str) -> None:
    assert [one.id for one in tell(folder, [OTHER]).journeys] == [OTHER, COPY]


def test_of_very_many_messages_some_are_told_and_the_others_counted(tmp_path: Path) -> None:
    made = [make_id(NOON, lambda _, n=n: n) for n in range(MAX_TOLD + 5)]
    post = (NOON, "expanded", {"id": OTHER, "jobs": made})
    copies = [(NOON + 1, "accepted", {"id": one, "from": ""}) for one in made]
    story = tell(keep(tmp_path / "journey", [post, *copies]), [OTHER])
    assert len(story.journeys) == MAX_TOLD
    assert story.more == 6


@pytest.mark.parametrize("few", [0, 100])
def test_the_lines_of_few_and_of_many_messages_are_the_same(
    folder: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    lines = search.lines_of(folder, "events", [LETTER, COPY, "short"], NOON)
    assert len(lines) == 6
    assert all(
        line.startswith((b'{"id":"%s"' % LETTER.encode(), b'{"id":"%s"' % COPY.encode()))
        for line in lines
    )


def test_files_from_before_a_message_are_not_read(tmp_path: Path) -> None:
    early = (NOON - 5 * 86400, "accepted", {"id": LETTER})
    folder = keep(tmp_path / "journey", [early, *EVENTS])
    assert len(search.lines_of(folder, "events", [LETTER], NOON)) == 5


def test_torn_lines_and_lies_are_passed_over(tmp_path: Path) -> None:
    folder = keep(tmp_path / "journey")
    [path] = (tmp_path / "journey").iterdir()
    torn = b'{"id":"%s","time":"20\n' % LETTER.encode()
    odd = b'{"id":"%s","time":"","event":"reported","report":7,"jobs":[1,{}]}\n' % LETTER.encode()
    path.write_bytes(torn + odd + path.read_bytes() + torn[:20])
    assert len(tell(folder, [LETTER]).journeys[0].events) == 6


def test_where_there_is_no_folder_nothing_is_found(tmp_path: Path) -> None:
    assert find(str(tmp_path / "none"), LETTER) == []
    assert tell(str(tmp_path / "none"), [LETTER]).journeys == []
