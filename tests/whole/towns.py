"""Two of our servers that send each other mail, and a DNS that knows both."""

import imaplib
import poplib
import shutil
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.whole.live import PATIENCE, in_reactor, the_reactor
from tests.whole.names import NameServer
from twisted_mail.config import load
from twisted_mail.control.setup import certificates
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.service import MailService

PASSWORD = "secret"
CONFIG = """\
hostname = "{hostname}"
state = "state"
domains = ["{domain}"]

[tls]
folder = "tls"

[passwords]
memory_mib = 1
passes = 1
lanes = 1

[threads]
one_processor = false

[addresses]
postmaster = "{postmaster}"

[dns]
servers = ["{dns}"]

[sending]
port = {port}
allows_private = ["127.0.0.0/8"]
{sending}

{sections}
[[listener]]
service = "smtp"
endpoint = "tcp:{port}:interface={address}"

[[listener]]
service = "submission"
endpoint = "tcp:0:interface={address}"

[[listener]]
service = "pop3"
endpoint = "tcp:0:interface={address}"
tls = "implicit"

[[listener]]
service = "imap"
endpoint = "tcp:0:interface={address}"
tls = "implicit"
"""


class Town:
    """A server for one domain, on a loopback address of its own, and its users' mail programs.

    ``sending`` are further lines of ``[sending]``, ``sections`` further sections.
    """

    def __init__(
        self,
        folder: Path,
        domain: str,
        address: str,
        users: Sequence[str],
        names: NameServer,
        port: int,
        sending: str = "",
        sections: str = "",
    ) -> None:
        self.folder, self.domain, self.address, self.port = folder, domain, address, port
        self.hostname = f"mail.{domain}"
        self.users = [f"{user}@{domain}" for user in users]
        names.records[domain] = {"MX": [f"10 {self.hostname}."]}
        names.records[self.hostname] = {"A": [address]}
        text = CONFIG.format(
            hostname=self.hostname,
            domain=domain,
            postmaster=self.users[0],
            dns=names.where,
            port=port,
            address=address,
            sending=sending,
            sections=sections,
        )
        self._prepare(text)
        self.start()

    def _prepare(self, text: str) -> None:
        state = self.folder / "state"
        state.mkdir(mode=0o700, parents=True)
        certificates.make(state / "tls", self.hostname)
        shutil.copy(state / "tls" / certificates.AUTHORITY, self.folder / "ca.pem")
        (self.folder / "mail.toml").write_text(text)
        config = load(self.folder / "mail.toml")
        with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
            register.accounts.import_lines(f"{name}:{{PLAIN}}{PASSWORD}" for name in self.users)

    @property
    def config(self) -> Path:
        return self.folder / "mail.toml"

    def start(self) -> None:
        self.service: MailService = in_reactor(lambda: self._started(load(self.config)))
        in_reactor(lambda: self.service.queue_start)
        ports = [listener.address.port for listener in self.service.listeners.all]
        _, self.submission, self.pop3, self.imap = ports

    def _started(self, config: Any) -> MailService:
        service = MailService(the_reactor(), config)
        service.privilegedStartService()
        service.startService()
        return service

    def stop(self) -> None:
        in_reactor(self.service.stopService)

    # ------------------------------------------------------------ its users' mail programs

    @property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.check_hostname = False  # programs connect to a number here
        return context

    def submit(self, user: str, recipients: Sequence[str], message: EmailMessage | bytes) -> None:
        """Hand a message to the server, as the mail program of somebody who has logged in."""
        data = message if isinstance(message, bytes) else bytes(message)
        with smtplib.SMTP(self.address, self.submission, timeout=PATIENCE) as client:
            client.starttls(context=self._context)
            client.login(user, PASSWORD)
            refused = client.sendmail(user, recipients, data)
        assert not refused, refused

    def by_imap(self, user: str, mailbox: str = "INBOX") -> list[bytes]:
        """Return the messages of a mailbox, as a mail program gets them by IMAP."""
        with imaplib.IMAP4_SSL(
            self.address, self.imap, ssl_context=self._context, timeout=PATIENCE
        ) as client:
            client.login(user, PASSWORD)
            _, [count] = client.select(mailbox, readonly=True)
            if not int(count or 0):
                return []
            _, items = client.fetch("1:*", "(BODY.PEEK[])")
        return [item[1] for item in items if isinstance(item, tuple)]

    def by_pop3(self, user: str) -> list[bytes]:
        """Return the messages of a user's inbox, as a mail program gets them by POP3."""
        client = poplib.POP3_SSL(self.address, self.pop3, context=self._context, timeout=PATIENCE)
        try:
            client.user(user)
            client.pass_(PASSWORD)
            count, _ = client.stat()
            return [
                b"\r\n".join(client.retr(number)[1]) + b"\r\n" for number in range(1, count + 1)
            ]
        finally:
            client.quit()


def letter(sender: str, recipient: str, subject: str, text: str = "Ketchup?\r\n") -> EmailMessage:
    """Return a message as a mail program writes it, with a name beyond ASCII and an attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Message-ID"] = f"<{subject.replace(' ', '-')}@{sender.partition('@')[2]}>"
    message["Date"] = "Tue, 01 Dec 2026 10:00:00 +0000"
    message.set_content(text)
    message.add_attachment(bytes(range(256)), "image", "png", filename="pickles.png")
    return message
