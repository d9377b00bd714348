"""Which reports senders ask for: DSN (RFC 3461)."""

import re
from typing import get_args

from twisted_mail.mail.envelope import DsnReturn, NotifyEvent
from twisted_mail.mail.mime import xtext
from twisted_mail.smtp.extensions.extension import malformed
from twisted_mail.smtp.session import SmtpSession

MAX_ENVID = 100  # octets, RFC 3461 §4.4
MAX_ORCPT = 500  # octets, RFC 3461 §4.2

_RETURNS: dict[str, DsnReturn] = {"FULL": "FULL", "HDRS": "HDRS"}
_NOTIFY_EVENTS: dict[str, NotifyEvent] = {one: one for one in get_args(NotifyEvent)}
_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")


def read_ret(session: SmtpSession, value: str | None) -> DsnReturn:
    """Return how much of the message a report of failure repeats (RFC 3461 §4.3)."""
    returns = _RETURNS.get((value or "").upper())
    if returns is None:
        malformed("RET is FULL or HDRS")
    return returns


def read_envid(session: SmtpSession, value: str | None) -> str:
    """Return what the sender calls the message, as it came (RFC 3461 §4.4)."""
    if not value or len(value) > MAX_ENVID or not _is_printable_xtext(value):
        malformed(f"ENVID is xtext of up to {MAX_ENVID} characters")
    return value


def read_notify(session: SmtpSession, value: str | None) -> frozenset[NotifyEvent]:
    """Return the events that the sender wants reports of: none for NEVER (RFC 3461 §4.1)."""
    words = (value or "").upper().split(",")
    if words == ["NEVER"]:
        return frozenset()
    happenings = [_NOTIFY_EVENTS.get(word) for word in words]
    if None in happenings:
        malformed("NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY")
    return frozenset(one for one in happenings if one is not None)


def read_orcpt(session: SmtpSession, value: str | None) -> str:
    """Return the address that the sender wrote, with its type, as it came (RFC 3461 §4.2)."""
    kind, _, address = (value or "").partition(";")
    if len((value or "").encode()) > MAX_ORCPT or not _TYPE.fullmatch(kind):
        malformed(f"ORCPT is type;address of up to {MAX_ORCPT} characters")
    if kind.lower() == "utf-8":
        _check_unicode(address)
    elif not _is_printable_xtext(address):
        malformed("ORCPT is type;address in xtext")
    return f"{kind};{address}"


def _check_unicode(address: str) -> None:
    """Refuse what is no address of type utf-8 (RFC 6533 §3)."""
    try:
        xtext.decode_unicode(address)
    except ValueError as error:
        malformed(f"ORCPT is malformed: {error}")


def _is_printable_xtext(text: str) -> bool:
    try:
        plain = xtext.decode(text)
    except ValueError:
        return False
    return plain.isascii() and plain.isprintable()
