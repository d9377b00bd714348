"""Envelopes: what SMTP says about one message."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender, recipients, and the promises made with them.

    ``id`` is the one name this message has in replies, in trace headers and in the log.
    ``declared_size`` is the octets announced by SIZE (RFC 1870 §3), or 0; ``is_8bit`` is BODY=8BITMIME
    (RFC 6152 §2); ``submitter`` is the account that logged in to send it, or empty.
    What ``is_quarantined`` is put where junk lies, and not sent on.
    """

    id: str
    sender: Address
    recipients: tuple[Address, ...]
    declared_size: int = 0
    is_8bit: bool = False
    submitter: str = ""
    is_quarantined: bool = False
