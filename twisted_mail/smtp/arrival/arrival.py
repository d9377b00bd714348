"""A message at its end, as the steps of its arrival see it."""

from dataclasses import dataclass

from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Verdict
from twisted_mail.smtp.arrival.incoming_message import FieldNames, IncomingMessage
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.transaction import Transaction

NO_MESSAGE = Message(MemoryBlob(b""))
NO_FIELDS = FieldNames(b"")


@dataclass(slots=True)
class Arrival:
    """What is known of a message between its last octet and the reply; each step adds to it.

    ``session`` and ``transaction`` are what the client said; ``peer`` is the client, ``tls_info`` its
    connection's TLS. ``message`` is there once it is spooled, and ``header``, the message's own, as far
    as ``incoming_message`` looks at it; the arrival owns the blob, and whoever takes it over puts
    ``NO_MESSAGE`` in its place. ``names`` says where the fields of the header are, as it was before this
    step. ``verdict`` is what the filters decided. A step that sets ``outcome`` ends the arrival: it is
    what the client is answered.
    """

    session: SmtpSession
    transaction: Transaction
    incoming: IncomingMessage
    peer: Peer
    tls_info: TlsInfo | None
    envelope: Envelope
    header: bytes = NO_FIELDS.header
    names: FieldNames = NO_FIELDS
    message: Message = NO_MESSAGE
    verdict: Verdict = ACCEPT
    outcome: Outcome | None = None
