"""Events of connections and messages, for the log."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from twisted_mail.interfaces.policy import SmtpContext
from twisted_mail.interfaces.reports import ReportedRecipient
from twisted_mail.interfaces.wire import Peer, TlsInfo
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.word import Word
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

    def queue_event(self, id: str, event: str, fields: Mapping[str, object]) -> None:
        """Note an event of a message in the queue, with its fields in order; empty ones are left out.

        ``str`` of a value is what the log has of it; the journey has the value itself.
        """

    def warned(self, where: str, text: str) -> None:
        """Note something that the administrator should look at, though the server goes on."""

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""


class QueueJournal(Protocol):
    """Takes the events of mail in the queue, one method for each.

    A recipient is as it is after the event: ``last`` is the attempt that is noted, ``tries`` counts it,
    ``due`` is when the next one is. ``site`` names what was reached, or was to be. An attempt that
    is noted in the database is noted here when that is durable.
    """

    def accepted(self, job: QueuedJob, recipients: Sequence[OwedRecipient]) -> None:
        """Note that we are responsible for a message, and to whom it is owed."""

    def tried(
        self, id: str, destination: Destination, site: str, attempt: Attempt, until: float
    ) -> None:
        """Note that a site could not be reached and rests until then; its mail is not altered.

        ``id`` is the message that was to go first, or empty.
        """

    def delivered(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient is served, with the other side's words."""

    def deferred(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient was refused for now."""

    def failed(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient was refused permanently."""

    def expired(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient was tried for too long; ``last`` is the last attempt, if any."""

    def altered(self, job: QueuedJob, recipient: OwedRecipient, act: str, by: str) -> None:
        """Note what the word of an operator or moderator did to a recipient: ``held``, ``removed`` ..."""

    def expanded(self, job: QueuedJob, recipient: OwedRecipient, new: Sequence[NewJob]) -> None:
        """Note that a list was served in part, and which jobs have come of it."""

    def reported(
        self, report: QueuedJob | None, about: QueuedJob, told: Sequence[ReportedRecipient]
    ) -> None:
        """Note that the sender of a message gets a report about recipients; None: nobody gets one."""

    def word_done(self, word: Word, recipients: int) -> None:
        """Note that the operator's word is done, and how many recipients it altered."""


class DialogueJournal(Protocol):
    """Keeps dialogues with other hosts for some days. Reactor thread only."""

    @property
    def keeps_all(self) -> bool:
        """Return whether those of successes are kept, too."""

    def keep(self, dialogue: Dialogue) -> None:
        """Keep a dialogue, to which attempts refer by its id; it may be lost, and nobody waits for it."""
