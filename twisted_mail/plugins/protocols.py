"""The protocols that come with the server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.plugin import IPlugin
from zope.interface import implementer

from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.loop import ImapBackend, ImapLoop
from twisted_mail.imap.settings import Settings as ImapSettings
from twisted_mail.interfaces import Session, Wire
from twisted_mail.plugin import (
    BuiltinMailProtocol,
    BuiltinProtocol,
    IProtocol,
    ServerBackend,
    imap_extensions,
    pick_doors,
)
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.loop import Pop3Loop
from twisted_mail.pop3.settings import Settings as Pop3Settings
from twisted_mail.smtp.arrival.steps import lmtp_steps, smtp_steps
from twisted_mail.smtp.backend import SmtpBackend
from twisted_mail.smtp.lmtp import LmtpLoop
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.settings import LmtpSettings, SubmissionSettings
from twisted_mail.smtp.settings import Settings as SmtpSettings


@implementer(IPlugin, IProtocol)
@dataclass(frozen=True)
class ImapProtocol:
    """IMAP, with the extensions that plugins bring."""

    name: str
    help: str
    busy: bytes
    settings: type = ImapSettings
    is_spread: bool = True

    def make(self, settings: Any, backend: ServerBackend) -> Callable[[Wire], Session]:
        """Return what makes a session for each connection; the tables are made once."""
        makers: list[Any] = list(imap_extensions().values())
        tables = make_tables([maker.make(settings, backend) for maker in makers])
        picked = pick_doors(ImapBackend, backend)
        return lambda wire: ImapLoop(wire, settings, picked, tables)


_SMTP_BUSY = b"421 4.3.2 Too many connections, try again later\r\n"

smtp_protocol = BuiltinMailProtocol(
    name="smtp",
    help="Takes mail from other servers for the accounts here (port 25).",
    busy=_SMTP_BUSY,
    settings=SmtpSettings,
    session=SmtpLoop,
    backend=SmtpBackend,
    is_spread=True,
    arrival=smtp_steps,
)
submission_protocol = BuiltinMailProtocol(
    name="submission",
    help="Takes mail from the accounts here, after login (ports 587 and 465).",
    busy=_SMTP_BUSY,
    settings=SubmissionSettings,
    session=SmtpLoop,
    backend=SmtpBackend,
    is_spread=True,
    arrival=smtp_steps,
)
lmtp_protocol = BuiltinMailProtocol(
    name="lmtp",
    help="Takes mail for the accounts here from another mail server on this host.",
    busy=_SMTP_BUSY,
    settings=LmtpSettings,
    session=LmtpLoop,
    backend=SmtpBackend,
    is_spread=True,
    arrival=lmtp_steps,
)
pop3_protocol = BuiltinProtocol(
    name="pop3",
    help="Lets agents download mail (ports 110 and 995).",
    busy=b"-ERR [SYS/TEMP] Too many connections, try again later\r\n",
    settings=Pop3Settings,
    session=Pop3Loop,
    backend=Pop3Backend,
    is_spread=True,
)
imap_protocol = ImapProtocol(
    name="imap",
    help="Lets agents work on mail that stays on the server (ports 143 and 993).",
    busy=b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n",
)
