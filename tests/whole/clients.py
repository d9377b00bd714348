"""Real programs, run to their end."""

import imaplib
import os
import pty
import select
import smtplib
import ssl
import subprocess
import termios
import time
from pathlib import Path

from tests.whole.live import HOSTNAME, PATIENCE, LiveServer

SCREEN = (24, 80)  # ncurses 6.5 opens no terminal that has no size
HELLO = (
    "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: {subject}\r\n"
    "Message-ID: <{subject}@example.org>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n"
    "Do you like ketchup?\r\n.\r\n..\r\nHow about pickles?\r\n"
)


def hello(subject: str = "hello") -> str:
    return HELLO.format(subject=subject)


def run(
    command: list[str],
    folder: Path,
    given: str | bytes = "",
    status: int | None = 0,
    seconds: float = 60,
) -> str:
    """Run a program in ``folder`` and return all it printed; check its exit status."""
    environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        cwd=folder,
        input=given if isinstance(given, bytes) else given.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
        env=environment,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert status is None or done.returncode == status, (
        f"{command} ended {done.returncode}:\n{said}"
    )
    return said


def run_in_terminal(command: list[str], folder: Path, seconds: float = 30) -> str:
    """Run a full-screen program in a terminal of its own until it ends; return its screen's bytes."""
    environment = {**os.environ, "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, SCREEN)
    process = subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    screen, deadline = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([master], [], [], 0.2)
            if ready:
                try:
                    screen += os.read(master, 65536)
                except OSError:
                    break
            elif process.poll() is not None:
                break
        shown = screen[-3000:].decode("utf-8", "replace")
        assert process.poll() is not None or _ends(process), f"still running:\n{shown}"
        assert process.returncode == 0, shown
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return screen.decode("utf-8", "replace")


def _ends(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        return False
    return True


def send(
    server: LiveServer, subject: str, recipients: tuple[str, ...] = ("bob@example.org",)
) -> dict[str, tuple[int, bytes]]:
    """Hand a message to the service for other servers' mail; return which recipients it refused."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        return client.sendmail("alice@example.net", list(recipients), hello(subject).encode())


def imap(server: LiveServer, account: str = "bob@example.org") -> imaplib.IMAP4:
    """Return a logged-in IMAP client."""
    context = ssl.create_default_context(cafile=str(server.folder / "ca.pem"))
    context.check_hostname = False
    client = imaplib.IMAP4_SSL(
        "127.0.0.1", server.ports["imaps"], ssl_context=context, timeout=PATIENCE
    )
    client.login(account, "secret")
    return client


def subjects(
    server: LiveServer, account: str = "bob@example.org", mailbox: str = "INBOX"
) -> list[str]:
    """Return the subjects of a mailbox, in order, as IMAP shows them."""
    client = imap(server, account)
    if client.select(mailbox, readonly=True) == ("OK", [b"0"]):
        return []
    _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    client.logout()
    return [part[1].decode().split(":", 1)[1].strip() for part in found if isinstance(part, tuple)]


__all__ = [
    "HOSTNAME",
    "hello",
    "imap",
    "run",
    "run_in_terminal",
    "send",
    "subjects",
]
