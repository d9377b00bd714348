"""Posts that wait for a moderator: the notice of each, the decisions, and the end of their time.

A held post is a held recipient of a job (see ``docs/queue.md``); ``notices`` is 1 once the owners of its
list were asked about it.
"""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.interfaces import HeldRecipient, SpoolChange
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.moderation import ListModeration, PostDecision
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.destination import LIST
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState, undeliverable

RETRY_SECONDS = 3600.0  # between two attempts to ask the owners about one post
_DAY = 86_400.0


class HeldPosts:
    """Goes through the held posts now and then.

    One is held for ``held_days`` before it is removed, or kept as undeliverable for ``dead_seconds`` if
    no owner could ever be asked.
    """

    def __init__(
        self, backend: ListBackend, moderation: ListModeration, dead_seconds: float = 30 * _DAY
    ) -> None:
        self._spool = backend.spool
        self._clock = backend.clock
        self._journal = backend.journal
        self._moderation = moderation
        self._max_seconds = backend.settings.held_days * _DAY
        self._dead_seconds = dead_seconds
        self._asked_at: dict[tuple[str, int], float] = {}  # by job and number, where it failed

    async def work(self) -> None:
        """Ask owners about new posts, and remove what nobody decided on. Raises Unavailable."""
        page = await self._spool.held(LIST)
        keys = await self._look_at(page.found)
        while page.after is not None:
            page = await self._spool.held(LIST, page.after)
            keys |= await self._look_at(page.found)
        self._asked_at = {key: at for key, at in self._asked_at.items() if key in keys}

    async def _look_at(self, found: Sequence[HeldRecipient]) -> set[tuple[str, int]]:
        """Do what is to be done about some; return those that wait for moderators."""
        held = [one for one in found if one.recipient.waits_for_moderators]
        for one in held:
            if one.job.arrived < self._clock.now() - self._max_seconds:
                await self._expire(one)
            elif not one.recipient.notices:
                await self._ask(one)
        return set(map(_key, held))

    async def _ask(self, held: HeldRecipient) -> None:
        """Ask the owners about a post. One that they cannot be asked about holds up no other."""
        now = self._clock.now()
        if now - self._asked_at.get(_key(held), -RETRY_SECONDS) < RETRY_SECONDS:
            return
        self._asked_at[_key(held)] = now
        try:
            await self._notify(held)
        except MailError as error:
            self._log(held, "later", error.outcome.text)
        except Exception:
            self._journal.failed("held posts")

    async def _notify(self, held: HeldRecipient) -> None:
        loaded = await self._spool.read(held.job.id)
        if loaded is None:
            return
        try:
            await self._moderation.notify_moderators(held, loaded.message.blob)
        finally:
            loaded.message.blob.close()
        told = replace(held.recipient, notices=1)
        await self._spool.apply(_altered(held, told))

    async def _expire(self, held: HeldRecipient) -> None:
        if held.recipient.notices:
            provided = [(held.job.id, held.recipient)]
            await self._spool.apply(SpoolChange(gone=[_key(held)], provided=provided))
            self._log(held, "expired", held.recipient.reason)
            return
        reason = f"no owner could be asked about it: {held.recipient.reason}"
        lost = replace(held.recipient, reason=reason, last=None)
        kept = undeliverable(lost, self._clock.now() + self._dead_seconds)
        await self._spool.apply(_altered(held, kept))
        self._log(held, "dead", reason)

    async def decide(self, name: str, id: str, decision: PostDecision) -> None:
        """Carry out a decision about a post to a list, durably. Raises Unavailable.

        What is not held, or not there, is passed over.
        """
        for one in await self._posts(name, id):
            if decision is PostDecision.REJECT:
                change = SpoolChange(gone=[(id, one.number)])
            else:
                change = SpoolChange(altered=[(id, released(one))])
            await self._spool.apply(change)
            self._journal.tried(id, name, decision.value, "")

    async def _posts(self, name: str, id: str) -> Sequence[OwedRecipient]:
        loaded = await self._spool.read(id)
        if loaded is None:
            return []
        loaded.message.blob.close()
        held = [one for one in loaded.recipients if one.waits_for_moderators]
        return [one for one in held if one.destination.name == name]

    def _log(self, held: HeldRecipient, result: str, reason: str) -> None:
        self._journal.tried(held.job.id, held.recipient.destination.name, result, reason)


def released(recipient: OwedRecipient) -> OwedRecipient:
    """Return a held post as it goes out to the members."""
    return replace(recipient, state=RecipientState.WAITING, due=0.0, notices=0, reason="")


def _altered(held: HeldRecipient, recipient: OwedRecipient) -> SpoolChange:
    """Return the change of a post, which is made unless it was decided on meanwhile."""
    id = held.job.id
    return SpoolChange(altered=[(id, recipient)], provided=[(id, held.recipient)])


def _key(held: HeldRecipient) -> tuple[str, int]:
    return held.job.id, held.recipient.number
