"""What is in the queue of a server that runs, seen from outside."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path


def owed(state: Path) -> int:
    """Return how many recipients are owed a message."""
    path = state / "queue" / "queue.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
        return int(database.execute("SELECT count(*) FROM recipients").fetchone()[0])


def wait_until_empty(state: Path, seconds: float = 60.0) -> None:
    """Wait until nobody is owed anything. Raises AssertionError."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not owed(state):
            return
        time.sleep(0.05)
    raise AssertionError(f"{owed(state)} recipients are still owed a message")
