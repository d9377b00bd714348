"""The threads of one process: pools, each for one kind of work that may block."""

from collections.abc import Callable
from typing import Any

from twisted_mail.config import Config
from twisted_mail.net.process.blocking import ThreadBlocking

FILE_THREADS = 16  # enough for the file system to share its syncs between them
MESSAGE_THREADS = 2  # taking messages apart is all computing, of which one thread is done at a time


class ThreadPools:
    """The pools: ``files``, ``messages`` for parsing them, ``passwords``, and ``programs``.

    ``unpin`` is called in threads that compute outside of Python, or run programs: it lets them use
    every processor.
    """

    def __init__(self, reactor: Any, config: Config, unpin: Callable[[], None]) -> None:
        passwords = config.passwords
        running = sum(program.max_running for program in config.programs)
        self.files = ThreadBlocking(reactor, "files", FILE_THREADS)
        self.messages = ThreadBlocking(reactor, "messages", MESSAGE_THREADS)
        self.passwords = ThreadBlocking(
            reactor, "passwords", passwords.threads, passwords.waiting, unpin
        )
        self.programs = ThreadBlocking(reactor, "programs", max(1, running), begin=unpin)

    def start(self) -> None:
        """Start all threads."""
        for pool in (self.files, self.messages, self.passwords, self.programs):
            pool.start()

    def stop(self) -> None:
        """Finish what was begun, programs first, and end all threads."""
        for pool in (self.programs, self.files, self.messages, self.passwords):
            pool.stop()
