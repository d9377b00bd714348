"""Postfix, Exim and OpenSMTPD hand mail on to this server, octet by octet."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.whole.hostile import eventually, raw
from tests.whole.live import LiveServer
from tests.whole.senders import (
    DOTS,
    EIGHT,
    LARGE,
    MESSAGES,
    PLAIN,
    Exim,
    OpenSmtpd,
    Postfix,
    Sender,
    Tap,
    stored,
)

pytestmark = pytest.mark.whole

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"


def came(server: LiveServer, messages: list[bytes], account: str = BOB) -> bool:
    """Say whether each has come once, whole and unaltered behind the fields of the servers."""
    files = stored(server, account)
    return len(files) == len(messages) and all(
        sum(file.endswith(b"\r\n" + one) for file in files) == 1 for one in messages
    )


def described(server: LiveServer, sender: Sender) -> str:
    return f"{[file[:400] for file in stored(server, BOB)]}\n{sender.log()[-5000:]}"


POOR = """\
smtp_tls_security_level = none
smtp_discard_ehlo_keywords = pipelining, 8bitmime, size, chunking, dsn, smtputf8
disable_mime_output_conversion = yes
"""
OLD = """\
smtp_tls_security_level = none
smtp_never_send_ehlo = yes
disable_mime_output_conversion = yes
"""
BUSY = """\
smtp_tls_security_level = may
default_destination_concurrency_limit = 20
smtp_connection_cache_destinations = static:all
"""
SENDERS = {
    "postfix in clear": (Postfix, "smtp_tls_security_level = none", b" with ESMTP id "),
    "postfix with TLS": (Postfix, "smtp_tls_security_level = encrypt", b" with ESMTPS id "),
    "postfix that cannot do much": (Postfix, POOR, b" with ESMTP id "),
    "postfix that says HELO": (Postfix, OLD, b" with SMTP id "),
    "postfix, many at a time": (Postfix, BUSY, b" with ESMTPS id "),
    "exim in clear, in chunks": (
        Exim,
        "hosts_avoid_tls = *\n  hosts_try_chunking = *",
        b" with ESMTP id ",
    ),
    "exim in clear, without": (
        Exim,
        "hosts_avoid_tls = *\n  hosts_try_chunking =\n  hosts_avoid_pipelining = *",
        b" with ESMTP id ",
    ),
    "exim with TLS": (Exim, "hosts_require_tls = *", b" with ESMTPS id "),
    "opensmtpd in clear": (OpenSmtpd, "smtp+notls", b" with ESMTP id "),
    "opensmtpd with TLS": (OpenSmtpd, "smtp", b" with ESMTPS id "),
}


@contextmanager
def sending(name: str, port: int) -> Iterator[Sender]:
    make, settings, _ = SENDERS[name]
    sender = make(port, settings)
    try:
        yield sender
    finally:
        sender.stop()


@pytest.mark.parametrize("name", SENDERS)
def test_every_octet_arrives(server: LiveServer, name: str) -> None:
    with sending(name, server.ports["smtp"]) as sender:
        for one in MESSAGES:
            sender.send(one, [BOB], options=["BODY=8BITMIME"])
        sender.send(PLAIN, [ALICE, CAROL])
        assert eventually(lambda: came(server, MESSAGES), 30), described(server, sender)
        assert eventually(lambda: came(server, [PLAIN], ALICE)), described(server, sender)
        assert eventually(lambda: came(server, [PLAIN], CAROL)), described(server, sender)
    assert all(SENDERS[name][2] in file for file in stored(server, BOB)), stored(server, BOB)[0][
        :1000
    ]


# ---------------------------------------------------------------- what is said on the way


@contextmanager
def overheard(server: LiveServer, name: str) -> Iterator[tuple[Sender, Tap]]:
    with closing(Tap(server.ports["smtp"])) as tap, sending(name, tap.port) as sender:
        yield sender, tap


def test_exim_sends_chunks(server: LiveServer) -> None:
    with overheard(server, "exim in clear, in chunks") as (sender, tap):
        for one in (EIGHT, DOTS, LARGE):
            sender.send(one, [BOB, ALICE])
        assert eventually(lambda: came(server, [EIGHT, DOTS, LARGE])), described(server, sender)
    assert b"\r\nBDAT " in tap.said
    assert b"\r\nDATA\r\n" not in tap.said


PIPELINING = ["postfix in clear", "exim in clear, in chunks"]
WISHES = ["RET=HDRS", "ENVID=QQ314159"]
TOLD = ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;bob@example.net"]


@pytest.mark.parametrize("name", [*PIPELINING, "opensmtpd in clear"])
def test_wishes_for_notifications_are_taken_where_they_are_offered(
    server: LiveServer, name: str
) -> None:
    with overheard(server, name) as (sender, tap):
        sender.send(PLAIN, [BOB], options=WISHES, rcpt_options=TOLD)
        assert eventually(lambda: came(server, [PLAIN])), described(server, sender)
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n")
        is_offered = b"250-DSN" in client.until(b"250 ")
    for parameter in (*WISHES, *TOLD):
        assert (parameter.encode() in tap.said) == is_offered


@pytest.mark.parametrize("name", PIPELINING)
def test_addresses_beyond_ascii_are_handed_on(server: LiveServer, name: str) -> None:
    with overheard(server, name) as (sender, tap):
        text = EIGHT.replace(b"Alice <alice@", "Jörg <jörg@".encode())
        sender.send(text, [BOB], "jörg@example.com", options=["SMTPUTF8", "BODY=8BITMIME"])
        assert eventually(lambda: came(server, [text])), described(server, sender)
    assert "MAIL FROM:<jörg@example.com>".encode() in tap.said
    assert b" SMTPUTF8" in tap.said
    [file] = stored(server, BOB)
    assert b" with UTF8SMTP id " in file


@pytest.mark.parametrize("name", PIPELINING)
def test_commands_come_together(server: LiveServer, name: str) -> None:
    with overheard(server, name) as (sender, tap):
        sender.send(PLAIN, [BOB, ALICE, CAROL])
        assert eventually(lambda: came(server, [PLAIN])), described(server, sender)
    assert any(b"MAIL FROM:" in one and b"RCPT TO:" in one for one in tap.pieces)


@pytest.mark.parametrize("name", ["postfix in clear", "exim in clear, in chunks"])
def test_one_who_is_unknown_bounces_and_others_get_their_mail(
    server: LiveServer, name: str, tmp_path: Path
) -> None:
    with sending(name, server.ports["smtp"]) as sender:
        sender.send(PLAIN, [BOB, "nobody@example.org"], sender=ALICE)
        assert eventually(lambda: came(server, [PLAIN])), described(server, sender)
        assert eventually(lambda: len(stored(server, ALICE)) == 1), described(server, sender)
    [bounce] = stored(server, ALICE)
    assert b"Return-Path: <>" in bounce
    assert b"5.1.1" in bounce
