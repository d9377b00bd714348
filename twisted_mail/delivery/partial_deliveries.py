"""Which accounts have a message that its sender keeps, and will send again.

When one of several accounts cannot take a message for now, the sender is asked to try again later, and
does so for days. The accounts that have it are remembered for a day, so that no retry gives them
another copy. Only such failures are remembered: a message that everybody has is forgotten, and comes
again when it is sent again.

A retry is known by its sender and its octets as they came, Message-ID included, whatever that is: what
differs in one octet is another message. Trace fields of ours are not among them.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import ParamSpec, TypeVar

from twisted_mail.delivery.partial_folder import PartialDelivery, PartialFolder
from twisted_mail.interfaces import Blocking, Clock, FaultReport, unreported
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import MailError

P = ParamSpec("P")
T = TypeVar("T")

KEPT_SECONDS = 86_400.0
MAX_MESSAGES = 10_000
MAX_ACCOUNTS = 500_000  # of all these messages together, about 60 octets each
REFRESH_SECONDS = 5.0  # how often the folder is looked at

NOBODY: frozenset[str] = frozenset()


class PartialDeliveries:
    """The partial deliveries of the last day, in memory and, so that they outlive it, in a folder.

    Without ``folder`` they are in memory alone. Several processes may share a folder: each learns of
    what others wrote by ``refresh``. Nothing here fails: what cannot be remembered or read costs some
    account a second copy, and is reported. ``known`` are those remembered now, by message.
    """

    def __init__(
        self,
        clock: Clock,
        blocking: Blocking | None = None,
        folder: PartialFolder | None = None,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._clock = clock
        self._blocking = blocking
        self._folder = folder
        self._report_fault = report_fault
        self.known: OrderedDict[str, PartialDelivery] = OrderedDict()  # by message
        self._outlines: Counter[str] = Counter()  # of those messages
        self._accounts = 0  # of all of them

    def __len__(self) -> int:
        """Return how many messages are remembered."""
        return len(self.known)

    async def served(self, envelope: Envelope, blob: Blob) -> frozenset[str]:
        """Return the accounts that have this message already, and are not to get it again."""
        # Next to no message resembles a remembered one, so next to none has to be read for this.
        if _outline(envelope, blob) not in self._outlines:
            return NOBODY
        return self._current(await self._key(envelope, blob)).accounts

    async def settle(
        self,
        envelope: Envelope,
        blob: Blob,
        done: Collection[str],
        retried: Collection[str],
    ) -> None:
        """Note the end of an attempt: ``done`` have it, and the sender will try ``retried`` again.

        Those of ``done`` that are not tried again are forgotten.
        """
        kept = frozenset(done) & frozenset(retried)
        if not kept and _outline(envelope, blob) not in self._outlines:
            return
        key = await self._key(envelope, blob)
        if key:
            await self._change(key, kept, frozenset(done) - kept)

    async def _change(self, key: str, kept: frozenset[str], over: frozenset[str]) -> None:
        old = self._current(key)
        accounts = (old.accounts | kept) - over
        if accounts == old.accounts:
            return
        new = replace(old, accounts=accounts, until=self._clock.now() + KEPT_SECONDS)
        self._take(key, new)
        if self._folder is None:
            pass
        elif not accounts:
            await self._run(self._folder.remove, old.names)
        elif written := await self._run(self._folder.write, key, new):
            self._take(key, written)
        await self._bound()

    async def refresh(self) -> None:
        """Learn what other processes wrote and removed, and forget what is over."""
        for key in [key for key, one in self.known.items() if one.until <= self._clock.now()]:
            await self._drop(key)
        if self._folder is None:
            return
        before = dict(self.known)
        there = await self._run(self._folder.names)
        if there is None:
            return
        for key, names in there.items():
            if key not in before or before[key].names != names:
                await self._learn(key, names)
        for key, known in before.items():
            if known.names and key not in there and self.known.get(key) is known:
                self._take(key, replace(known, accounts=NOBODY))
        await self._bound()

    async def _learn(self, key: str, names: frozenset[str]) -> None:
        assert self._folder is not None
        found = await self._run(self._folder.read, names)
        if found is None:
            return
        if found.until <= self._clock.now() or not found.accounts:
            await self._run(self._folder.remove, names)
        else:
            self._take(key, found)

    async def _bound(self) -> None:
        """Forget the oldest of too many."""
        while self.known and (len(self.known) > MAX_MESSAGES or self._accounts > MAX_ACCOUNTS):
            await self._drop(next(iter(self.known)))

    async def _drop(self, key: str) -> None:
        old = self.known[key]
        self._take(key, replace(old, accounts=NOBODY))
        if self._folder is not None and old.names:
            await self._run(self._folder.remove, old.names)

    # ------------------------------------------------------------ memory

    def _current(self, key: str) -> PartialDelivery:
        known = self.known.get(key, _NONE)
        return known if known.until > self._clock.now() else replace(known, accounts=NOBODY)

    def _take(self, key: str, partial: PartialDelivery) -> None:
        """Put a partial delivery in the place of what is known; without accounts, nothing."""
        outline = key.partition("-")[0]
        old = self.known.pop(key, None)
        if old is not None:
            self._accounts -= len(old.accounts)
            self._outlines[outline] -= 1
        if partial.accounts:
            self.known[key] = partial
            self._accounts += len(partial.accounts)
            self._outlines[outline] += 1
        if self._outlines[outline] <= 0:
            del self._outlines[outline]

    # ------------------------------------------------------------ threads

    async def _key(self, envelope: Envelope, blob: Blob) -> str:
        digest = await self._run(_digest, blob)
        return f"{_outline(envelope, blob)}-{digest}" if digest else ""

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do blocking work; None where it fails, which is reported."""
        try:
            if self._blocking is None:
                return work(*args, **kwargs)
            return await self._blocking.run(work, *args, **kwargs)
        except (OSError, MailError) as error:
            where = self._folder.path if self._folder is not None else "partial deliveries"
            self._report_fault(where, error)
            return None


_NONE = PartialDelivery(NOBODY, 0.0)


def _outline(envelope: Envelope, blob: Blob) -> str:
    """Return what is known of a message without reading it: its sender and size."""
    text = f"{blob.size} {envelope.sender.text}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _digest(blob: Blob) -> str:
    found = hashlib.sha256()
    for piece in blob.pieces():
        found.update(piece)
    return found.hexdigest()
