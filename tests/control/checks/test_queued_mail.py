"""The queue, as check sees it."""

import os
from pathlib import Path

import apsw
import pytest

from tests.control.queue.filled import fill, queue_folder
from tests.control.terminal import Terminal
from twisted_mail.control.checks import queued_mail


def notes(server: Terminal) -> list[tuple[str, str]]:
    found = server.json("check")["notes"]
    return [(note["level"], note["text"]) for note in found if note["subject"] == "queue"]


def database(server: Terminal) -> Path:
    return queue_folder(server) / "queue.sqlite3"


def alter(server: Terminal, statement: str) -> None:
    connection = apsw.Connection(str(database(server)))
    connection.execute(statement)
    connection.close()


def test_without_a_queue_there_is_nothing_to_say(server: Terminal) -> None:
    assert notes(server) == []


def test_a_queue_that_can_be_read_is_fine(server: Terminal) -> None:
    fill(server)
    assert notes(server) == [("fine", "3 messages for 4 recipients can be read")]


def test_what_may_have_been_forgotten_is_a_warning(server: Terminal) -> None:
    fill(server)
    assert server("queue", "suspend", "domain", "one.example") == 0
    assert server("queue", "fail", "1a") == 0  # waits for the server
    alter(server, "UPDATE words SET given_at = 1")
    alter(server, "UPDATE recipients SET state = 2 WHERE number = 2")
    levels = dict(reversed(pair) for pair in notes(server)[1:])
    assert set(levels.values()) == {"warning"}
    assert list(levels) == [
        "1 recipient damaged, and never sent: the log has more",
        "domain one.example is suspended without an end: twisted-mail queue resume domain one.example",
        "1 word not done yet: the server does them when it starts",
    ]


def test_a_queue_of_a_newer_version_is_a_fault(server: Terminal) -> None:
    fill(server)
    alter(server, "PRAGMA user_version = 99")
    [(level, text)] = notes(server)
    assert level == "fault"
    assert "has version 99" in text


def test_a_damaged_queue_is_a_fault(server: Terminal) -> None:
    fill(server)
    for path in queue_folder(server).glob("queue.sqlite3*"):
        path.write_bytes(b"no database" * 1000)
    [(level, _)] = notes(server)
    assert level == "fault"


def test_a_disk_with_too_little_room_for_new_mail_is_a_fault(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server)
    found = list(os.statvfs(queue_folder(server)))
    found[4] = 1  # f_bavail
    monkeypatch.setattr(queued_mail.os, "statvfs", lambda _: os.statvfs_result(found))
    assert any("new mail is refused below" in text for _, text in notes(server))
