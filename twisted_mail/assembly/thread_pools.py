"""The threads of one process: pools, each for one kind of work that may block."""

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config
from twisted_mail.net.process.blocking import STOP_SECONDS, ThreadBlocking

FILE_THREADS = 16  # enough for the file system to share its syncs between them
ACCOUNT_THREADS = 16  # likewise; an account is at work in one at a time, and in one for SEARCH
LONG_TURNS = 2  # of busy accounts: one computes while the other waits for the disk
MESSAGE_THREADS = 2  # taking messages apart is all computing, of which one thread is done at a time

log = Logger(namespace="twisted_mail")
# How long a thread computes before the reactor thread gets the interpreter, for which it asks after each
# system call. While two threads compute, four calls took up to 41 ms with Python's own 0.005, and
# 18 with this; computing itself took no longer.
SWITCH_SECONDS = 0.0005


class ThreadPools:
    """The pools: ``files``, ``accounts`` for work in their mail, ``messages`` for parsing, and two more.

    What everybody needs, such as the directory and deliveries, is in ``files`` and never waits for what
    the clients of some accounts are doing. ``passwords`` are hashed, and ``programs`` run.

    ``unpin`` is called in threads that compute outside of Python, or run programs: it lets them use
    every processor.
    """

    def __init__(self, reactor: Any, config: Config, unpin: Callable[[], None]) -> None:
        passwords = config.passwords
        running = sum(program.max_running for program in config.programs)
        self.files = ThreadBlocking(reactor, "files", FILE_THREADS)
        self.accounts = ThreadBlocking(reactor, "accounts", ACCOUNT_THREADS, long_turns=LONG_TURNS)
        self.messages = ThreadBlocking(reactor, "messages", MESSAGE_THREADS)
        self.passwords = ThreadBlocking(
            reactor, "passwords", passwords.threads, passwords.waiting, unpin
        )
        self.programs = ThreadBlocking(reactor, "programs", max(1, running), begin=unpin)
        # In the order in which they end: what is promised first.
        self._pools = {
            "files": self.files,
            "accounts": self.accounts,
            "programs": self.programs,
            "messages": self.messages,
            "passwords": self.passwords,
        }

    def start(self) -> None:
        """Start all threads."""
        sys.setswitchinterval(SWITCH_SECONDS)
        for pool in self._pools.values():
            pool.start()

    def stop(self) -> None:
        """Finish the work with files and in accounts, drop the rest, and end all threads.

        Blocks ``STOP_SECONDS`` at most. Nobody is left who waits for a password or a message that was
        taken apart, and programs were killed.
        """
        deadline = monotonic() + STOP_SECONDS
        for name, pool in self._pools.items():
            left = max(0.0, deadline - monotonic())
            if not pool.stop(left, drops=pool not in (self.files, self.accounts)):
                log.warn("ended without waiting for the threads that work on {name}", name=name)
