"""Keeping the threads of the server on one processor.

Python runs one thread at a time. On several processors the threads hand the interpreter's lock to each
other across them, and each handover wakes a sleeping processor: a server that writes mail in threads
spends a third of its time on that, and takes half as many messages. What computes outside of the
interpreter, such as hashing passwords, is better spread.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from twisted.logger import Logger

log = Logger(namespace="twisted_mail")


class CpuAffinity:
    """The one processor that a process stays on, and the others that it may use.

    On systems other than Linux, and where there is only one processor, nothing is done.
    """

    def __init__(self) -> None:
        known = getattr(os, "sched_getaffinity", None)
        self.allowed: frozenset[int] = frozenset(known(0)) if known is not None else frozenset()
        self._chosen: int | None = None

    def pin(self, process: int | None = None) -> None:
        """Keep the calling thread, and those it will start, on one of the processors allowed.

        Processes of one server choose by their number in it, others by their process id, so that
        several spread out. Where the system refuses it, the log has the reason, and all stays as it is.
        """
        if len(self.allowed) < 2:
            return
        number = os.getpid() if process is None else process
        chosen = sorted(self.allowed)[number % len(self.allowed)]
        try:
            os.sched_setaffinity(0, {chosen})
        except OSError as error:  # such as EPERM of a sandbox that filters system calls
            log.warn("the server is not kept on one processor: {text}", text=error.strerror)
        else:
            self._chosen = chosen

    def unpin(self) -> None:
        """Let the calling thread, and those it will start, use all processors again."""
        if self._chosen is not None:
            _set(self.allowed)

    @contextmanager
    def unpinned(self) -> Iterator[None]:
        """Let processes that are started meanwhile use all processors."""
        self.unpin()
        try:
            yield
        finally:
            if self._chosen is not None:
                _set({self._chosen})


def _set(processors: Collection[int]) -> None:
    with suppress(OSError):  # a container may have taken one away
        os.sched_setaffinity(0, processors)
