"""Two servers of ours that send to each other, with a DNS of their own."""

import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.live import PATIENCE
from tests.whole.names import NameServer
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess
from twisted_mail.config import load
from twisted_mail.control.setup import certificates
from twisted_mail.directory.editing.editor import DirectoryEditor

TWISTED_MAIL = Path(sys.executable).parent / "twisted-mail"

pytestmark = pytest.mark.whole

CONFIG = """\
hostname = "mail.{name}.example"
state = "state"
domains = ["{name}.example"]

[passwords]
memory_mib = 1
passes = 1
lanes = 1

[threads]
one_processor = false

[dns]
servers = ["{dns}"]
timeout = 2

[sending]
allows_private = ["127.0.0.0/8"]
port = {port}

[[listener]]
service = "smtp"
endpoint = "tcp:{port}:interface={address}"

[[listener]]
service = "submission"
endpoint = "tcp:{submission}:interface={address}"
"""
MESSAGE = "From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n\r\nHello\r\n"


class Server:
    """One server: a process of its own, with the account ``user``."""

    process_of: type[ServerProcess] = ServerProcess
    sections = ""  # more of the configuration

    def __init__(
        self, folder: Path, name: str, user: str, address: str, port: int, dns: str
    ) -> None:
        self.name, self.user, self.address = name, f"{user}@{name}.example", address
        self.folder, self.submission = folder, free_port()
        (folder / "state").mkdir(parents=True, mode=0o700, exist_ok=True)
        certificates.make(folder / "state" / "tls", f"mail.{name}.example")
        values = {"name": name, "dns": dns, "port": port, "address": address}
        text = CONFIG.format(**values, submission=self.submission)
        (folder / "mail.toml").write_text(text + self.sections)
        self.fill()
        self.process = self.process_of(folder / "mail.toml", folder / "log")

    def fill(self) -> None:
        config = load(self.folder / "mail.toml")
        with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as directory:
            directory.accounts.import_lines([f"{self.user}:{{PLAIN}}secret"])
            directory.aliases.add(f"away@{self.name}.example", ["bob@there.example"])

    def submit(self, recipient: str, subject: str) -> None:
        """Send a message of the user's, with a login over TLS."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP(self.address, self.submission, timeout=PATIENCE) as client:
            client.starttls(context=context)
            client.login(self.user, "secret")
            text = MESSAGE.format(sender=self.user, recipient=recipient, subject=subject)
            client.sendmail(self.user, [recipient], text)

    def control(self, *words: str) -> None:
        """Run a control command."""
        command = [str(TWISTED_MAIL), *words, "--config", str(self.folder / "mail.toml")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    @property
    def inbox(self) -> list[str]:
        local, _, domain = self.user.partition("@")
        folder = self.folder / "state" / "mail" / domain / local / "Maildir" / "new"
        return [path.read_text() for path in folder.glob("*")]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    names = NameServer(
        {
            "here.example": {"MX": ["10 mail.here.example."]},
            "mail.here.example": {"A": ["127.0.0.2"]},
            "there.example": {"MX": ["10 mail.there.example."]},
            "mail.there.example": {"A": ["127.0.0.3"]},
            "loop.example": {"MX": ["10 mail.here.example."]},
            "null.example": {"MX": ["0 ."]},
        }
    )
    port = free_port()
    here = Server(tmp_path / "here", "here", "alice", "127.0.0.2", port, names.where)
    there = Server(tmp_path / "there", "there", "bob", "127.0.0.3", port, names.where)
    yield here, there
    for server in (here, there):
        assert server.process.stop()
        assert "this is a bug" not in (server.folder / "log").read_text()
    names.close()


def test_mail_goes_there_and_back(servers: tuple[Server, Server]) -> None:
    here, there = servers
    here.submit("bob@there.example", "there")
    until(lambda: bool(there.inbox))
    (text,) = there.inbox
    assert "Subject: there\n" in text
    assert "Return-Path: <alice@here.example>" in text
    assert "from mail.here.example" in text
    assert "with ESMTPS" in text
    there.submit("alice@here.example", "back")
    until(lambda: bool(here.inbox))


def test_a_recipient_who_does_not_exist_is_reported(servers: tuple[Server, Server]) -> None:
    here, _ = servers
    here.submit("nobody@there.example", "lost")
    until(lambda: bool(here.inbox))
    (report,) = here.inbox
    assert "multipart/report" in report
    assert "Final-Recipient: rfc822; nobody@there.example" in report
    assert "Status: 5.1.1" in report


def test_a_typo_in_the_domain_is_refused_at_once(servers: tuple[Server, Server]) -> None:
    here, _ = servers
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.2"):
        here.submit("bob@tehre.example", "typo")
    with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.10"):
        here.submit("bob@null.example", "null")


def test_an_alias_that_leads_away_is_for_strangers_too(servers: tuple[Server, Server]) -> None:
    _, there = servers
    there.submit("away@here.example", "round")
    until(lambda: bool(there.inbox))
    (text,) = there.inbox
    assert "from mail.here.example" in text
    assert "from mail.there.example" in text


def test_a_domain_that_leads_back_to_us_is_reported(servers: tuple[Server, Server]) -> None:
    here, _ = servers
    here.submit("bob@loop.example", "loop")
    until(lambda: bool(here.inbox))
    assert "Status: 5.4.6" in here.inbox[0]


def test_mail_waits_for_a_server_that_is_down_and_goes_when_it_is_back(
    servers: tuple[Server, Server],
) -> None:
    here, there = servers
    there.process.kill()
    here.submit("bob@there.example", "later")
    log = here.folder / "log"
    until(lambda: "4.4.1" in log.read_text())
    there.process.start()
    here.control("queue", "retry", "--all")
    until(lambda: bool(there.inbox))
