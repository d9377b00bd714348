"""The decision table over real TLS: what a client does of what is demanded, found and proven."""

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.sent_mail import SentMail
from tests.net.client.certificates import SignedCertificate, spki, whole
from tests.smtp.dialogue.hosts import SETTINGS, mail
from tests.whole.live import PATIENCE, needs
from tests.whole.next_hops import NAME, Hop, hurried, read_until, say
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.trust import Demand, TlsLevel

pytestmark = pytest.mark.whole

ROOT = SignedCertificate(["Root"], is_authority=True)
KNOWN = SignedCertificate([NAME], ROOT)
STRANGER = SignedCertificate(["stranger.example"])
SELF_MADE = SignedCertificate(["nobody.example"])

DEMANDS = {
    "none": Demand(TlsLevel.NONE),
    "may": Demand(),
    "encrypt": Demand(TlsLevel.ENCRYPT),
    "verify": Demand(TlsLevel.VERIFY),
    "dane": Demand(TlsLevel.DANE, names=(NAME,), records=(spki(SELF_MADE),)),
    "dane-ta": Demand(TlsLevel.DANE, names=(NAME,), records=(whole(ROOT),)),
}
# What the host does: no STARTTLS, STARTTLS refused, a handshake that fails, and certificates.
FOUND = ("no-tls", "refused", "failed", "stranger", "known", "self-made")
TABLE = """
          no-tls  refused  failed  stranger   known      self-made
none      clear   clear    clear   clear      clear      clear
may       clear   clear    clear   encrypted  encrypted  encrypted
encrypt   -       -        -       encrypted  encrypted  encrypted
verify    -       -        -       -          name       -
dane      -       -        -       -          -          dane
dane-ta   -       -        -       -          dane       -
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], found, end) for row in ROWS for found, end in zip(HEAD, row[1:], strict=True)]


class TlsHost:
    """A mail host that takes what comes, over TLS as it ``does``, and keeps what came in clear."""

    def __init__(self, folder: Path, does: str) -> None:
        self._does = does
        self._contexts = {
            "stranger": _context(folder, STRANGER),
            "known": _context(folder, KNOWN, ROOT),
            "self-made": _context(folder, SELF_MADE),
        }
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.clear = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            with connection, suppress(OSError, AssertionError):
                self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        say(connection, ["220 mx ESMTP"])
        read_until(connection, b"\r\n")
        offers = [] if self._does == "no-tls" else ["250-STARTTLS"]
        say(connection, ["250-mx", *offers, "250 PIPELINING"])
        said = read_until(connection, b"\r\n")
        if said.startswith(b"STARTTLS"):
            if self._does == "refused":
                say(connection, ["454 4.7.0 Not now"])
                said = read_until(connection, b"\r\n")
            else:
                say(connection, ["220 Go"])
                if self._does == "failed":
                    connection.recv(1)
                    connection.sendall(b"no TLS at all\r\n")
                    return
                connection = self._contexts[self._does].wrap_socket(connection, server_side=True)
                read_until(connection, b"\r\n")
                say(connection, ["250-mx", "250 PIPELINING"])
                said = read_until(connection, b"\r\n")
        self._take(connection, said)

    def _take(self, connection: socket.socket, said: bytes) -> None:
        if said.startswith(b"QUIT"):
            return
        if not said.endswith(b"DATA\r\n"):
            read_until(connection, b"DATA\r\n")
        self.clear += not isinstance(connection, ssl.SSLSocket)
        say(connection, ["250 Ok", "250 Ok", "354 Go"])
        read_until(connection, b"\r\n.\r\n")
        say(connection, ["250 Ok"])
        read_until(connection, b"QUIT\r\n")

    def close(self) -> None:
        self._socket.close()


def _context(
    folder: Path, certificate: SignedCertificate, *chain: SignedCertificate
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.write(folder, *chain))
    return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("trusted") / "root.pem"
    file.write_bytes(ROOT.pem)
    return str(file)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TlsHost]]:
    folder = tmp_path_factory.mktemp("hosts")
    hosts = {does: TlsHost(folder, does) for does in FOUND}
    yield hosts
    for host in hosts.values():
        host.close()


@pytest.mark.parametrize(("demanded", "found", "end"), CELLS)
def test_every_cell_of_the_table(
    hosts: dict[str, TlsHost], authority: str, demanded: str, found: str, end: str
) -> None:
    host, supply = hosts[found], SentMail([mail()])
    before = host.clear
    hop = Hop(host.port, authority)
    settings = replace(SETTINGS, demand=DEMANDS[demanded])
    ended = hop.hand_on(supply, hurried(settings, handshake=PATIENCE)).end()
    hop.close()
    if end == "-":
        _was_passed_over(ended, supply)
    else:
        [(_, _, attempt)] = supply.attempts
        assert attempt.proven == {"clear": "nothing"}.get(end, end)
        assert bool(attempt.tls) is (end != "clear")
    assert attempt_label(supply, ended) == DEMANDS[demanded].label
    assert host.clear - before == (end == "clear")


def _was_passed_over(ended: Attempt | None, supply: SentMail) -> None:
    assert supply.attempts == []
    assert ended is not None
    assert ended.reply_class is ReplyClass.TLS
    assert ended.outcome.is_temporary


def attempt_label(supply: SentMail, ended: Attempt | None) -> str:
    attempt = supply.attempts[0][2] if supply.attempts else ended
    assert attempt is not None
    return attempt.demanded


def test_the_table_has_every_level() -> None:
    assert {demand.level for demand in DEMANDS.values()} == set(TlsLevel)
    assert list(FOUND) == HEAD


OPINIONS = [
    ("verify", "stranger"),
    ("verify", "known"),
    ("verify", "self-made"),
    ("encrypt", "known"),
]


@pytest.mark.parametrize(("level", "found"), OPINIONS)
def test_postfix_is_of_the_same_opinion(
    hosts: dict[str, TlsHost], authority: str, level: str, found: str, tmp_path: Path
) -> None:
    (tmp_path / "main.cf").touch()  # a Postfix that serves nothing may have none
    [end] = [cell for row, column, cell in CELLS if (row, column) == (level, found)]
    command = [needs("posttls-finger"), "-c", "-l", level, "-F", authority, "-T", "10"]
    where = [f"[127.0.0.1]:{hosts[found].port}", *([NAME] if level == "verify" else [])]
    asked = subprocess.run(
        [*command, *where],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "MAIL_CONFIG": str(tmp_path)},
    )
    said = asked.stdout + asked.stderr
    assert "TLS connection established" in said
    assert ("Verified TLS connection" in said) is (end == "name")
