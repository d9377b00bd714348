"""MAIL and RCPT, with the parameters that the host offers (RFC 5321 §4.1.1.2, §4.1.1.3)."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.mime import xtext
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.fitting import FittedMessage

MAX_ORCPT = 500  # octets, RFC 3461 §4.2


def mail_command(
    sender: Address, wishes: MailParameters, fitted: FittedMessage, offered: Capabilities
) -> str:
    """Return MAIL: the sender, and of the wishes those that the host has a word for."""
    command = f"MAIL FROM:<{sender.text}>"
    if offered.has_size:
        command += f" SIZE={fitted.size}"
    if fitted.is_8bit and offered.has_8bit:
        command += " BODY=8BITMIME"
    if fitted.is_utf8:
        command += " SMTPUTF8"
    if wishes.requires_tls and "REQUIRETLS" in offered.keywords:
        command += " REQUIRETLS"
    if offered.has_dsn and (wishes.returns or wishes.envid):
        command += f" RET={wishes.returns}" if wishes.returns else ""
        command += f" ENVID={wishes.envid}" if wishes.envid else ""
    return command


def rcpt_command(recipient: OwedRecipient, is_utf8: bool, offered: Capabilities) -> str:
    """Return RCPT, with the reports that the sender asked for (RFC 3461 §5.2.1)."""
    command = f"RCPT TO:<{recipient.address.text}>"
    request = recipient.dsn_request
    if not offered.has_dsn or (request.events is None and not request.original):
        return command
    if request.events is not None:
        command += f" NOTIFY={','.join(sorted(request.events)) or 'NEVER'}"
    original = _original(request, recipient, is_utf8)
    return command + (f" ORCPT={original}" if 0 < len(original.encode()) <= MAX_ORCPT else "")


def _original(request: DsnRequest, recipient: OwedRecipient, is_utf8: bool) -> str:
    """Return ORCPT: as it came, or the address as the sender wrote it (RFC 3461 §4.2, RFC 6533 §3)."""
    if request.original:
        kind, _, text = request.original.partition(";")
        if is_utf8 or text.isascii():
            return request.original
        return f"{kind};{xtext.encode_unicode(xtext.decode_unicode(text))}"
    address = recipient.original or recipient.address
    if address.text.isascii():
        return f"rfc822;{xtext.encode(address.text)}"
    return f"utf-8;{xtext.encode_unicode(address.text)}"
