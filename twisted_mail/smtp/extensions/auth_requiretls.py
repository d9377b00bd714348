"""Whom to believe, and over which line: AUTH (RFC 4954), REQUIRETLS (RFC 8689)."""

from dataclasses import replace

from twisted_mail.interfaces import Mechanism, usable_mechanisms
from twisted_mail.mail import address
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.mime import xtext
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp.extensions.extension import malformed
from twisted_mail.smtp.session import SmtpSession


def offered_mechanisms(session: SmtpSession) -> list[Mechanism]:
    """Return the mechanisms that may be used on the line as it is now."""
    if not session.settings.offers_login:
        return []
    return usable_mechanisms(session.backend.mechanisms, session.wire.takes_passwords)


def read_originator(session: SmtpSession, value: str | None) -> Address:
    """Return who is said to have submitted the message first; null for unknown."""
    try:
        text = xtext.decode(value or "")
    except ValueError:
        malformed("AUTH is an address in xtext, or <>")
    if text == "<>":
        return NULL
    try:
        return address.parse(text)
    except ValueError as error:
        malformed(f"Malformed address: {error}")


async def without_untrusted_originator(
    session: SmtpSession, mail_parameters: MailParameters
) -> MailParameters:
    """Return the parameters without an originator that this client may not speak for."""
    submitter = session.submitter
    if submitter is not None and await submitter.may_send_as(mail_parameters.originator):
        return mail_parameters
    return replace(mail_parameters, originator=NULL)


def offers_requiretls(session: SmtpSession) -> bool:
    """Return whether REQUIRETLS is offered: under TLS alone (RFC 8689 §2)."""
    return (
        session.wire.tls_info is not None
        and "REQUIRETLS" in session.backend.queue.supported_keywords
    )


def requiretls_refusal(session: SmtpSession) -> Outcome:
    """Return why REQUIRETLS is not taken here and now (RFC 8689 §4.2.1)."""
    if session.wire.tls_info is None:
        return Outcome(530, "5.7.10", "REQUIRETLS is for connections under TLS")
    return Outcome(550, "5.7.30", "REQUIRETLS support required")
