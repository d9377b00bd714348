"""The configuration is read again while the server runs: what changes, what stays, what is refused."""

import imaplib
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.whole.hostile import eventually
from tests.whole.live import CONFIG, HOSTNAME, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess
from twisted_mail.control.setup import certificates

pytestmark = pytest.mark.whole

CONTROL = Path(sys.executable).parent / "twisted-mail"


class Reloaded:
    """A server whose configuration is written anew."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        furnish(folder)
        self.folder, self.log, self.config = folder, folder / "log", folder / "mail.toml"
        self.smtp, self.imap, self.settings = free_port(), free_port(), settings
        self.write()
        self.process = ServerProcess(self.config, self.log)
        self.pid = self.process._process.pid

    def listener(self, service: str, port: int, more: str = "") -> str:
        return (
            f'[[listener]]\nservice = "{service}"\ncleartext_passwords = true\n'
            f'endpoint = "tcp:{port}:interface=127.0.0.1"\n{more}'
        )

    def write(self, settings: str = "", listeners: str | None = None) -> None:
        """Write the configuration, with the listeners for SMTP and IMAP if no others are given."""
        if listeners is None:
            listeners = self.listener("smtp", self.smtp) + self.listener("imap", self.imap)
        self.config.write_text(CONFIG + self.settings + settings + listeners)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def hang_up(self, awaited: str) -> None:
        """Send SIGHUP, and wait for words in the log."""
        os.kill(self.pid, signal.SIGHUP)
        assert eventually(lambda: awaited in self.text()), self.text()

    def reload(self) -> tuple[int, dict[str, Any]]:
        """Run the command; return its exit code and its answer."""
        command = [CONTROL, "--config", self.config, "--json", "reload"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    def client(self) -> smtplib.SMTP:
        client = smtplib.SMTP("127.0.0.1", self.smtp, timeout=PATIENCE)
        client.ehlo()
        return client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Reloaded]]:
    servers: list[Reloaded] = []

    def begin(settings: str = "") -> Reloaded:
        servers.append(Reloaded(tmp_path, settings))
        return servers[-1]

    yield begin
    for server in servers:
        assert server.process.stop()
        assert "Traceback" not in server.text()
        assert "this is a bug" not in server.text()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def inode_of(pid: int, port: int) -> str:
    """Return the inode of the socket that listens at a port."""
    [inode] = {
        line.split()[9]
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    return inode


def test_sighup_changes_settings_of_new_conversations_and_keeps_open_ones(
    start: Callable[..., Reloaded],
) -> None:
    server = start()
    socket_before = inode_of(server.pid, server.smtp)
    old = server.client()
    watching = imaplib.IMAP4("127.0.0.1", server.imap, timeout=PATIENCE)
    watching.login("bob@example.org", "secret")
    old.mail("a@example.com")
    server.write("[smtp]\nmax_size = 77777\n")
    server.hang_up("reload: [smtp] max_size")

    assert old.esmtp_features["size"] == "52428800"
    old.rcpt("bob@example.org")
    assert old.data(b"Subject: kept\r\n\r\nHello\r\n")[0] == 250
    assert server.client().esmtp_features["size"] == "77777"
    assert watching.select("INBOX") == ("OK", [b"1"])
    assert inode_of(server.pid, server.smtp) == socket_before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[smtp]\nmax_sise = 1\n", "smtp.max_sise"),
        ("[smtp]\nmax_size = 'x'\n", "smtp.max_size"),
        ("[smtp\n", "mail.toml:"),
        ('[login]\ncheckers = ["directory:x"]\n', "the checker 'directory' takes no argument"),
    ],
)
def test_wrong_settings_change_nothing_and_are_named(
    start: Callable[..., Reloaded], settings: str, words: str
) -> None:
    server = start()
    server.write(settings)
    server.hang_up("stays in force")
    assert words in server.text()
    assert server.client().esmtp_features["size"] == "52428800"
    server.write("[smtp]\nmax_size = 77777\n")
    assert server.reload()[0] == 0
    assert server.client().esmtp_features["size"] == "77777"


def test_listeners_are_added_and_removed_and_their_connections_go_on(
    start: Callable[..., Reloaded],
) -> None:
    server, added = start(), free_port()
    old = server.client()
    imap, pop3 = server.listener("imap", server.imap), server.listener("pop3", added)
    server.write(listeners=imap + pop3)
    code, answer = server.reload()
    at = "tcp:%d:interface=127.0.0.1"
    assert (code, answer["done"]) == (
        0,
        [f"listener pop3 on {at % added}: added", f"listener smtp on {at % server.smtp}: removed"],
    )
    assert listens(added)
    assert not listens(server.smtp)
    assert old.sendmail("a@example.com", ["bob@example.org"], "Subject: x\r\n\r\nx\r\n") == {}
    server.write(listeners=imap + server.listener("lmtp", added))
    assert server.reload()[1]["done"] == [f"listener lmtp on {at % added}: service"]
    with smtplib.LMTP("127.0.0.1", added, timeout=PATIENCE) as client:
        assert client.docmd("LHLO", "c")[0] == 250


def test_a_port_that_is_taken_changes_nothing(start: Callable[..., Reloaded]) -> None:
    server = start()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server.write("[smtp]\nmax_size = 77777\n", server.listener("imap", taken))
        code, answer = server.reload()
    assert (code, answer["ok"]) == (1, False)
    assert "Address already in use" in answer["mistakes"][0]
    assert server.client().esmtp_features["size"] == "52428800"
    assert listens(server.imap)


def test_a_listener_moves_to_another_interface_of_its_port(start: Callable[..., Reloaded]) -> None:
    server = start()
    wide = f'[[listener]]\nservice = "smtp"\nendpoint = "tcp:{server.smtp}"\n'
    server.write(listeners=wide + server.listener("imap", server.imap))
    assert server.reload()[0] == 0
    with socket.create_connection(("127.0.0.2", server.smtp), PATIENCE) as client:
        assert client.recv(3) == b"220"


def test_what_needs_a_restart_is_named(start: Callable[..., Reloaded]) -> None:
    server = start()
    server.write("[store]\nquota_bytes = 10\n[log]\nconnections = true\nfile = 'x'\n")
    code, answer = server.reload()
    assert code == 0
    assert answer["done"] == ["[log] connections"]
    assert sorted(answer["needs_restart"]) == ["[log] file", "[store] quota_bytes"]
    assert "[store] quota_bytes needs a restart" in server.text()
    assert "smtp: connection from" not in server.text()
    server.client().quit()
    assert eventually(lambda: "smtp: connection from 127.0.0.1" in server.text())


def test_certificates_are_read_at_once(start: Callable[..., Reloaded]) -> None:
    server = start()
    folder = server.folder / "state" / "tls"
    (folder / "broken.pem").write_text("nothing\n")
    for attempt in range(
        5
    ):  # the server looks every ten seconds: on a busy machine that may be first
        renewed = server.folder / f"renewed{attempt}"
        certificates.make(renewed, HOSTNAME)
        for path in renewed.glob("*.pem"):
            shutil.copy(path, folder)
        code, answer = server.reload()
        if answer["done"]:
            break
    assert (code, answer["done"]) == (0, [f"certificates: localhost, {HOSTNAME}"])
    assert any("broken.pem is not used" in text for text in answer["warnings"])
    assert server.reload()[1]["done"] == []


def test_filters_that_stay_go_on_counting(start: Callable[..., Reloaded]) -> None:
    rates = (
        '[[filter]]\nkind = "rates"\ntrusted = []\n'
        'rates = [{of = "messages", each = "address", number = 2}]\n'
    )
    server = start(rates)

    def send() -> int:
        with server.client() as client:
            return client.mail("a@example.com")[0]

    assert [send(), send()] == [250, 250]
    server.write('[[filter]]\nkind = "concurrency"\n')
    assert server.reload()[1]["done"] == ["filter concurrency: added"]
    assert send() == 450


def test_without_a_server_the_command_says_so(start: Callable[..., Reloaded]) -> None:
    server = start()
    other = server.folder / "other.toml"
    other.write_text(server.config.read_text())
    command = [CONTROL, "--config", other, "reload"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no server runs with" in done.stderr


def test_workers_follow(start: Callable[..., Reloaded]) -> None:
    server = start("[workers]\nnumber = 2\n")
    assert eventually(lambda: server.text().count("is at work") == 2)
    old, added = server.client(), free_port()
    listeners = server.listener("smtp", server.smtp) + server.listener("imap", server.imap)
    server.write("[smtp]\nmax_size = 77777\n", listeners + server.listener("lmtp", added))
    assert server.reload()[0] == 0
    assert {server.client().esmtp_features["size"] for _ in range(10)} == {"77777"}
    for _ in range(10):
        with smtplib.LMTP("127.0.0.1", added, timeout=PATIENCE) as client:
            assert client.docmd("LHLO", "c")[0] == 250
    assert old.sendmail("a@example.com", ["bob@example.org"], "Subject: x\r\n\r\nx\r\n") == {}

    server.write(listeners=server.listener("imap", server.imap))
    assert server.reload()[0] == 0
    assert not listens(server.smtp)
    assert not listens(added)
    assert old.sendmail("a@example.com", ["bob@example.org"], "Subject: y\r\n\r\ny\r\n") == {}
    server.write()
    assert server.reload()[0] == 0
    assert {server.client().esmtp_features["size"] for _ in range(10)} == {"52428800"}
    assert server.text().count("is at work") == 2


class Visitors:
    """Clients that connect and send, one message each, until they are to end."""

    def __init__(self, server: Reloaded, count: int) -> None:
        self._server, self._is_over = server, threading.Event()
        self.sent: list[str] = []
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._visit, args=(one,)) for one in range(count)]
        for thread in self._threads:
            thread.start()

    def _visit(self, visitor: int) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            name = f"{visitor}-{number}"
            text = f"Subject: {name}\r\n\r\nHello\r\n"
            try:
                with self._server.client() as client:
                    client.sendmail("a@example.com", ["bob@example.org"], text)
            except (smtplib.SMTPException, OSError) as error:
                self.failures.append(error)
            else:
                self.sent.append(name)

    def end(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(PATIENCE)


@pytest.mark.parametrize("workers", [0, 2])
def test_nobody_is_turned_away_and_nothing_lost_while_it_is_read(
    start: Callable[..., Reloaded], workers: int
) -> None:
    server = start(f"[workers]\nnumber = {workers}\n")
    assert eventually(lambda: server.text().count("is at work") == workers)
    visitors, more = Visitors(server, 4), server.listener("lmtp", free_port())
    listeners = server.listener("smtp", server.smtp) + server.listener("imap", server.imap)
    for number in range(6):
        before = len(visitors.sent)
        server.write(f"[smtp]\nmax_hops = {number + 10}\n", listeners + more * (number % 2))
        assert server.reload()[0] == 0
        assert eventually(lambda before=before: len(visitors.sent) >= before + 10)
    visitors.end()
    assert visitors.failures == []
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=PATIENCE)
    client.login("bob@example.org", "secret")
    client.select("INBOX")
    _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    subjects = [one[1].split()[1].decode() for one in found if isinstance(one, tuple)]
    assert sorted(subjects) == sorted(visitors.sent)
