"""kill -9 in the middle of deliveries: what was answered 250 is there, whole, and once."""

import imaplib
import smtplib
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.whole.live import CONFIG, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

pytestmark = pytest.mark.whole

BODY = "".join(f"line {number} of a message that must be whole\r\n" for number in range(200))


@pytest.fixture
def config(tmp_path: Path) -> tuple[Path, int, int]:
    furnish(tmp_path)
    smtp, imap = free_port(), free_port()
    listeners = "".join(
        f'[[listener]]\nservice = "{service}"\nendpoint = "tcp:{port}:interface=127.0.0.1"\n'
        "cleartext_passwords = true\nconnections_per_address = 1000\n"
        for service, port in (("smtp", smtp), ("imap", imap))
    )
    (tmp_path / "mail.toml").write_text(CONFIG + listeners)
    return tmp_path / "mail.toml", smtp, imap


class Senders:
    """Clients that deliver numbered messages until the server is gone."""

    sender: str = "a@example.com"
    recipients: tuple[str, ...] = ("bob@example.org", "alice@example.org")

    def __init__(self, port: int, count: int, enough: int) -> None:
        self.port, self.answered, self.lock = port, set[str](), threading.Lock()
        self.is_enough, self.enough = threading.Event(), enough
        self.threads = [threading.Thread(target=self._send, args=(one,)) for one in range(count)]
        for thread in self.threads:
            thread.start()

    def _send(self, sender: int) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
                for number in range(1000):
                    name = f"{sender}-{number}"
                    text = f"Subject: {name}\r\n\r\n{BODY}end of {name}\r\n"
                    client.sendmail(self.sender, self.recipients, text)
                    with self.lock:
                        self.answered.add(name)
                        if len(self.answered) >= self.enough:
                            self.is_enough.set()
        except (smtplib.SMTPException, OSError):
            pass


def received(port: int, account: str) -> Counter[str]:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
    client.login(account, "secret")
    client.select("INBOX")
    _, found = client.fetch("1:*", "(BODY.PEEK[])")
    client.logout()
    names: Counter[str] = Counter()
    for part in found:
        if isinstance(part, tuple):
            text = part[1].decode()
            name = text.split("Subject: ", 1)[1].split("\r\n", 1)[0]
            assert text.endswith(f"\r\n\r\n{BODY}end of {name}\r\n"), f"{name} is not whole"
            names[name] += 1
    return names


@pytest.mark.parametrize("enough", [1, 37, 100])
def test_every_message_answered_250_survives(config: tuple[Path, int, int], enough: int) -> None:
    file, smtp, imap = config
    server = ServerProcess(file, file.parent / "log")
    senders = Senders(smtp, 10, enough)
    assert senders.is_enough.wait(60)
    server.kill()
    for thread in senders.threads:
        thread.join(30)

    server.start()
    try:
        for account in ("bob@example.org", "alice@example.org"):
            names = received(imap, account)
            assert not senders.answered - set(names), "an acknowledged message was lost"
            assert max(names.values()) == 1, "a message is there twice"
    finally:
        assert server.stop()
