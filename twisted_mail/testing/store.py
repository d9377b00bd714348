"""A store that keeps what is delivered, and fails where it should."""

from collections.abc import Mapping, Sequence

from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError


class RecordingStore:
    """Takes messages for any account. Has of ``interfaces.Store`` what delivery needs.

    ``failures`` are the accounts that get no copy, and why; ``error`` is why nobody gets one;
    ``exception`` is raised. ``mailboxes`` are those that accounts have besides INBOX, by account.
    ``deliveries`` has the names and the octets of each delivery, ``copies`` those that each account got,
    ``filed`` the accounts and mailboxes of what did not go to INBOX.
    """

    def __init__(self, failures: Mapping[str, MailError] | None = None) -> None:
        self.failures = dict(failures or {})
        self.error: MailError | None = None
        self.exception: Exception | None = None
        self.deliveries: list[tuple[Sequence[str], bytes]] = []
        self.copies: dict[str, list[bytes]] = {}
        self.mailboxes: dict[str, list[str]] = {}
        self.filed: list[tuple[str, str]] = []

    @property
    def delivered(self) -> list[str]:
        """Return the accounts that got a copy, once for each."""
        return [name for name, copies in self.copies.items() for _ in copies]

    async def detail_mailboxes(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return the details that are mailboxes, by account."""
        return {name: one for name, one in details.items() if one in self.mailboxes.get(name, ())}

    async def deliver(
        self, names: Sequence[str], message: Message, mailboxes: Mapping[str, str] | None = None
    ) -> Mapping[str, MailError | None]:
        """Keep a message; return why an account did not get it, or None, for each."""
        data = b"".join(message.pieces())
        if self.exception is not None:
            raise self.exception
        self.deliveries.append((names, data))
        answers = await self.check_quota(names, len(data))
        for name in names:
            if answers[name] is None:
                self.copies.setdefault(name, []).append(data)
                if mailboxes and name in mailboxes:
                    self.filed.append((name, mailboxes[name]))
        return answers

    async def check_quota(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return why an account would get no copy, or None, for each."""
        return {name: self.error or self.failures.get(name) for name in names}
