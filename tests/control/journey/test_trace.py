"""twisted-mail trace."""

from pathlib import Path

import pytest

from tests.control.queue.filled import fill
from tests.control.terminal import Terminal
from tests.journey.kept import ALICE, LETTER, NOON, REPORT, keep, keep_dialogue


@pytest.fixture
def traced(server: Terminal) -> Terminal:
    state = next(server.folder.rglob("accounts.sqlite3")).parent
    keep(state / "journey")
    return server


def test_the_story_of_a_message_is_told_with_its_report(traced: Terminal) -> None:
    assert traced("trace", LETTER) == 0
    lines = traced.out.splitlines()
    assert lines[0] == f"message {LETTER}"
    assert lines[1] == "  message-id <Lunch@client.example>"
    assert lines[2] == "  2025-12-01 (UTC)"
    assert lines[3].startswith("    12:05:13.250  received  <alice@example.org> to <bob@exa")
    [failed] = [line for line in lines if "failed    " in line]
    assert "<bob@example.net>: 550 5.1.1 No such user (by mx.example.net [192.0.2.1]" in failed
    assert f"message {REPORT}, which came of {LETTER}" in lines
    assert "stored    in the mailbox INBOX of alice@example.org" in lines[-1]


def test_what_hosts_said_is_one_line_without_control_characters(traced: Terminal) -> None:
    traced("trace", LETTER)
    [line] = [line for line in traced.out.splitlines() if "deferred" in line]
    assert r"Come\r\n\x1b[2J\u202eback later" in line


def test_a_message_id_finds_it_whatever_the_brackets(traced: Terminal) -> None:
    for text in ("<Lunch@client.example>", "lunch@client.example"):
        assert traced("trace", text) == 0
        assert traced.out.startswith(f"message {LETTER}\n")


def test_an_address_has_its_messages_listed(traced: Terminal) -> None:
    assert traced("trace", ALICE) == 0
    lines = traced.out.splitlines()
    assert lines[0].startswith("MESSAGE ")
    assert [line.split()[0] for line in lines[1:2]] == [LETTER]
    assert REPORT not in traced.out
    assert traced("trace", ALICE, "--all") == 0
    assert f"message {REPORT}, which came of {LETTER}" in traced.out


def test_programs_get_the_events_as_they_are(traced: Terminal) -> None:
    data = traced.json("trace", LETTER)
    assert [one["id"] for one in data["messages"]] == [LETTER, REPORT]
    assert data["messages"][1]["came_of"] == LETTER
    assert data["messages"][0]["events"][3]["code"] == 550
    assert data["more"] == 0


def test_what_nothing_is_known_of_is_an_error(traced: Terminal) -> None:
    assert traced("trace", "nobody@example.org") == 1
    assert "no event of the last 7 days is about nobody@example.org" in traced.err
    assert traced("trace", "<>") == 2
    assert traced("trace", "x" * 2000) == 2


def test_events_that_somebody_altered_are_shown_as_they_can_be(server: Terminal) -> None:
    state = next(server.folder.rglob("accounts.sqlite3")).parent
    names = ("received", "accepted", "stored", "expanded", "reported", "word", "tried", "new")
    odd = {"id": LETTER, "from": 1, "to": {"a": "b"}, "accounts": "x", "jobs": 5, "code": ["y"]}
    keep(Path(state / "journey"), [(NOON, name, odd) for name in names])
    assert server("trace", LETTER) == 0
    assert len(server.out.splitlines()) == len(names) + 2


def test_the_dialogue_stands_behind_the_event_that_has_it(server: Terminal) -> None:
    state = next(server.folder.rglob("accounts.sqlite3")).parent
    said = keep_dialogue(state / "journey", message=LETTER)
    refused = {"id": LETTER, "to": "bob@example.net", "code": 450, "text": "Later"}
    tried = (NOON, "deferred", {**refused, "dialogue": said})
    keep(state / "journey", [tried, tried])
    assert server("trace", LETTER) == 0
    lines = [line.strip() for line in server.out.splitlines()]
    at = lines.index("dialogue with mx.example.net [192.0.2.1] from 2025-12-01T12:05:13.250Z")
    assert "deferred" in lines[at - 1]
    assert lines[at + 1] == r"0.000  S: 220 mx\x1b[2J"
    assert server.out.count("220 mx") == 1
    [data] = server.json("trace", LETTER)["dialogues"]
    assert data["lines"][1] == {"at": 1.5, "side": "C", "text": "EHLO us"}


def test_what_a_command_does_while_no_server_runs_is_an_event(server: Terminal) -> None:
    fill(server)
    assert server("queue", "hold", "1a/1") == 0
    assert server("trace", "1a") == 0
    assert "held      <bob@one.example> (for <carol@example.org>) by " in server.out
