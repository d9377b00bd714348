"""What workers do to mailboxes, for the main process, which indexes and tidies those of all processes.

A worker sends the names of mailboxes, each once however much happened in it meanwhile. What it was the
main process finds in the account's index, as it finds what any other process did.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from twisted.internet.defer import Deferred

from twisted_mail.interfaces import Clock
from twisted_mail.mail.outcome import MailError
from twisted_mail.net.process.bridge import Bridge

COLLECT_SECONDS = 1.0  # for which notes are kept, to be sent together
MOST_NOTED = 10_000  # mailboxes; the next change, or the next search, reminds of more

NotedMailbox = tuple[str, str, bool]  # account, mailbox, whether it must be compared


class BackgroundNotes:
    """Notes of a worker. Fulfils ``store.maildir.NoteElsewhere``."""

    def __init__(self, bridge: Bridge, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._waiting: dict[tuple[str, str], bool] = {}

    def __call__(self, account: str, mailbox: str, must_compare: bool) -> None:
        """Note that something happened in a mailbox, or that it must be compared with its index."""
        key = account, mailbox
        is_first = not self._waiting
        if key in self._waiting or len(self._waiting) < MOST_NOTED:
            self._waiting[key] = must_compare or self._waiting.get(key, False)
        if is_first:
            Deferred.fromCoroutine(self._send())

    async def _send(self) -> None:
        await self._clock.sleep(COLLECT_SECONDS)
        waiting, self._waiting = self._waiting, {}
        noted = [(*key, must_compare) for key, must_compare in waiting.items()]
        self._bridge.notify("background", "note", noted)


class BackgroundService:
    """Takes the notes of a worker; ``catch_up`` is that of the main process's store."""

    def __init__(self, catch_up: Callable[[str, str, bool], Awaitable[None]]) -> None:
        self._catch_up = catch_up

    async def note(self, noted: Sequence[NotedMailbox]) -> None:
        """Look at mailboxes, one after the other."""
        for account, mailbox, must_compare in noted:
            with suppress(MailError):  # gone, or the next change reminds
                await self._catch_up(account, mailbox, must_compare)
