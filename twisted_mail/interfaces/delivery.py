"""Where mail goes: routes, the queue, and final delivery."""

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
        """Return a value that is equal to an earlier one if no route can have changed in between.

        Only values of the same router, in the same process, can be compared. Raises Unavailable.
        """

    async def explain(self, recipient: Address) -> tuple[Route, Sequence[RouteStep]]:
        """Return the route, and the steps by which it was found."""


class DomainCheck(Protocol):
    """Finds out whether mail for a domain that is not ours can be sent at all."""

    async def refusal(self, domain: str, asker: str) -> Outcome | None:
        """Return why mail for a domain can never be sent, or None.

        The domain does not exist, or takes no mail. Where the DNS is slow or broken, nothing is known,
        and it returns None. ``asker`` has its share of the questions, as in ``Resolver.asked_by``.
        """


class Queue(Protocol):
    """The one door through which we take responsibility for mail."""

    async def check_quota(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room for a message of ``size`` octets, or None.

        Where some have room, the message is taken for them. Raises Unavailable.
        """

    @property
    def supported_keywords(self) -> Collection[str]:
        """Return the EHLO keywords of what it keeps of ``mail_parameters`` and ``dsn_requests``.

        DSN, FUTURERELEASE, DELIVERBY, MT-PRIORITY, REQUIRETLS: what is not among them is neither offered
        to clients nor accepted. ``TLS-Required`` stands for the header field of RFC 8689 §3. Without
        BINARYMIME, binary messages are converted before they are accepted.
        """

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take responsibility for a message: on return every recipient's copy is durable.

        Recipients are routed as of now: routes in the envelope are used if they still hold, so that an
        account removed since RCPT gets nothing. If this raises Refused or Unavailable, responsibility
        stays with the sender. The message's blob is closed in any case. A message from a client is
        logged as received, and then as delivered.
        """


class Delivery(Protocol):
    """Final delivery, with an answer for each recipient: what LMTP needs (RFC 2033 §4.2)."""

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient that can be delivered to.

        Returns None for each whose copy is durable, else why it is not: then responsibility for that
        recipient stays with the sender. The message's blob is closed in any case. Logs as
        ``Queue.accept`` does.
        """
