"""Fields that only this server writes: what comes in with their names does not pass for ours.

People and programs sort mail by them, so a sender could say that a filter was content, for whom the mail
was, or that we have checked a signature. ``Return-Path`` is written at final delivery alone (RFC 5321
§4.4), and ``Authentication-Results`` is believed by the name of who wrote it (RFC 8601 §5).
"""

import re

from twisted_mail.mail import address
from twisted_mail.mail.message import Message
from twisted_mail.mail.mime import header
from twisted_mail.smtp.arrival import changed_fields, edits, trace
from twisted_mail.smtp.arrival.arrival import Arrival

_ALWAYS = frozenset((edits.FIELD.lower().encode(), b"return-path"))
_RENAMED = frozenset((b"delivered-to", b"x-original-to"))
_BY_VALUE = frozenset((b"authentication-results", *_RENAMED))
_OLD = b"Old-"
NAMES = _ALWAYS | _BY_VALUE
_FIELD = re.compile(
    rb"^(" + b"|".join(NAMES) + rb")[ \t]*+:([^\n]*+(?>(?:\n[ \t][^\n]*+)*))\n?",
    re.IGNORECASE | re.MULTILINE,
)
_AUTHSERV_ID = re.compile(rb'(?>(?:\s|\((?>(?:[^()\\]|\\.)*)\))*)"?([^\s;"()]++)')


async def remove_own_fields(arrival: Arrival) -> None:
    """Take the fields that could pass for ours out of the message. Raises Unavailable.

    Delivered-To is renamed: by it the queue finds what a program has sent to its own address again. So is
    X-Original-To, which says the same. Another server of this host, which delivers by LMTP, may say for
    whom a copy is and what it checked.
    """
    head = arrival.header
    if trace.separator(head):
        return
    changes = [
        (*found.span(), _OLD + found[0] if found[1].lower() in _RENAMED else b"")
        for found in _FIELD.finditer(head)
        if found[1].lower() in _ALWAYS or await _is_ours(arrival, found[1].lower(), found[2])
    ]
    if changes:
        arrival.header, blob = changed_fields.changed(head, arrival.message.blob, changes)
        arrival.message = Message(blob, arrival.message.prefix)


async def _is_ours(arrival: Arrival, name: bytes, value: bytes) -> bool:
    """Return whether a field names this server or one of its domains, or cannot be read."""
    backend, settings = arrival.session.backend, arrival.session.settings
    if settings.protocol == "LMTP":
        return False
    await arrival.session.wire.yield_to_others()  # there may be thousands
    try:
        domain = _server(value) if name == b"authentication-results" else _recipient_domain(value)
    except ValueError:
        return True
    return domain == backend.hostname.lower() or await backend.directory.is_ours(domain)


def _server(value: bytes) -> str:
    """Return who wrote the results (``authserv-id``, RFC 8601 §2.2). Raises ValueError."""
    found = _AUTHSERV_ID.match(value)
    if found is None:
        raise ValueError("there is no name")
    return address.parse_domain(found[1].decode())


def _recipient_domain(value: bytes) -> str:
    """Return the domain of the address in a field. Raises ValueError."""
    return address.parse(
        header.unfolded(value).removeprefix(b"<").removesuffix(b">").decode()
    ).domain
