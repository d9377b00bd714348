"""A server with workers, and which of them serves a connection."""

import os
import smtplib
import socket
from pathlib import Path

from tests.whole.clients import hello
from tests.whole.hostile import Raw, eventually
from tests.whole.live import CONFIG, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess
from tests.whole.talker import Talker

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"
WORKERS = 2
SERVICES = ("smtp", "submission", "lmtp", "imap", "pop3")


class Crewed:
    """A server of one main process and two workers."""

    def __init__(self, folder: Path, settings: str = "", listener: str = "") -> None:
        furnish(folder)
        self.folder, self.log = folder, folder / "log"
        self.ports = {name: free_port() for name in SERVICES}
        listeners = "".join(
            f'[[listener]]\nservice = "{name}"\ncleartext_passwords = true\n{listener}'
            f'endpoint = "tcp:{port}:interface=127.0.0.1"\n'
            for name, port in self.ports.items()
        )
        workers = f"[workers]\nnumber = {WORKERS}\n"
        (folder / "mail.toml").write_text(CONFIG + workers + settings + listeners)
        self.process = ServerProcess(folder / "mail.toml", self.log)
        self.pid = self.process._process.pid
        assert self.has_begun(WORKERS)

    def has_begun(self, count: int) -> bool:
        """Wait until so many workers have begun since the server was started."""
        return eventually(lambda: self.text().count("is at work") >= count)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(one) for one in children.split()]

    def smtp(self, name: str = "smtp") -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.ports[name], timeout=PATIENCE)

    def send(self, subject: str, *recipients: str, sender: str = CAROL) -> dict[str, object]:
        with self.smtp() as client:
            return client.sendmail(sender, list(recipients), hello(subject).encode())

    def raw(self, name: str = "smtp") -> Raw:
        return Raw(socket.create_connection(("127.0.0.1", self.ports[name]), PATIENCE))

    def count(self, account: str, mailbox: str = "INBOX") -> int:
        talker = Talker(self.ports["imap"], account)
        talker.select(mailbox)
        found = len(talker.view)
        talker.close()
        return found

    def stop(self) -> None:
        assert self.process.stop()


def worker_of(server: Crewed, pids: list[int], port: int, name: str = "smtp") -> int:
    """Return the process that serves a connection which comes from a port of ours."""
    [inode] = {  # a line may come twice: the table changes while it is read
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[2].endswith(f":{port:04X}")
        and line.split()[1].endswith(f":{server.ports[name]:04X}")
        and line.split()[9] != "0"  # of an earlier connection
    }
    for pid in pids:
        folder = Path(f"/proc/{pid}/fd")
        if any(_target(one) == f"socket:[{inode}]" for one in folder.iterdir()):
            return pid
    return 0


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
