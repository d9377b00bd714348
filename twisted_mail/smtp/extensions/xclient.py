"""XCLIENT as EHLO offers it: to whom, and with which attributes (Postfix, XCLIENT_README)."""

from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.stream.lf_repair import is_in_networks

NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT")


def is_trusted(session: SmtpSession) -> bool:
    """Return whether whoever sends commands now may speak for others.

    Once an address has been claimed, that is the one that counts: proxies such as nginx hand on what
    their client says, and it could make itself anybody.
    """
    networks = session.settings.xclient_from
    return bool(networks) and is_in_networks(session.wire.peer.host, networks)


def attributes(session: SmtpSession) -> str:
    """Return the attributes that are known, as EHLO names them."""
    return " ".join(NAMES if session.settings.offers_login else (n for n in NAMES if n != "LOGIN"))
