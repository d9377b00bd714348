"""What is in the queue of a server that runs, seen from outside."""

import time
from contextlib import closing
from pathlib import Path

import apsw


def owed(state: Path) -> int:
    """Return how many recipients are owed a message.

    It asks the SQLite that the server has. Python's own is another one: where the server runs in the
    test's process, that would not see its locks, and shorten a file that the server has mapped
    (https://www.sqlite.org/howtocorrupt.html, section 2.2.1).
    """
    path = state / "queue" / "queue.sqlite3"
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as database:
        database.set_busy_timeout(30_000)
        return int(database.execute("SELECT count(*) FROM recipients").fetchone()[0])


def wait_until_empty(state: Path, seconds: float = 60.0) -> None:
    """Wait until nobody is owed anything. Raises AssertionError."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not owed(state):
            return
        time.sleep(0.05)
    raise AssertionError(f"{owed(state)} recipients are still owed a message")
