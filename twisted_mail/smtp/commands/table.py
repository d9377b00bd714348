"""The commands of SMTP, and where each is allowed.

| Command | not yet greeted | no transaction | after MAIL | after RCPT |
| --- | --- | --- | --- | --- |
| HELO, EHLO, RSET, NOOP, QUIT, VRFY, EXPN, HELP | yes | yes | yes | yes |
| MAIL, AUTH | 503 | yes | 503 | 503 |
| RCPT | 503 | 503 | yes | yes |
| DATA | 503 | 503 | 554 | yes |
| BDAT | 503 | 503 | 554 | yes, and RCPT, DATA no more: 503 |
| STARTTLS, XCLIENT | yes | yes | 503 | 503 |

(RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4; for BDAT see ``bdat``.) Where a login is required and
lacking, a command that ``needs_login`` is answered with 530 before anything else. Each file ends with
its rows.
"""

from collections.abc import Iterable, Mapping

from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.commands import (
    always,
    auth,
    bdat,
    data,
    hello,
    help,
    mail,
    rcpt,
    starttls,
    vrfy,
    xclient,
)


def make_table(*families: Iterable[Command]) -> Mapping[bytes, Command]:
    """Return commands by their names; HELP explains those of this table."""
    commands = {one.name: one for family in families for one in family}
    commands[b"HELP"] = help.help_command(commands)
    return commands


FAMILIES = (
    mail.COMMANDS,
    rcpt.COMMANDS,
    bdat.COMMANDS,
    data.COMMANDS,
    always.COMMANDS,
    vrfy.COMMANDS,
    help.COMMANDS,
    starttls.COMMANDS,
    xclient.COMMANDS,
    auth.COMMANDS,
)

COMMANDS = make_table(hello.COMMANDS, *FAMILIES)
