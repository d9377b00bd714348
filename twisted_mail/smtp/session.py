"""What one conversation knows, and the few things all its commands do with it."""

import random
from enum import Enum

from twisted_mail.interfaces import SmtpContext, Submitter, Wire, read_before
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.backend import SmtpBackend
from twisted_mail.smtp.framing import BadLine, Framer
from twisted_mail.smtp.limits import ClientLimits
from twisted_mail.smtp.settings import Audience, Settings
from twisted_mail.smtp.stream.lf_repair import LfRepairWire, is_in_networks
from twisted_mail.smtp.transaction import Transaction


class Phase(Enum):
    """How far a conversation is (RFC 5321 §4.1.4)."""

    CONNECTED = 1  # no HELO or EHLO yet
    GREETED = 2  # no mail transaction open
    SENDER = 3  # MAIL has been said
    RECIPIENTS = 4  # and RCPT, at least once with success


class SmtpSession:
    """One conversation between two commands.

    Each mail transaction is a ``transaction_type``.
    """

    __slots__ = (
        "backend",
        "client_name",
        "end_reason",
        "filter_context",
        "framer",
        "hello",
        "is_discarding",
        "is_extended",
        "limits",
        "replies_owed",
        "settings",
        "submitter",
        "transaction",
        "transaction_type",
        "wire",
    )

    def __init__(
        self,
        wire: Wire,
        settings: Settings,
        backend: SmtpBackend,
        transaction_type: type[Transaction] = Transaction,
    ) -> None:
        if settings.repairs_lf_from and is_in_networks(wire.peer.host, settings.repairs_lf_from):
            wire = LfRepairWire(wire)
        self.wire = wire
        self.settings = settings
        self.backend = backend
        self.framer = Framer(settings.max_line, settings.max_auth_line)
        self.hello = ""  # what the client calls itself
        self.client_name = ""  # its name in the DNS, as a trusted proxy has found it
        self.is_extended = False  # it said EHLO
        self.transaction_type = transaction_type
        self.transaction: Transaction | None = None
        self.submitter: Submitter | None = None  # who has logged in
        self.limits = ClientLimits(settings)
        self.is_discarding = False  # after a chunk that was refused, up to the last one
        self.replies_owed = 1  # to the last chunk while discarding
        self.filter_context: SmtpContext | None = None  # what filters see, where there are any
        self.end_reason = ""  # why the conversation is over, in one word

    @property
    def phase(self) -> Phase:
        """Return how far the conversation is."""
        if self.transaction is not None:
            return Phase.RECIPIENTS if self.transaction.recipients else Phase.SENDER
        return Phase.GREETED if self.hello else Phase.CONNECTED

    @property
    def submitter_name(self) -> str:
        """Return the name of the account that has logged in, or an empty text."""
        return "" if self.submitter is None else self.submitter.name

    @property
    def lacks_login(self) -> bool:
        """Return whether a login is required and has not been made."""
        return self.submitter is None and self.settings.requires_login

    def is_among(self, audience: Audience) -> bool:
        """Return whether the client is one of those whom a setting names."""
        return audience == "everyone" or (
            audience == "authenticated" and self.submitter is not None
        )

    @property
    def login_refusal(self) -> bytes:
        """Return what is answered where a login is lacking."""
        can_login = self.wire.takes_passwords or not self.wire.may_start_tls
        return replies.LOGIN_NEEDED if can_login else replies.TLS_NEEDED

    def begin_transaction(self, sender: Address, mail_parameters: MailParameters) -> None:
        """Begin a mail transaction."""
        id = make_id(self.backend.clock.now(), random.getrandbits)
        self.transaction = self.transaction_type(id, sender, mail_parameters)
        self.limits.messages += 1
        self.is_discarding = False

    def end_transaction(self) -> None:
        """Forget the mail transaction, if one is open."""
        if self.transaction is not None:
            if self.filter_context is not None:
                self.backend.policy.ended(self.filter_context, is_over=False)
            if self.transaction.incoming_message is not None:
                self.transaction.incoming_message.discard()
        self.transaction = None

    def refuse(self, reply: bytes) -> None:
        """Answer with an error that counts."""
        self.wire.write(reply)
        self.limits.recent.errors += 1

    def refuse_mail(
        self,
        outcome: Outcome,
        with_reply: bool = True,
        sender: Address | None = None,
        recipient: Address | None = None,
    ) -> None:
        """Answer a command of the transaction with a refusal, unless that is done, and log it.

        ``sender`` needs to be named only before there is a transaction.
        """
        if with_reply:
            self.reply(outcome)
        id = ""
        if self.transaction is not None:
            id, sender = self.transaction.id, self.transaction.sender
        words = [f"{outcome.code} {outcome.enhanced} {outcome.text}"]
        if recipient is not None:
            words.insert(0, f"to=<{recipient}>")
        if sender is not None:
            words.insert(0, f"from=<{sender}>")
        self.backend.journal.refused(self.settings.service, self.wire.peer, id, " ".join(words))

    def reply(self, outcome: Outcome) -> None:
        """Answer with an outcome, which counts as an error if it is the client's fault."""
        if outcome.is_success or outcome.is_temporary:
            self.wire.write(replies.encode(outcome))
        else:
            self.refuse(replies.encode(outcome))

    def end_session(self, reply: bytes, reason: str) -> None:
        """Send the last reply; the conversation ends after the present command."""
        self.wire.write(reply)
        self.end_reason = reason

    def forget(self) -> None:
        """Forget all that the client said, as TLS demands (RFC 3207 §4.2)."""
        self.hello = ""
        self.is_extended = False
        self.end_transaction()
        self.logout()

    def logout(self) -> None:
        """End the login, if there is one."""
        submitter, self.submitter = self.submitter, None
        if submitter is not None:
            submitter.logout()

    async def read_line(self, limit: int | None = None) -> bytes | BadLine:
        """Return the next line; ``limit`` is other than for commands. Raises ConversationEnded."""
        line = self.framer.next(limit)
        return await self.await_line(limit) if line is None else line

    async def await_line(self, limit: int | None = None) -> bytes | BadLine:
        """Return the next line, as ``read_line`` does, where it has not come yet."""
        deadline = self.backend.clock.monotonic() + self.settings.command_timeout
        if not self.framer.is_empty:
            self.wire.hold(self.framer.held)
        self.framer.feed(await self.wire.read(self.settings.command_timeout))
        while (line := self.framer.next(limit)) is None:
            self.wire.hold(self.framer.held)
            self.framer.feed(await read_before(deadline, self.wire, self.backend.clock))
        return line
