"""twisted-mail queue repair."""

from pathlib import Path

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
