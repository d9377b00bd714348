"""Events of connections and messages, for the log."""

from collections.abc import Sequence
from typing import Protocol

from twisted_mail.interfaces.policy import SmtpContext
from twisted_mail.interfaces.wire import Peer, TlsInfo
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.verdict import FilterStage, Verdict


class Journal(Protocol):
    """Takes the events of connections and of a message's life, one method for each."""

    def connected(self, service: str, peer: Peer) -> None:
        """Note that a connection came."""

    def disconnected(self, service: str, peer: Peer, reason: str) -> None:
        """Note that it ended: ``quit``, ``lost``, ``timeout``, ``shutdown``, ``overload``, an error."""

    def logged_in(
        self, service: str, peer: Peer, account: str, mechanism: str, tls_info: TlsInfo | None
    ) -> None:
        """Note a login: by a SASL mechanism, or the command (``USER``) that gave the name."""

    def login_failed(self, service: str, peer: Peer, name: str) -> None:
        """Note a refused login."""

    def received(self, envelope: Envelope, size: int) -> None:
        """Note that we took responsibility for a client's message; comes before ``delivered``."""

    def refused(self, service: str, peer: Peer, id: str, reason: str) -> None:
        """Note that a recipient or a message was refused, with the reply that the peer got."""

    def judged(self, name: str, stage: FilterStage, context: SmtpContext, verdict: Verdict) -> None:
        """Note what a filter decided, if it gave a reason."""

    def delivered(self, id: str, accounts: Sequence[str], mailbox: str) -> None:
        """Note that a message is in a mailbox of each of these accounts."""

    def tried(self, id: str, to: str, result: str, reason: str) -> None:
        """Note the result of an attempt to pass a message to a program or a list, and the reason."""

    def indexed(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long indexing of a mailbox for SEARCH has come, in messages."""

    def rendered(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long rendering of a mailbox's headers has come, in messages."""

    def warned(self, where: str, text: str) -> None:
        """Note something that the administrator should look at, though the server goes on."""

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""
