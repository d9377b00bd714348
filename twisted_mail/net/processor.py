"""Keeping the threads of the server on one processor.

Python runs one thread at a time. On several processors the threads hand the interpreter's lock to each
other across them, and each hand-over wakes a sleeper elsewhere: a server that writes mail in threads
spends a third of its time so, and takes half as many messages. What computes outside of the
interpreter, such as hashing passwords, is better spread.
"""

import os
from collections.abc import Collection
from contextlib import suppress


class Processor:
    """The one processor that a process stays on, and the others that it may use.

    ``allowed`` are those that it may use; if it is not told, those that the calling thread may. Where
    the system cannot be told (it is not Linux) or there is one processor only, nothing is done.
    """

    def __init__(self, allowed: Collection[int] | None = None) -> None:
        known = getattr(os, "sched_getaffinity", None)
        if allowed is None:
            allowed = known(0) if known is not None else ()
        self.allowed = frozenset(allowed)
        self._chosen: int | None = None

    def stay(self, process: int | None = None) -> None:
        """Keep the calling thread, and those it will start, on one of the processors allowed.

        Processes of one server choose by the number they have in it, others by that of the system,
        so that several spread.
        """
        if len(self.allowed) > 1:
            number = os.getpid() if process is None else process
            self._chosen = sorted(self.allowed)[number % len(self.allowed)]
            _set({self._chosen})

    def spread(self) -> None:
        """Let the calling thread, and those it will start, use all processors again."""
        if self._chosen is not None:
            _set(self.allowed)


def _set(processors: Collection[int]) -> None:
    with suppress(OSError):  # a container may have taken one away
        os.sched_setaffinity(0, processors)
