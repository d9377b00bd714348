"""Errors of the disk and of databases in the log: each once in a while, and never more than so many.

A peer is sent that something is not possible now, and no cause. The cause is here: one line with the
path and the name of the error.
"""

import errno
import os
from collections import Counter
from collections.abc import Callable

from twisted_mail.interfaces import Clock, Journal
from twisted_mail.log import safe

PERIOD_SECONDS = 600.0  # in which one error of one path is logged once
MAX_LINES = 100  # of one period
MAX_LINES_OF_ACCOUNT = 20  # ... about the files of one account, so that others' are seen, too
_MAX_TEXT = 500  # characters of a line
WHERE = "disk:"


class FaultLog:
    """Fulfils ``interfaces.FaultReport`` for any thread; writes on the reactor thread.

    ``in_reactor`` calls a function on the reactor thread, soon. What is over the limit of a period is
    not written, but that there is more is.
    """

    def __init__(self, journal: Journal, clock: Clock, in_reactor: Callable[..., object]) -> None:
        self._journal = journal
        self._clock = clock
        self._in_reactor = in_reactor
        self._period_end = 0.0
        self._written: set[str] = set()  # in this period
        self._of_account: Counter[str] = Counter()

    def __call__(self, where: str, error: Exception) -> None:
        """Report an error at a place."""
        self._in_reactor(self._note, fault_text(where, error))

    def _note(self, text: str) -> None:
        now = self._clock.monotonic()
        if now >= self._period_end:
            self._period_end = now + PERIOD_SECONDS
            self._written.clear()
            self._of_account.clear()
        account = _account(text)
        if text in self._written or len(self._written) > MAX_LINES:
            return
        if account and self._of_account[account] > MAX_LINES_OF_ACCOUNT:
            return
        self._written.add(text)
        self._of_account[account] += 1
        if len(self._written) > MAX_LINES:
            text = _and_more("", MAX_LINES)
        elif account and self._of_account[account] > MAX_LINES_OF_ACCOUNT:
            text = _and_more(f" below {account}", MAX_LINES_OF_ACCOUNT)
        self._journal.warned(WHERE, text)


def _and_more(where: str, most: int) -> str:
    minutes = int(PERIOD_SECONDS / 60)
    return f"there are more errors{where} than {most} in {minutes} minutes; the rest is not logged"


def _account(text: str) -> str:
    """Return the folder of the account whose file a line is about, or nothing."""
    before, maildir, _ = text.partition("/Maildir")
    return before if maildir else ""


def fault_text(where: str, error: Exception) -> str:
    """Return an error in words, on one line: the path, what is wrong, and the error's name."""
    if isinstance(error, OSError) and error.errno is not None:
        if error.filename is not None and not isinstance(error.filename, int):
            where = os.fsdecode(error.filename)
        name = errno.errorcode.get(error.errno, str(error.errno))
        what = f"{os.strerror(error.errno)} ({name})"
    else:
        what = f"{type(error).__name__}: {error}"
    text = safe(f"{where}: {what}")
    return text if len(text) <= _MAX_TEXT else f"{text[:200]}...{text[-250:]}"
