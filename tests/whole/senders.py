"""Other mail servers, from Debian, that send: each takes mail on a port and hands it on to ours.

Each runs in namespaces of its own: it sees its own folders where its package would have made them, users
that this system need not have, and when its first process ends, so do all.
"""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.whole.hostile import MIB
from tests.whole.live import PATIENCE, LiveServer, needs
from tests.whole.ports import free_port
from tests.whole.process import wait_until_listening

# Where .ci/run lays packages that cannot be installed beside each other.
UNPACKED = Path(
    os.environ.get("TWISTED_MAIL_PROGRAMS") or Path.home() / ".cache/twisted_mail/programs"
)
USERS = ("Debian-exim", "opensmtpd", "opensmtpq")
FIRST_ID = 61001

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = /
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example.com
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtp_dns_support_level = disabled
smtp_host_lookup = native
relayhost = [127.0.0.1]:{target}
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 100000000
mailbox_size_limit = 0
minimal_backoff_time = 2s
queue_run_delay = 2s
in_flow_delay = 0
"""
POSTFIX_MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
EXIM = """\
exim_path = {folder}/exim4
deliver_drop_privilege
spool_directory = {folder}/spool
log_file_path = {folder}/log-%slog
log_selector = +smtp_confirmation +tls_cipher
primary_hostname = exim.example.com
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
host_lookup =
rfc1413_hosts =
message_size_limit = 100M
acl_smtp_rcpt = take
acl_smtp_data = take
begin acl
take:
  accept
begin routers
everybody:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = {target}
  allow_localhost
  {settings}
begin retry
* * F,1h,2s
"""
OPENSMTPD = """\
listen on 127.0.0.1 port {port}
action "out" relay host "{settings}://127.0.0.1:{target}"
match from any for any action "out"
"""


# ---------------------------------------------------------------- what is sent

HEADER = (
    "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: {0}\r\n"
    "Message-ID: <{0}@example.com>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n"
)


def message(name: str, body: bytes) -> bytes:
    return HEADER.format(name).encode() + body


PLAIN = message("plain", b"Do you like ketchup?\r\n")
EIGHT = message("eight", "Blåbærgrød, naïve, 漢字\r\n".encode() * 50)
DOTS = message("dots", b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n \r\n.\r\n")
LONG = message("long", (b"x" * 998 + b"\r\n") * 20 + b"." + b"y" * 997 + b"\r\n")
BARE = message("no body", b"")
LARGE = message("large", (b"All work and no play, line after line. " * 2)[:76] + b"\r\n") + (
    b"0123456789abcdef" * 4 + b"\r\n"
) * (5 * MIB // 66)
MESSAGES = [PLAIN, EIGHT, DOTS, LONG, BARE, LARGE]


def stored(server: LiveServer, account: str) -> list[bytes]:
    """Return the messages that lie in an account's inbox."""
    return [file.read_bytes() for file in (server.maildir(account) / "new").glob("*")]


# ---------------------------------------------------------------- who sends it


class Tap:
    """Passes connections on to a port, and keeps what the clients say."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self.pieces: list[bytes] = []  # as they came from the clients
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_client:
                    self.pieces.append(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    @property
    def said(self) -> bytes:
        """Return all that clients have said."""
        return b"".join(self.pieces)

    def close(self) -> None:
        self._listener.close()


def unpacked(package: str, path: str) -> Path:
    """Return a file of a package that lies unpacked; skip the test, or fail it in CI, without."""
    found = UNPACKED / package / path
    if not found.exists():
        text = f"{found} is not there: .ci/run unpacks it"
        if os.environ.get("TWISTED_MAIL_ALL_PROGRAMS"):
            pytest.fail(text)
        pytest.skip(text)
    return found


def needs_root() -> None:
    """Skip the test for others: these servers drop root's rights, and so must have had them."""
    if os.getuid() != 0:
        pytest.skip("only root can start another mail server")


class Sender:
    """A mail server that takes mail on ``port`` and hands all of it on to ``target``."""

    def __init__(self, target: int, settings: str = "") -> None:
        needs_root()
        self.folder = Path(tempfile.mkdtemp(prefix="sender-"))
        self.folder.chmod(0o755)
        self.port, self._target, self._settings = free_port(), target, settings
        try:
            self._start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def _start(self) -> None:
        script = "\n".join(
            [
                "set -e",
                *(
                    f"mount --bind {self.folder / ours} {theirs}"
                    for ours, theirs in self._prepare()
                ),
            ]
        )
        # The shell stays the first process: --kill-child does not reach one that changes its user.
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(needs("unshare"), "--mount", "--pid", "--fork", "--kill-child"),
                    *("sh", "-c", f'{script}\n"$@"; exit', "sh", *self._command()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until_listening(self.port, self._process)
        except AssertionError as error:
            self._kill()
            raise AssertionError(self.log()) from error

    def _prepare(self) -> Sequence[tuple[str, str]]:
        """Write the configuration; return which folders and files are to be seen where."""
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _write(self, name: str, template: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            template.format(
                folder=self.folder, port=self.port, target=self._target, settings=self._settings
            )
        )
        return path

    def _write_users(self) -> tuple[str, str]:
        """Write a file of users with those that the packages would have made."""
        users = Path("/etc/passwd").read_text()
        for number, name in enumerate(USERS, FIRST_ID):
            users += f"{name}:x:{number}:{number}::{self.folder}:/usr/sbin/nologin\n"
        groups = Path("/etc/group").read_text()
        for number, name in enumerate(USERS, FIRST_ID):
            groups += f"{name}:x:{number}:\n"
        (self.folder / "passwd").write_text(users)
        (self.folder / "group").write_text(groups)
        return "passwd", "group"

    def log(self) -> str:
        """Return all that it has said."""
        files = [*sorted(self.folder.glob("log*")), self.folder / "output"]
        return "\n".join(file.read_text(errors="replace") for file in files)

    def send(
        self,
        message: bytes,
        recipients: Sequence[str],
        sender: str = "alice@example.com",
        options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> None:
        """Give it a message."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
            refused = client.sendmail(sender, recipients, message, options, rcpt_options)
        assert not refused, refused

    def stop(self) -> None:
        self._kill()
        shutil.rmtree(self.folder)

    def _kill(self) -> None:
        """End the first process of the namespace; its parent ends when the last of all has ended."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children or [parent]:
            os.kill(int(child), signal.SIGKILL)
        self._process.wait(PATIENCE)


class Postfix(Sender):
    """Postfix as it is installed. ``settings`` are lines of main.cf."""

    def _prepare(self) -> Sequence[tuple[str, str]]:
        self._program = needs("postfix")
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        self._write("etc/main.cf", POSTFIX_MAIN + "{settings}\n")
        self._write("etc/master.cf", POSTFIX_MASTER)
        return []

    def _command(self) -> list[str]:
        return [self._program, "-c", str(self.folder / "etc"), "start-fg"]


class Exim(Sender):
    """Exim, unpacked. ``settings`` are lines of its smtp transport."""

    def _prepare(self) -> Sequence[tuple[str, str]]:
        program = unpacked("exim4-daemon-light", "usr/sbin/exim4")
        shutil.copy(program, self.folder)  # where its own user can start it
        users, groups = self._write_users()
        self._write("lib/exim4/config.autogenerated", EXIM)
        (self.folder / "spool").mkdir()
        os.chown(self.folder, FIRST_ID, FIRST_ID)  # it writes its logs there
        os.chown(self.folder / "spool", FIRST_ID, FIRST_ID)
        return [(users, "/etc/passwd"), (groups, "/etc/group"), ("lib", "/var/lib")]

    def _command(self) -> list[str]:
        return [str(self.folder / "exim4"), "-bdf", "-q2s"]


class OpenSmtpd(Sender):
    """OpenSMTPD, unpacked. ``settings`` is the scheme of the host to relay to."""

    def _prepare(self) -> Sequence[tuple[str, str]]:
        self._program = unpacked("opensmtpd", "usr/sbin/smtpd")
        users, groups = self._write_users()
        self._config = self._write("smtpd.conf", OPENSMTPD)
        for name in ("lib/opensmtpd/empty", "spool", "run"):
            (self.folder / name).mkdir(parents=True)
        return [
            (users, "/etc/passwd"),
            (groups, "/etc/group"),
            ("lib", "/var/lib"),
            ("spool", "/var/spool"),
            ("run", "/run"),
        ]

    def _command(self) -> list[str]:
        return [str(self._program), "-d", "-v", "-f", str(self._config)]
