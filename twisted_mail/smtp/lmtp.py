"""LMTP (RFC 2033): SMTP for final delivery, from a mail server to the mail store on its host.

| | SMTP | LMTP |
| --- | --- | --- |
| greeting of the client | EHLO, HELO | LHLO |
| DATA without recipients | 554 | 503 |
| reply to a message | one | one for each RCPT that was accepted, in their order |
| recipients | here, and elsewhere for those who log in | here |

The one reply of SMTP is a promise for all recipients; here each is for itself, so that the other
server knows for which of them to try again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.lmtp_replies import LmtpTransaction
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.commands import hello
from twisted_mail.smtp.commands.table import FAMILIES, make_table
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.session import Phase
from twisted_mail.smtp.transaction import Transaction


def _adapted(commands: Iterable[Command]) -> list[Command]:
    """Return commands of SMTP as they are here: another greeting is missed before them."""
    return [
        replace(one, refused={**one.refused, **_refused(one)})
        if Phase.CONNECTED in one.refused
        else one
        for one in commands
    ]


def _refused(command: Command) -> Mapping[Phase, bytes]:
    if command.name == b"DATA":
        return {Phase.CONNECTED: replies.LHLO_FIRST, Phase.SENDER: replies.NO_RECIPIENTS}
    return {Phase.CONNECTED: replies.LHLO_FIRST}


LMTP_COMMANDS = make_table((hello.LHLO,), *map(_adapted, FAMILIES))


class LmtpLoop(SmtpLoop):
    """Fulfils ``interfaces.Session`` for LMTP."""

    __slots__ = ()

    commands: ClassVar[Mapping[bytes, Command]] = LMTP_COMMANDS
    transaction_type: ClassVar[type[Transaction]] = LmtpTransaction
