"""What workers do to mailboxes, for the main process, which indexes and tidies those of all processes.

A worker sends the names of mailboxes, each once however much happened in it meanwhile. What it was the
main process finds in the account's index, as it finds what any other process did.
"""

from collections.abc import Awaitable, Callable, Sequence

from twisted.internet.defer import Deferred

from twisted_mail.interfaces import Clock, Journal
from twisted_mail.mail.outcome import MailError
from twisted_mail.net.process.process_bridge import Bridge

COLLECT_SECONDS = 1.0  # for which notes are kept, to be sent together
MOST_NOTED = 10_000  # mailboxes; the next change, or the next search, reminds of more
MOST_AT_ONCE = 4  # accounts that are looked at, of each worker

NotedMailbox = tuple[str, str, bool]  # account, mailbox, whether it must be compared
CatchUp = Callable[[str, str, bool], Awaitable[None]]


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
    """Takes the notes of a worker; ``catch_up`` is that of the main process's store.

    Mailboxes of one account are looked at one after the other, those of a few accounts at the same time:
    one whose disk does not answer holds up no other. Meanwhile its notes wait here, each once.
    """

    def __init__(self, catch_up: CatchUp, journal: Journal) -> None:
        self._catch_up = catch_up
        self._journal = journal
        self._waiting: dict[str, dict[str, bool]] = {}  # by account and mailbox
        self._looked_at: set[str] = set()  # accounts

    def note(self, noted: Sequence[NotedMailbox]) -> None:
        """Have mailboxes looked at soon."""
        room = MOST_NOTED - sum(map(len, self._waiting.values()))
        for account, mailbox, must_compare in noted:
            mailboxes = self._waiting.get(account, {})
            if mailbox not in mailboxes:
                if room <= 0:
                    continue
                room -= 1
            mailboxes[mailbox] = must_compare or mailboxes.get(mailbox, False)
            self._waiting[account] = mailboxes
        while (next_one := self._next()) is not None:
            Deferred.fromCoroutine(self._look_at(next_one))

    def _next(self) -> str | None:
        """Return an account whose turn it is."""
        if len(self._looked_at) >= MOST_AT_ONCE:
            return None
        return next((one for one in self._waiting if one not in self._looked_at), None)

    async def _look_at(self, account: str | None) -> None:
        """Look at all mailboxes of an account that wait, then at those of others."""
        while account is not None:
            self._looked_at.add(account)
            for mailbox, must_compare in self._waiting.pop(account).items():
                await self._look(account, mailbox, must_compare)
            self._looked_at.discard(account)
            account = self._next()

    async def _look(self, account: str, mailbox: str, must_compare: bool) -> None:
        try:
            await self._catch_up(account, mailbox, must_compare)
        except MailError:
            pass  # gone, or the next change reminds
        except Exception:
            self._journal.failed("background")
