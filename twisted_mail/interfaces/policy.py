"""May this come in: filters, and what they are told."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted_mail.interfaces.wire import Peer, TlsInfo
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.message import Message
from twisted_mail.mail.verdict import Edit, FilterStage, Verdict


@dataclass(slots=True)
class SmtpContext:
    """One SMTP conversation as filters see it: to read, but for ``notes``.

    Grows with the stages: at each, what came before is there. ``recipients`` are those taken so far,
    ``recipient`` is the one asked about. ``header`` is the message's own, up to a bound, and
    ``message`` the whole with our trace fields in front, both at the last stage only; reading its pieces
    may block. In ``notes`` a filter keeps, under its name, what it wants to find again at a later
    stage. ``verdicts`` are those given so far that say anything, with the names of the filters: the first
    ``of_client`` of the client, up to ``of_hello`` of its name, and the others of the transaction.
    ``reverse_name`` is set by the filter that has found it to lead back to the client's address.
    """

    service: str
    peer: Peer
    hello: str = ""
    tls_info: TlsInfo | None = None
    submitter: str = ""
    id: str = ""
    sender: Address = NULL
    declared_size: int = 0
    recipients: Collection[Address] = ()
    recipient: Address | None = None
    header: bytes = b""
    message: Message | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    of_client: int = 0
    of_hello: int = 0
    reverse_name: str = ""

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Return all that is to be edited by the verdicts that took the mail so far."""
        return tuple(edit for _, one in self.verdicts if not one.is_refusal for edit in one.edits)


class Filter(Protocol):
    """One who judges whether mail may come in. One object serves all conversations.

    One that keeps something of a conversation may have a method ``ended(visit, is_over)``: a
    transaction has ended, whether its message was taken or not, or all of the conversation is over.
    """

    @property
    def stages(self) -> Collection[FilterStage]:
        """Say at which stages it wants to be asked."""

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Return the verdict. Whatever it raises, the configuration says what is done then."""


class Policy(Protocol):
    """All filters together."""

    def begin(self, service: str, peer: Peer) -> SmtpContext | None:
        """Return the visit of a new conversation; None when nobody is asked about this service."""

    def is_asked(self, stage: FilterStage, context: SmtpContext) -> bool:
        """Say whether any filter is asked at a stage."""

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Ask the filters in their order, up to the first refusal; return their verdict.

        A verdict that takes the mail has the edits and the strictest decision of all. Never raises
        but Ending, and takes no longer than the filters' time limits.
        """

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Tell the filters that a transaction has ended, or that all of the conversation is over."""
