"""twisted-mail queue repair."""

from pathlib import Path

import apsw
import pytest

from tests.control.queue.filled import fill, queue_folder
from tests.control.terminal import Terminal
from twisted_mail.queue.spool.lock import QueueLock


def test_what_can_be_read_of_a_damaged_queue_comes_back(server: Terminal) -> None:
    fill(server)
    path = queue_folder(server) / "queue.sqlite3"
    with path.open("r+b") as file:
        file.write(b"damaged!" * 12)  # the header
    assert server("queue", "list") == 1
    assert "queue repair" in server.err
    assert server("queue", "repair") == 0
    assert "3 messages for 4 recipients brought back" in server.out
    folder = server.json("queue", "repair")["folder"]
    assert Path(folder).is_dir()
    assert server("queue", "list") == 0
    assert "bob@one.example" in server.out


def test_a_queue_that_a_server_has_is_not_repaired(server: Terminal) -> None:
    fill(server)
    lock = QueueLock(str(queue_folder(server)))
    assert lock.take()
    assert server("queue", "repair") == 1
    assert "the server runs, and has the queue" in server.err
    lock.release()


def test_without_a_queue_there_is_nothing_to_repair(server: Terminal) -> None:
    assert server("queue", "repair") == 1
    assert server.err.startswith("twisted-mail: there is no queue at ")


def test_a_queue_of_a_newer_version_is_not_repaired(server: Terminal) -> None:
    fill(server)
    path = queue_folder(server) / "queue.sqlite3"
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.pragma("wal_checkpoint", "TRUNCATE")
    connection.close()
    before = path.read_bytes()
    assert server("queue", "repair") == 1
    assert "has version 99" in server.err
    assert "nothing is altered" in server.err
    assert server.err.count("\n") == 1
    assert path.read_bytes() == before


def test_what_the_database_says_while_it_is_repaired_is_one_line(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    fill(server)
    monkeypatch.setattr("twisted_mail.control.queue.repairing.repair", full)
    assert server("queue", "repair") == 1
    assert server.err.endswith("cannot be repaired now: database or disk is full\n")
    assert server.err.count("\n") == 1
