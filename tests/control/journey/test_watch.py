"""twisted-mail queue watch."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.control.terminal import Terminal
from tests.journey.kept import ALICE, BOB, EVENTS, LETTER, NOON, OTHER, keep
from twisted_mail.control.journey import watching
from twisted_mail.control.journey.watching import EventFilter
from twisted_mail.journey.event_lines import event_line
from twisted_mail.journey.following import JourneyFollower


@pytest.fixture
def watched(server: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A server that writes all events while the command waits for the first time."""
    state = next(server.folder.rglob("accounts.sqlite3")).parent
    rounds: list[Callable[[], object]] = [lambda: keep(state / "journey"), interrupt]
    monkeypatch.setattr(watching, "pause", lambda: rounds.pop(0)())
    return server


def interrupt() -> None:
    raise KeyboardInterrupt


def chosen(**options) -> list[str]:
    """Return the ids of the events that filters let through."""
    names = ("event", "to", "sender", "account", "site", "id", "domain")
    filters = EventFilter(SimpleNamespace(**{**dict.fromkeys(names), **options}))  # type: ignore[arg-type]
    events = [json.loads(event_line(event)) for event in EVENTS]
    return [event["id"] for event in events if filters.lets_through(event)]


def test_events_are_shown_as_they_happen_a_line_each(watched: Terminal) -> None:
    assert watched("queue", "watch") == 0
    lines = watched.out.splitlines()
    assert len(lines) == len(EVENTS)
    assert lines[0].startswith(f"12:05:13.250  {LETTER}  received  <alice@example.org>")
    assert r"Come\r\n\x1b[2J\u202eback later" in lines[2]
    assert lines[-1].split()[1] == "-"


def test_programs_get_one_object_a_line(watched: Terminal) -> None:
    assert watched("queue", "watch", "--json", "--count", "3") == 0
    events = [json.loads(line) for line in watched.out.splitlines()]
    assert [one["event"] for one in events] == ["received", "accepted", "deferred"]


def test_wrong_uses_are_told(watched: Terminal) -> None:
    for words in (["--event", "sent"], ["--count", "0"], ["--for", "long"], ["--domain", "a b"]):
        assert watched("queue", "watch", *words) == 2


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"id": LETTER}, {LETTER}),
        ({"sender": ALICE.upper()}, None),
        ({"to": "*@example.org"}, None),
        ({"sender": "carol@*"}, {OTHER}),
        ({"sender": "[c]arol@*"}, set()),
        ({"site": "mx.nowhere"}, set()),
        ({"domain": "example.net"}, set()),
        ({}, None),
    ],
)
def test_filters_choose_messages(options: dict[str, str], found: set[str] | None) -> None:
    ids = chosen(**options)
    if found is None:
        assert LETTER in ids
    else:
        assert set(ids) == found


def test_what_follows_of_a_message_is_shown_though_it_does_not_name_the_sender() -> None:
    assert chosen(sender=ALICE).count(LETTER) == 5
    assert chosen(sender=ALICE, to=BOB, event=["failed"]) == [LETTER]


def test_a_line_that_is_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    folder = keep(tmp_path / "journey", EVENTS[:1])
    follower = JourneyFollower(folder)
    [path] = (tmp_path / "journey").iterdir()
    line = event_line((NOON, "stored", {"id": LETTER}))
    for half in (line[:20], line[20:]):
        assert follower.poll() == []
        with path.open("a") as file:
            file.write(half)
    assert [event["event"] for event in follower.poll()] == ["stored"]
    assert follower.poll() == []


def test_new_files_are_read_and_removed_ones_forgotten(tmp_path: Path) -> None:
    folder = keep(tmp_path / "journey", EVENTS[:1])
    follower = JourneyFollower(folder)
    keep(tmp_path / "journey", [(NOON + 86400, "stored", {"id": OTHER})])
    next((tmp_path / "journey").glob("*-01.*")).unlink()
    assert [event["id"] for event in follower.poll()] == [OTHER]
