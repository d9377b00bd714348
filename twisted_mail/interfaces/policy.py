"""May this mail come in: the filters, and what they know of a conversation."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from twisted_mail.interfaces.wire import Peer, TlsInfo
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.message import Message
from twisted_mail.mail.verdict import Edit, FilterStage, Verdict


@dataclass(slots=True)
class SmtpContext:
    """One SMTP conversation as filters see it: read-only, except for ``notes``.

    Each stage adds to what was known before. ``recipients`` are those accepted so far, ``recipient`` is
    the one in question. ``header`` is the message's own, up to a limit, and ``message`` all of it with
    our trace fields in front, both at the last stage only; reading its pieces may block. In ``notes`` a
    filter keeps, under its name, what it needs at a later stage. ``verdicts`` are those given so far that
    decide or add anything, with the names of the filters: the first ``of_client`` are about the client,
    up to ``of_hello`` about its name, and the others about the transaction. ``reverse_name`` is the
    client's host name once a filter has verified that it leads back to the client's address.
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
        """Return the edits of all verdicts so far that accepted the mail."""
        return tuple(edit for _, one in self.verdicts if not one.is_refusal for edit in one.edits)


class Filter(Protocol):
    """Judges whether mail may come in. One object serves all conversations."""

    @property
    def stages(self) -> Collection[FilterStage]:
        """Return the stages at which it judges."""

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Return the verdict. If it raises, the configuration decides instead."""


@runtime_checkable
class StatefulFilter(Protocol):
    """The further method of a ``Filter`` that keeps anything of a conversation until its end.

    Whether a filter has it is checked once, when it is configured.
    """

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Note the end of a transaction, whether or not its message was accepted.

        With ``is_over``, the whole conversation has ended.
        """


class Policy(Protocol):
    """All filters together."""

    def begin(self, service: str, peer: Peer) -> SmtpContext | None:
        """Return the context of a new conversation; None when no filter judges this service."""

    def is_asked(self, stage: FilterStage, context: SmtpContext) -> bool:
        """Return whether any filter judges at a stage."""

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Ask the filters in their order, up to the first refusal; return their verdict.

        A verdict that accepts the mail has the strictest decision of all filters, and all their edits.
        Raises ConversationEnded only, and takes no longer than the filters' time limits.
        """

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Notify the filters that a transaction has ended, or the whole conversation."""
