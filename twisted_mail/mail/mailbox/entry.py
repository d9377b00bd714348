"""Values of a mailbox: entries (messages' places in it), what is rendered of them, counts."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError

UNKNOWN_DATE = -(1 << 62)  # the date of a message that is not measured yet


class Entry(NamedTuple):
    """One message's place in one mailbox.

    ``date`` is the internal date in seconds since 1970 (RFC 3501 §2.3.3); ``size`` is in octets as
    sent on the wire, with CRLF line ends (RFC 3501 §2.3.4); ``modseq`` is RFC 7162 §3.1. Until
    ``Mailbox.measure``, the date may be ``UNKNOWN_DATE`` and the size 0.
    """

    uid: int
    flags: Flags
    modseq: int
    date: int
    size: int


class ItemTier(IntEnum):
    """How far a message is rendered: each tier has what those before it have.

    ``HEADER`` is made of the header alone: the envelope, the header's size and the kept fields.
    ``STRUCTURE`` adds what takes a look at the whole message: body, bodystructure and outline.
    ``PREVIEW`` adds the preview, for which text is decoded; only items of plugins ask for it.
    """

    HEADER = 1
    STRUCTURE = 2
    PREVIEW = 3


class RenderedItems(NamedTuple):
    """What clients ask for of a message, rendered as IMAP writes it.

    ``envelope``, ``body`` and ``bodystructure`` are the parenthesised lists of RFC 3501 §7.4.2;
    ``header_size`` is the octets of the header with the empty line that ends it. ``fields`` are the
    header fields that clients ask for most, unaltered, or None where they are too long to be kept;
    ``preview`` is the text of RFC 8970, in UTF-8; ``outline`` has the positions of the parts (see
    ``imap.fetch.outline``). What is beyond ``tier`` is empty.
    """

    envelope: bytes
    body: bytes
    bodystructure: bytes
    header_size: int
    fields: bytes | None = None
    preview: bytes = b""
    outline: bytes = b""
    tier: ItemTier = ItemTier.PREVIEW


class MessageIdentity(NamedTuple):
    """The id of a message in the whole account, and when it came into its mailbox.

    ``email`` is the EMAILID of RFC 8474 §5.1: the same for all copies in an account. ``saved`` is the
    save date in seconds since 1970 (RFC 8514 §3).
    """

    email: str
    saved: int


class MessageRange(NamedTuple):
    """A range of one message's octets; ``stop`` None means to the end."""

    uid: int
    start: int = 0
    stop: int | None = None


class Contains(NamedTuple):
    """A substring that a message must hold, compared without case (RFC 3501 §6.4.4).

    ``where`` is ``"text"`` (header and body), ``"body"``, or ``"header"`` with the field's ``name``.
    An empty ``needle`` in a header means that the field exists.
    """

    where: str
    needle: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way into a mailbox by APPEND, with its flags and date."""

    message: Message
    flags: Flags = frozenset()
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The target's UIDVALIDITY, and the UIDs of messages here and there, pairwise.

    ``error`` is why a move ended before all were moved.
    """

    uidvalidity: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    error: MailError | None = None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """The counts of one mailbox (RFC 3501 §6.3.10, RFC 7162 §3.1.2, RFC 8438 §2)."""

    messages: int
    recent: int
    unseen: int
    deleted: int
    size: int
    uidnext: int
    uidvalidity: int
    highest_modseq: int
    id: str = ""  # the MAILBOXID of RFC 8474 §4


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    r"""A mailbox as LIST shows it.

    ``name`` is decoded, with ``/`` between levels; ``use`` is the special use (RFC 6154 §2) such as
    ``\Sent``, or empty; a name that only has children is not ``selectable``.
    """

    name: str
    use: str = ""
    is_subscribed: bool = False
    is_selectable: bool = True
