"""The client of SMTP and LMTP against other programs: Postfix's smtp-sink, and our own server."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import SETTINGS, mail
from tests.whole.hostile import eventually
from tests.whole.live import LiveServer, needs
from tests.whole.next_hops import Certified, Hop
from tests.whole.ports import free_port
from tests.whole.process import wait_until_listening
from tests.whole.senders import MESSAGES, Exim, OpenSmtpd, Postfix
from tests.whole.test_other_servers import came
from twisted_mail.mail.trust import Demand, TlsLevel

pytestmark = pytest.mark.whole

LETTER = b"Subject: Hi\r\n\r\n.dots\r\n..\r\nHello\r\n"


@contextmanager
def sink(*options: str) -> Iterator[Hop]:
    """Run smtp-sink with options; return a hop that leads there."""
    program, port = needs("smtp-sink"), free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *user, *options, f"127.0.0.1:{port}", "50"])
    hop = Hop(port)
    try:
        wait_until_listening(port, process)
        yield hop
    finally:
        hop.close()
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    "options",
    [(), ("-p",), ("-e", "-p"), ("-8",)],
    ids=["pipelining", "step-by-step", "helo", "no-8bitmime"],
)
def test_mail_is_taken(options: tuple[str, ...]) -> None:
    letters = [mail(data=LETTER), mail("a@x.example, b@x.example", "é\r\n".encode()), mail()]
    supply = SentMail(letters)
    with sink(*options) as hop:
        assert hop.hand_on(supply, SETTINGS).end() is None
    assert [one.outcome.code for _, _, one in supply.attempts] == [250] * 4


def test_lmtp_answers_for_each() -> None:
    supply = SentMail([mail("a@x.example, b@x.example"), mail()])
    with sink("-L") as hop:
        assert hop.hand_on(supply, replace(SETTINGS, is_lmtp=True)).end() is None
    assert [one.outcome.code for _, _, one in supply.attempts] == [250] * 3


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(("option", "code"), [("-f", 500), ("-r", 450)])
def test_what_is_refused(option: str, code: int, command: str) -> None:
    """Everything is refused for the same reason, with or without PIPELINING."""
    for more in ((), ("-p",)):
        supply = SentMail([mail(), mail()])
        with sink(option, command, *more) as hop:
            assert hop.hand_on(supply, SETTINGS).end() is None
        found = [(one.outcome.code // 100, one.command.split()[0]) for *_, one in supply.attempts]
        assert found == [(code // 100, command)] * 2


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("option", ["-q", "-Q"])
def test_who_breaks_off(option: str, command: str) -> None:
    """With -q a connection ends without a word, with -Q after 421."""
    supply = SentMail([mail()])
    with sink(option, command) as hop:
        end = hop.hand_on(supply, SETTINGS).end()
    assert end is not None
    assert end.outcome.is_temporary
    assert (end.outcome.code == 421) == (option == "-Q")
    assert all(attempt.outcome == end.outcome for *_, attempt in supply.attempts)
    assert len(supply.attempts) == (command in ("MAIL", "RCPT", "DATA", "."))


# ------------------------------------------------------------ our own server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    running = LiveServer(tmp_path)
    yield running
    running.stop()


@pytest.mark.parametrize("service", ["smtp", "smtps", "lmtp"])
def test_our_own_server_takes_it(server: LiveServer, service: str) -> None:
    hop = Hop(server.ports[service], str(server.folder / "ca.pem"))
    supply = SentMail(
        [mail("alice@example.org, nobody@example.org", LETTER), mail("bob@example.org", LETTER)]
    )
    settings = replace(
        SETTINGS,
        demand=Demand(TlsLevel.VERIFY, names=("mail.example.org",)),
        is_lmtp=service == "lmtp",
        is_tls_implicit=service == "smtps",
    )
    end = hop.hand_on(supply, settings).end()
    hop.close()
    assert end is None
    assert sorted(one.outcome.code for *_, one in supply.attempts) == [250, 250, 550]
    assert hop.session is not None
    assert hop.session.proof.names
    assert all(one.tls.startswith("TLSv1.3/") for *_, one in supply.attempts), supply.results
    for name in ("alice", "bob"):
        [file] = (server.maildir(f"{name}@example.org") / "new").iterdir()
        assert file.read_bytes().endswith(LETTER)


# ------------------------------------------------------------ other servers, which hand it on to ours

STEPWISE = "smtpd_discard_ehlo_keywords = pipelining, size, dsn, smtputf8, chunking"
WITH_TLS = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {pem}"
OTHERS = {
    "postfix": (Postfix, ""),
    "postfix step by step": (Postfix, STEPWISE),
    "postfix over TLS": (Postfix, WITH_TLS),
    "exim": (Exim, "hosts_avoid_tls = *"),
    "opensmtpd": (OpenSmtpd, "smtp+notls"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_octet_arrives(server: LiveServer, tmp_path: Path, name: str) -> None:
    make, settings = OTHERS[name]
    pem = Certified(tmp_path).file
    other = make(server.ports["smtp"], settings.format(pem=pem))
    supply = SentMail([mail("bob@example.org", one) for one in MESSAGES])
    hop = Hop(other.port)
    try:
        assert hop.hand_on(supply, SETTINGS).end() is None
        assert eventually(lambda: came(server, MESSAGES), 30), other.log()[-5000:]
    finally:
        hop.close()
        other.stop()
    assert [one.outcome.code for *_, one in supply.attempts] == [250] * len(MESSAGES)
    assert all(bool(one.tls) == (name == "postfix over TLS") for *_, one in supply.attempts)
