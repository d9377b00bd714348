"""What a command is: what runs it, where it is allowed, and what HELP says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from twisted_mail.smtp import replies
from twisted_mail.smtp.session import Phase, SmtpSession


def _always(_: SmtpSession) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table: what is done, and what is answered where it is out of order.

    ``syntax`` begins with its name, and is what HELP says. ``keyword`` is that of the extension, if any,
    without which it is of no use, and ``is_open`` what else HELP asks before it names the command.
    ``is_junk`` marks commands that bring no mail nearer.
    """

    run: Callable[[SmtpSession, bytes], Awaitable[None]]
    syntax: str
    refused: Mapping[Phase, bytes] = field(default_factory=dict)
    needs_login: bool = False
    is_junk: bool = False
    has_argument: bool = True
    keyword: str = ""
    is_open: Callable[[SmtpSession], bool] = _always

    @property
    def name(self) -> bytes:
        """Return the word by which clients call it."""
        return self.syntax.partition(" ")[0].encode()


OPENS_MAIL = {
    Phase.CONNECTED: replies.HELLO_FIRST,
    Phase.SENDER: replies.MAIL_IS_OPEN,
    Phase.RECIPIENTS: replies.MAIL_IS_OPEN,
}
IN_MAIL = {Phase.CONNECTED: replies.HELLO_FIRST, Phase.GREETED: replies.MAIL_FIRST}
NEEDS_RECIPIENTS = {**IN_MAIL, Phase.SENDER: replies.RECIPIENTS_FIRST}
BETWEEN_MAILS = {Phase.SENDER: replies.MAIL_IS_OPEN, Phase.RECIPIENTS: replies.MAIL_IS_OPEN}
