"""The protocols of our own house."""

from twisted_mail.imap import session as imap
from twisted_mail.imap import settings as imap_settings
from twisted_mail.plugin import RoomProtocol
from twisted_mail.pop3 import session as pop3
from twisted_mail.pop3 import settings as pop3_settings
from twisted_mail.smtp import session as smtp
from twisted_mail.smtp import settings as smtp_settings

_SMTP_BUSY = b"421 4.3.2 Too many connections, try again later\r\n"

smtp_protocol = RoomProtocol(
    name="smtp",
    help="Takes mail from other servers for the accounts here (port 25).",
    busy=_SMTP_BUSY,
    settings=smtp_settings.Settings,
    session=smtp.SmtpSession,
    doors=smtp.Doors,
)
submission_protocol = RoomProtocol(
    name="submission",
    help="Takes mail from the accounts here, after login (ports 587 and 465).",
    busy=_SMTP_BUSY,
    settings=smtp_settings.SubmissionSettings,
    session=smtp.SmtpSession,
    doors=smtp.Doors,
)
pop3_protocol = RoomProtocol(
    name="pop3",
    help="Lets agents download mail (ports 110 and 995).",
    busy=b"-ERR [SYS/TEMP] Too many connections, try again later\r\n",
    settings=pop3_settings.Settings,
    session=pop3.Pop3Session,
    doors=pop3.Doors,
)
imap_protocol = RoomProtocol(
    name="imap",
    help="Lets agents work on mail that stays on the server (ports 143 and 993).",
    busy=b"* BYE [UNAVAILABLE] Too many connections, try again later\r\n",
    settings=imap_settings.Settings,
    session=imap.ImapSession,
    doors=imap.Doors,
)
