"""Giving a word to the queue: the server does it, or, with the server stopped, this command.

The word is written into the queue's database in any case. Whoever has the lock of the queue does what
is there: then two commands at once do not meet, and nothing is done twice.
"""

import getpass
import json
import time
from collections.abc import Mapping
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.queue.opened import OpenedQueue, now
from twisted_mail.control.queue.stopped import do_words
from twisted_mail.mail.queued.word import Act, Word, write_word

LOOK_SECONDS = 0.05  # between two looks for the answer
PATIENCE_SECONDS = 600.0  # for it, as long as the server runs
LATER = {"later": True}  # the answer to what only a server can do, while none runs

Answer = Mapping[str, Any]


def speak(queue: OpenedQueue, word: Word) -> Answer:
    """Give a word; return its answer. Raises CommandError with the reason where it was refused."""
    number = _write(queue, word)
    try:
        answer = _answer(queue, number, word)
    except KeyboardInterrupt:
        raise CommandError(_goes_on("interrupted")) from None
    if "error" in answer:
        raise CommandError(str(answer["error"]))
    return answer


def speaker() -> str:
    """Return who gives words, for the log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


def _write(queue: OpenedQueue, word: Word) -> int:
    with queue.database.transaction() as connection:
        connection.execute(
            "INSERT INTO words (word, given_at) VALUES (?, ?)", (write_word(word), now())
        )
        return connection.last_insert_rowid()


def _answer(queue: OpenedQueue, number: int, word: Word) -> Answer:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if (answer := _read(queue, number)) is not None:
            return answer
        if queue.lock.take():
            try:
                do_words(queue)
            finally:
                queue.lock.release()
            return _read(queue, number) or _undone(queue, number, word)
        pause()
    raise CommandError(_goes_on("the server has not answered yet"))


def pause() -> None:
    """Let the server do what it is at."""
    time.sleep(LOOK_SECONDS)


def _read(queue: OpenedQueue, number: int) -> Answer | None:
    row = queue.connection.execute(
        "SELECT result FROM words WHERE id = ? AND done_at IS NOT NULL", (number,)
    ).fetchone()
    if row is None:
        return None
    answer: Answer = json.loads(row[0])
    return answer


def _undone(queue: OpenedQueue, number: int, word: Word) -> Answer:
    """Answer a word that only a server can do: it waits for one, or, if it asks something, goes."""
    if word.act is Act.ASK:
        with queue.database.transaction() as connection:
            connection.execute("DELETE FROM words WHERE id = ?", (number,))
    return LATER


def _goes_on(why: str) -> str:
    return (
        f"{why}; the word is kept, and is done all the same (queue list shows what has come of it)"
    )
