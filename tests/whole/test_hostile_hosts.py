"""Bad next hops that need sockets: what TCP and TLS can do to a client."""

import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import SETTINGS, mail
from tests.whole.next_hops import (
    DAY,
    NAME,
    Certified,
    Listening,
    cut,
    hurried,
    read_until,
    say,
)
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.trust import Demand, TlsLevel

pytestmark = pytest.mark.whole

VERIFY = replace(SETTINGS, demand=Demand(TlsLevel.VERIFY))
ENCRYPT = replace(SETTINGS, demand=Demand(TlsLevel.ENCRYPT))


@pytest.fixture
def hop() -> Iterator[Listening]:
    listening = Listening()
    yield listening
    listening.close()


def begin_tls(connection: socket.socket) -> None:
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"EHLO mail.example.org\r\n")
    say(connection, ["250-mx", "250 STARTTLS"])
    read_until(connection, b"STARTTLS\r\n")
    say(connection, ["220 Go"])


def finish_in_clear(connection: socket.socket) -> None:
    """Take one message on a connection on which TLS is not begun again."""
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"EHLO mail.example.org\r\n")
    say(connection, ["250-mx", "250-STARTTLS", "250 PIPELINING"])
    read_until(connection, b"DATA\r\n")
    say(connection, ["250 Ok", "250 Ok", "354 Go"])
    read_until(connection, b"\r\n.\r\n")
    say(connection, ["250 Ok"])
    read_until(connection, b"QUIT\r\n")
    connection.close()


def test_rst(hop: Listening) -> None:
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, SETTINGS)
    connection = hop.accept()
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"\r\n")
    say(connection, ["250-mx", "250 PIPELINING"])
    read_until(connection, b"DATA\r\n")
    cut(connection)
    end = handing.end()
    assert end is not None
    assert end.outcome.enhanced == "4.4.2"
    assert [one.outcome.code for _, _, one in supply.attempts] == [451]


def test_nobody_listens() -> None:
    closed = Listening()
    closed.close()
    end = closed.hand_on(SentMail([mail()]), SETTINGS).end()
    assert end is not None
    assert end.outcome.text == "Connection refused"


def test_a_closed_window(hop: Listening) -> None:
    supply = SentMail([mail(data=b"x" * 70 + b"\r\n" * 8_000_000)])
    handing = hop.hand_on(supply, hurried(SETTINGS, block=0.5))
    connection = hop.accept()
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"\r\n")
    say(connection, ["250-mx", "250 PIPELINING"])
    read_until(connection, b"DATA\r\n")
    say(connection, ["250 Ok", "250 Ok", "354 Go"])
    end = handing.end()
    connection.close()
    assert end is not None
    assert "took nothing" in end.outcome.text


def test_a_flood_is_not_kept(hop: Listening) -> None:
    """A host that sends without end while nothing is asked fills no memory."""
    supply = SentMail([mail(data=b"x" * 70 + b"\r\n" * 8_000_000)])
    handing = hop.hand_on(supply, hurried(SETTINGS, block=2.0))
    connection = hop.accept()
    say(connection, ["220 mx ESMTP"])
    read_until(connection, b"\r\n")
    say(connection, ["250-mx", "250 PIPELINING"])
    read_until(connection, b"DATA\r\n")
    flood = b"250-more\r\n" * 1_000_000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    connection.settimeout(0.5)
    with suppress(OSError):
        connection.sendall(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    connection.close()
    assert handing.end() is not None
    assert peak - before < 200 * 1024


# ------------------------------------------------------------ TLS


@pytest.mark.parametrize("tls", [TlsLevel.ENCRYPT, TlsLevel.VERIFY])
def test_tls_that_hangs_where_it_is_demanded(hop: Listening, tls: TlsLevel) -> None:
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, hurried(replace(SETTINGS, demand=Demand(tls)), handshake=0.3))
    connection = hop.accept()
    begin_tls(connection)
    end = handing.end()
    assert end is not None
    assert end.reply_class is ReplyClass.TLS
    assert supply.attempts == []
    connection.close()


def test_tls_that_hangs_where_it_is_not_demanded(hop: Listening) -> None:
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, hurried(SETTINGS, handshake=0.3))
    connection = hop.accept()
    begin_tls(connection)
    finish_in_clear(hop.accept())
    connection.close()
    assert handing.end() is None
    [(_, _, attempt)] = supply.attempts
    assert attempt.tls == ""
    assert "took longer" in attempt.tls_failure


def test_garbage_in_place_of_tls(hop: Listening) -> None:
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, SETTINGS)
    connection = hop.accept()
    begin_tls(connection)
    say(connection, ["500 What is that?"])
    finish_in_clear(hop.accept())
    connection.close()
    assert handing.end() is None
    [(_, _, attempt)] = supply.attempts
    assert attempt.tls_failure.startswith("The TLS handshake failed: ")


def verify(tmp_path: Path, certified: Certified, is_trusted: bool = True) -> str:
    """Return what the client that verifies says to a certificate."""
    hop = Listening(certified.authority if is_trusted else "")
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, VERIFY)
    connection = hop.accept()
    begin_tls(connection)
    with suppress(OSError):
        secured = certified.context().wrap_socket(connection, server_side=True)
        assert secured.recv(1000) == b"", "the client goes on"
    connection.close()
    end = handing.end()
    hop.close()
    assert end is not None
    assert end.reply_class is ReplyClass.TLS
    assert supply.attempts == []
    return end.outcome.text


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    text = verify(tmp_path, Certified(tmp_path, "other.example"))
    assert text == f"The certificate is not for {NAME}"


def test_an_old_certificate(tmp_path: Path) -> None:
    assert verify(tmp_path, Certified(tmp_path, ends=-DAY)) == "The certificate has expired"


def test_a_certificate_that_nobody_knows(tmp_path: Path) -> None:
    text = verify(tmp_path, Certified(tmp_path), is_trusted=False)
    assert text == "The certificate is signed by itself"


@pytest.mark.parametrize("tls", [TlsLevel.MAY, TlsLevel.ENCRYPT])
def test_any_certificate_is_good_enough_to_encrypt(
    hop: Listening, tmp_path: Path, tls: TlsLevel
) -> None:
    certified = Certified(tmp_path, "other.example", ends=-DAY)
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, replace(SETTINGS, demand=Demand(tls)))
    connection = hop.accept()
    begin_tls(connection)
    secured = certified.context().wrap_socket(connection, server_side=True)
    read_until(secured, b"EHLO mail.example.org\r\n")
    say(secured, ["250-mx", "250 PIPELINING"])
    read_until(secured, b"DATA\r\n")
    say(secured, ["250 Ok", "250 Ok", "354 Go"])
    read_until(secured, b"\r\n.\r\n")
    say(secured, ["250 Ok"])
    read_until(secured, b"QUIT\r\n")
    secured.close()
    assert handing.end() is None
    [(_, _, attempt)] = supply.attempts
    assert attempt.tls.startswith("TLSv1.")
    assert hop.session is not None
    assert not hop.session.proof.names


def test_a_certificate_that_is_right(tmp_path: Path) -> None:
    certified = Certified(tmp_path)
    hop = Listening(certified.authority)
    handing = hop.hand_on(SentMail([]), VERIFY)
    connection = hop.accept()
    begin_tls(connection)
    secured = certified.context().wrap_socket(connection, server_side=True)
    read_until(secured, b"EHLO mail.example.org\r\n")
    say(secured, ["250-mx", "250 PIPELINING"])
    read_until(secured, b"QUIT\r\n")
    secured.close()
    assert handing.end() is None
    assert hop.session is not None
    assert hop.session.proof.names
    hop.close()


def test_a_giant_certificate(tmp_path: Path) -> None:
    """OpenSSL reads no chain of more than 100 KiB."""
    certified = Certified(tmp_path, names=8000)
    text = verify(tmp_path, certified)
    assert text.startswith("The TLS handshake failed: ")


def test_an_old_version_of_tls(hop: Listening) -> None:
    """A ServerHello of TLS 1.0 ends the handshake."""
    supply = SentMail([mail()])
    handing = hop.hand_on(supply, ENCRYPT)
    connection = hop.accept()
    begin_tls(connection)
    hello = bytes.fromhex("0301") + bytes(32) + b"\0" + bytes.fromhex("002f") + b"\0"
    body = b"\x02" + len(hello).to_bytes(3, "big") + hello
    connection.recv(65536)
    connection.sendall(bytes.fromhex("160301") + len(body).to_bytes(2, "big") + body)
    end = handing.end()
    connection.close()
    assert end is not None
    assert end.reply_class is ReplyClass.TLS
    assert supply.attempts == []
