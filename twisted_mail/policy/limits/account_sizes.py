"""Limits on the size and the recipients of a message, by the account that sends or receives it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twisted_mail.interfaces import Router, SmtpContext
from twisted_mail.mail.address import canonical_name, parse_domain
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import LocalRoute
from twisted_mail.mail.verdict import ACCEPT, FilterStage, Verdict, refuse


@dataclass(frozen=True, slots=True)
class AccountLimit:
    """Limits for an account, for those of a domain (``@example.org``), or for all (``*``).

    ``size`` is in octets, 0: any. ``recipients`` is how many a message may have that the account sends.
    """

    account: str = "*"
    sends: int = 0
    gets: int = 0
    recipients: int = 0

    def is_for(self, name: str) -> bool:
        """Return whether these limits are for an account."""
        if self.account == "*":
            return True
        wanted, own = _canonical(self.account), _canonical(name)
        return own == wanted or (wanted.startswith("@") and own.endswith(wanted))


@dataclass(frozen=True, slots=True)
class AccountLimitSettings:
    """Options of the kind ``account-limits``: the first limits for an account apply to it."""

    limits: tuple[AccountLimit, ...] = ()

    def limit(self, name: str) -> AccountLimit:
        """Return the limits for an account."""
        return next((one for one in self.limits if one.is_for(name)), AccountLimit())


class AccountLimits:
    """Fulfils ``interfaces.Filter``.

    By the size that the client declares, a message is refused before it comes, and for that recipient
    only; the size of the message itself is checked as well.
    """

    stages: Collection[FilterStage] = (
        FilterStage.SENDER,
        FilterStage.RECIPIENT,
        FilterStage.MESSAGE,
    )

    def __init__(self, settings: AccountLimitSettings, router: Router) -> None:
        self._settings = settings
        self._router = router
        self._note = f"account-limits {id(self)}"

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Compare with what the accounts may send and receive."""
        own = self._settings.limit(context.submitter) if context.submitter else AccountLimit()
        if stage is FilterStage.SENDER:
            context.notes.pop(self._note, None)
            return _sent(context.declared_size, own)
        if stage is FilterStage.RECIPIENT:
            if 0 < own.recipients <= len(context.recipients):
                return _too_many(own)
            return await self._judge_recipient(context)
        size = context.message.blob.size if context.message is not None else 0
        most = context.notes.get(self._note, 0)
        return (
            refuse(f"larger than {most} octets", _TOO_LARGE)
            if 0 < most < size
            else _sent(size, own)
        )

    async def _judge_recipient(self, context: SmtpContext) -> Verdict:
        """Keep the smallest limit of all recipients, in case the message is larger than declared."""
        limits = [self._settings.limit(name).gets for name in await self._accounts(context)]
        most = min(_nonzero(limits), default=0)
        if 0 < most < context.declared_size:
            return refuse(f"larger than {most} octets", _TOO_LARGE)
        if most:
            context.notes[self._note] = min(_nonzero([most, context.notes.get(self._note, 0)]))
        return ACCEPT

    async def _accounts(self, context: SmtpContext) -> Sequence[str]:
        if context.recipient is None or not any(one.gets for one in self._settings.limits):
            return ()
        route = await self._router.route(context.recipient)
        return route.accounts if isinstance(route, LocalRoute) else ()


# Settings and accounts have few names: each is read once, and not for every message.
@lru_cache(maxsize=4096)
def _canonical(name: str) -> str:
    """Return the canonical spelling of an account, or of ``@`` and a domain."""
    if not name.startswith("@"):
        return canonical_name(name)
    try:
        return f"@{parse_domain(name[1:])}"
    except ValueError:
        return name.lower()


_TOO_LARGE = Outcome(552, "5.2.3", "The message is larger than the recipient takes")


def _nonzero(limits: Sequence[int]) -> Iterator[int]:
    return (one for one in limits if one > 0)


def _sent(size: int, own: AccountLimit) -> Verdict:
    if 0 < own.sends < size:
        text = f"You may send messages of {own.sends} octets"
        return refuse(f"larger than {own.sends} octets", Outcome(552, "5.3.4", text))
    return ACCEPT


def _too_many(own: AccountLimit) -> Verdict:
    text = f"You may send a message to {own.recipients} recipients"
    return refuse(f"more than {own.recipients} recipients", Outcome(550, "5.5.3", text))
