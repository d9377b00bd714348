"""Where mail goes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import Route, RouteStep


class Router(Protocol):
    """Finds the next hop."""

    async def route(self, recipient: Address) -> Route:
        """Return the route of one recipient, aliases expanded."""

    def version(self) -> object:
        """Return an object that equals an earlier one if no route can have changed in between.

        It means nothing to another router, such as that of another process. Raises Unavailable.
        """

    async def explain(self, recipient: Address) -> tuple[Route, Sequence[RouteStep]]:
        """Return the route, and the steps by which it was found."""


class Queue(Protocol):
    """The one door through which mail enters our responsibility."""

    async def check_quota(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room for a message of so many octets, or None.

        Where some have room, the message is taken for them. Raises Unavailable.
        """

    @property
    def supported_keywords(self) -> Collection[str]:
        """Name what it keeps of ``Envelope.wishes`` and ``notifications``, by keywords of EHLO.

        DSN, FUTURERELEASE, DELIVERBY, MT-PRIORITY, REQUIRETLS: what is not named here is neither offered
        to clients nor asked for. ``TLS-Required`` stands for the header field of RFC 8689 §3. Without
        BINARYMIME, binary messages are converted before they are handed on.
        """

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take responsibility for a message: when this returns, every recipient's copy is durable.

        Recipients are routed as they are now: routes that the envelope knows are used if they still
        hold, so that an account removed since RCPT gets nothing.
        Raises Refused or Unavailable when not, and then responsibility stays with the sender. The
        message's blob is closed in any case. Logs what it has accepted of a client as received, then to
        whom it is delivered.
        """


class Delivery(Protocol):
    """Final delivery, with an answer for each recipient: what LMTP needs (RFC 2033 §4.2)."""

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient for whom it can be done.

        Returns None for each whose copy is durable, else why it is not: then responsibility for that
        recipient stays with the sender. The message's blob is closed in any case. Logs as
        ``Queue.accept`` does.
        """
