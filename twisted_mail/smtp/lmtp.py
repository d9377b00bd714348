"""LMTP (RFC 2033): SMTP for final delivery, from a mail server to the mail store beside it.

| | SMTP | LMTP |
| --- | --- | --- |
| greeting of the client | EHLO, HELO | LHLO |
| DATA without recipients | 554 | 503 |
| reply to a message | one | one for each RCPT that was taken, in their order |
| recipients | here, and elsewhere for those who log in | here |

The one reply of SMTP is a promise for all recipients; here each stands for itself, so that the other
server knows to whom it has to try again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from twisted_mail.smtp import replies
from twisted_mail.smtp.commands.table import COMMANDS, Command, ehlo, write_help
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.session import Phase, SmtpSession


async def help(session: SmtpSession, argument: bytes) -> None:
    """Answer HELP with the commands that are here."""
    write_help(session, argument, LMTP_COMMANDS)


def _adapted(command: Command) -> Command:
    """Return a command of SMTP as it is here: another greeting is missed before it."""
    if Phase.CONNECTED not in command.refused:
        return command
    return replace(command, refused={**command.refused, Phase.CONNECTED: replies.LHLO_FIRST})


_DATA = _adapted(COMMANDS[b"DATA"])

LMTP_COMMANDS: Mapping[bytes, Command] = {
    b"LHLO": Command(ehlo, "LHLO hostname", is_junk=True),
    **{
        verb: _adapted(command)
        for verb, command in COMMANDS.items()
        if verb not in (b"EHLO", b"HELO")
    },
    b"DATA": replace(_DATA, refused={**_DATA.refused, Phase.SENDER: replies.NO_RECIPIENTS}),
    b"HELP": Command(help, "HELP [command or extension]", is_junk=True),
}


class LmtpSession(SmtpLoop):
    """Fulfils ``interfaces.Session`` for LMTP."""

    __slots__ = ()

    commands: ClassVar[Mapping[bytes, Command]] = LMTP_COMMANDS
