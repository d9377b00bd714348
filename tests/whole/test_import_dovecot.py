"""A real Dovecot as the source of an import, with its namespace, its names and its answers."""

import imaplib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, StoreCommand, facts, wanted
from tests.corpus import mails
from tests.whole.live import PATIENCE
from tests.whole.peers import Dovecot, give
from twisted_mail.control.store.importing.imap_client import ImapClient

pytestmark = pytest.mark.whole

PREFIXED = "namespace inbox {\n  prefix = INBOX.\n  separator = .\n}\n"


@pytest.fixture(params=["", PREFIXED], ids=["plain", "prefixed"])
def dovecot(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        maildir = folder / "Maildir"
        maildir.mkdir(0o700)
        give(maildir)
        server = Dovecot(folder / "dovecot", maildir, request.param)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def store(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, dovecot: Dovecot
) -> StoreCommand:
    """The command, whose connection is in clear here: this Dovecot has no certificate."""
    address = ("127.0.0.1", dovecot.imap_port)
    monkeypatch.setattr(
        ImapClient, "_create_socket", lambda _, timeout: socket.create_connection(address, timeout)
    )
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


def bring(store: StoreCommand) -> Any:
    store.type("secret\n")
    return store.json("import", ALICE, "imaps://bob@127.0.0.1/", "--password-stdin")


def filled(dovecot: Dovecot, number: int) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", dovecot.imap_port, timeout=PATIENCE)
    client.login("bob", "secret")
    for each in mails(number):
        flags = " ".join(sorted(each.flags))
        date = imaplib.Time2Internaldate(each.date)
        assert client.append("INBOX", f"({flags})", date, each.data)[0] == "OK"
    return client


def test_everything_that_dovecot_has_comes_once(dovecot: Dovecot, store: StoreCommand) -> None:
    client = filled(dovecot, 60)
    _, [said] = client.namespace()
    prefix, separator = ("INBOX.", ".") if b"INBOX." in said else ("", ".")
    name = f'"{prefix}Caf&AOk-{separator}2024"'
    assert client.create(name)[0] == "OK"
    client.append(name, "(\\Flagged ketchup)", None, b"Subject: x\r\n\r\ny\r\n")
    client.subscribe(name)
    answer = bring(store)
    assert (answer["imported"], answer["skipped"], answer["remarks"]) == (61, [], []), answer
    assert facts(store.look()) == wanted(mails(60))
    assert len(store.look(mailbox="Café/2024")) == 1
    assert "Café/2024" in store.subscribed()
    client.append("INBOX", None, None, b"Subject: late\r\n\r\ny\r\n")
    assert bring(store)["imported"] == 1
    assert bring(store)["imported"] == 0
    client.logout()


def test_a_message_that_dovecot_cannot_read_is_named(dovecot: Dovecot, store: StoreCommand) -> None:
    """Dovecot ends the connection at it."""
    filled(dovecot, 5).logout()
    [first, *_] = sorted((dovecot.maildir / "cur").iterdir())
    os.truncate(first, 0)
    answer = bring(store)
    assert (answer["imported"], answer["ok"]) == (4, False), answer
    [told] = answer["skipped"]
    assert told["where"].startswith("INBOX, UID ")
