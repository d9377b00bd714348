"""Sessions of IMAP and POP3 in two workers: one server to everybody."""

import os
import signal
import smtplib
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TypeVar

import pytest

from tests.whole.crew import BOB, WORKERS, Crewed, worker_of
from tests.whole.hostile import Raw, eventually
from tests.whole.live import PATIENCE
from tests.whole.talker import Lost, Talker
from twisted_mail.config import load
from twisted_mail.directory.editing.editor import DirectoryEditor

pytestmark = pytest.mark.whole

AT_ONCE = 1.0  # seconds; a hundredth of it, on a machine that does nothing else
MESSAGE = b"Subject: hello\r\n\r\nHello.\r\n"


T = TypeVar("T", Raw, Talker)


def raw(server: Crewed, service: str = "imap") -> Raw:
    """Connect, and take the greeting."""
    client = server.raw(service)
    client.line()
    return client


def process_of(server: Crewed, client: Raw | Talker, service: str = "imap") -> int:
    """Return the worker that a client is connected to."""
    port = client.port if isinstance(client, Talker) else client.socket.getsockname()[1]
    return worker_of(server, server.workers(), port, service)


def apart(server: Crewed, connect: Callable[[], T], service: str = "imap") -> list[T]:
    """Return a connection to each worker, in the order of the processes."""
    found: dict[int, T] = {}
    spare: list[T] = []
    while len(found) < WORKERS:
        client = connect()
        pid = process_of(server, client, service)
        assert pid, "a session is in no worker"
        if found.setdefault(pid, client) is not client:
            spare.append(client)
    for client in spare:
        client.close()
    return [found[pid] for pid in sorted(found)]


def talkers(server: Crewed, mailbox: str = "INBOX") -> list[Talker]:
    """Return a client in each worker, with a mailbox selected."""
    found = apart(server, lambda: Talker(server.ports["imap"], BOB))
    for talker in found:
        assert talker.select(mailbox)
    return found


class Idler:
    """A client in IDLE."""

    def __init__(self, client: Raw) -> None:
        self.client = client
        assert client.ask(f"l LOGIN {BOB} secret".encode()).startswith(b"l OK")
        client.send(b"s SELECT INBOX\r\n")
        assert client.until(b"s ")[-1].startswith(b"s OK")
        assert client.ask(b"i IDLE").startswith(b"+")

    def hears(self, expected: bytes) -> float:
        """Wait for a line; return how long that took."""
        began = time.monotonic()
        while expected not in (line := self.client.line()):
            assert line, f"never heard {expected!r}"
        return time.monotonic() - began


# ---------------------------------------------------------------- what others did


def test_what_a_session_did_is_known_to_one_in_another_process_at_once(crewed: Crewed) -> None:
    one, other = talkers(crewed)
    for number in range(1, 21):
        one.ask("APPEND INBOX", b"Subject: %d\r\n\r\nHello.\r\n" % number)
        assert other.state() == one.state()
        one.ask(f"STORE {number} +FLAGS (\\Flagged Word{number})")
        assert other.state() == one.state()
        other.ask(f"STORE {number} FLAGS (Word{21 - number})")
        assert other.state() == one.state()
    other.ask("UID STORE 5:9 +FLAGS.SILENT (\\Deleted)")
    other.ask("EXPUNGE")
    assert len(one.state()) == 15
    assert other.state() == one.state()


def test_a_client_in_idle_hears_at_once_what_happens_in_another_process(crewed: Crewed) -> None:
    first, _ = apart(crewed, lambda: raw(crewed))
    idler, other = Idler(first), talkers(crewed)[1]
    took = []
    for number in range(1, 6):
        other.ask("APPEND INBOX", MESSAGE)
        took.append(idler.hears(b"* %d EXISTS" % number))
        other.ask(f"STORE {number} +FLAGS (\\Flagged)")
        took.append(idler.hears(b"* %d FETCH (UID %d FLAGS (\\Flagged" % (number, number)))
    other.ask("STORE 2 +FLAGS (\\Deleted)")
    other.ask("EXPUNGE")
    took.append(idler.hears(b"* 2 EXPUNGE"))
    crewed.send("hello", BOB)
    took.append(idler.hears(b"* 5 EXISTS"))
    assert max(took) < AT_ONCE, took


def test_a_message_is_recent_to_one_session(crewed: Crewed) -> None:
    clients = talkers(crewed)
    for number in range(1, 6):
        crewed.send(f"m{number}", BOB)
    assert eventually(lambda: all(len(client.state()) == 5 for client in clients))
    lines = [line for client in clients for line in client.ask("FETCH 1:* FLAGS").lines]
    assert len(lines) == 10
    assert sum(b"\\Recent" in line for line in lines) == 5


def test_a_mailbox_is_renamed_and_deleted_for_sessions_of_all_processes(crewed: Crewed) -> None:
    for mailbox in ("One", "Two"):
        Talker(crewed.ports["imap"], BOB).ask(f"CREATE {mailbox}")
    one, other = talkers(crewed, "One")
    assert one.ask('RENAME "One" "Another"').is_ok
    assert other.ask("APPEND Another", MESSAGE).is_ok
    assert len(other.state()) == len(one.state()) == 1
    assert one.ask("SUBSCRIBE Another").is_ok
    assert other.mailboxes() == one.mailboxes()
    assert any(b"Another" in line for line in other.ask('LSUB "" "*"').lines)
    assert one.select("Two")
    assert one.ask('DELETE "Another"').is_ok
    with pytest.raises(Lost, match="deleted"):
        _until_lost(other)
    assert "Another" not in one.mailboxes()


def _until_lost(client: Talker) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        client.ask("NOOP")


def test_the_maildrop_is_one_for_all_processes(crewed: Crewed) -> None:
    def connect() -> Raw:
        client = raw(crewed, "pop3")
        assert client.ask(f"USER {BOB}".encode()).startswith(b"+OK")
        return client

    first, second = apart(crewed, connect, "pop3")
    assert first.ask(b"PASS secret").startswith(b"+OK")
    assert second.ask(b"PASS secret").startswith(b"-ERR [IN-USE]")
    os.kill(process_of(crewed, first, "pop3"), signal.SIGKILL)
    assert first.rest() == b""
    assert second.ask(f"USER {BOB}".encode()).startswith(b"+OK")
    assert second.ask(b"PASS secret").startswith(b"+OK")


# ---------------------------------------------------------------- what is counted once


def test_sessions_are_spread_over_the_workers(crewed: Crewed) -> None:
    clients = [Talker(crewed.ports["imap"], BOB) for _ in range(20)]
    served = [process_of(crewed, client) for client in clients]
    assert set(served) == set(crewed.workers())
    assert min(map(served.count, served)) >= 5


def test_the_sessions_of_an_account_are_counted_together(crew: Callable[..., Crewed]) -> None:
    server = crew(listener="connections_per_account = 5\n")
    with ExitStack() as stack:
        answers = []
        for _ in range(8):
            client = stack.enter_context(raw(server))
            answers.append(client.ask(f"l LOGIN {BOB} secret".encode())[:5].strip())
    assert [answer == b"l OK" for answer in answers] == [True] * 5 + [False] * 3
    assert eventually(lambda: raw(server).ask(f"l LOGIN {BOB} secret".encode()).startswith(b"l OK"))


def test_a_quota_is_one_for_sessions_and_senders(crew: Callable[..., Crewed]) -> None:
    server = crew("[store]\nquota_messages = 6\n")
    one, other = talkers(server)
    server.send("hello", BOB)
    answers = [one.ask("APPEND INBOX", MESSAGE), other.ask("APPEND INBOX", MESSAGE)]
    answers += [one.ask("COPY 1:2 INBOX"), other.ask("APPEND INBOX", MESSAGE)]
    answers += [one.ask("APPEND INBOX", MESSAGE), other.ask("COPY 1 INBOX")]
    assert [answer.is_ok for answer in answers] == [True] * 4 + [False] * 2
    with pytest.raises(smtplib.SMTPException, match="no room"):
        server.send("more", BOB)
    assert server.count(BOB) == 6


def test_an_account_that_is_removed_has_no_session_in_any_process(crewed: Crewed) -> None:
    idler = Idler(raw(crewed))
    one, other = talkers(crewed)
    config = load(crewed.folder / "mail.toml")
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as editor:
        editor.accounts.remove(BOB)
    for client in (one, other):
        with pytest.raises(Lost):
            _until_lost(client)
    assert b"BYE" in idler.client.rest()


# ---------------------------------------------------------------- beginnings and ends


def _kill_workers(server: Crewed) -> None:
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)


def test_what_a_worker_was_doing_when_it_died_is_done_or_not(crewed: Crewed) -> None:
    one, other = talkers(crewed)
    idler = Idler(raw(crewed))
    other.ask("APPEND INBOX", MESSAGE)
    with closing(raw(crewed)) as client:
        assert client.ask(f"l LOGIN {BOB} secret".encode()).startswith(b"l OK")
        assert client.ask(b"a APPEND INBOX {1000}").startswith(b"+")
        client.send(b"Subject: half\r\n\r\n")
        _kill_workers(crewed)
        assert client.rest() == b""
    idler.client.rest()
    with pytest.raises(Lost):
        _until_lost(one)
    assert crewed.has_begun(2 * WORKERS)
    assert crewed.count(BOB) == 1
    assert not list((crewed.folder / "state").rglob("tmp/*half*"))


def test_a_session_in_the_main_process_goes_on_next_to_those_of_workers(crewed: Crewed) -> None:
    """While no worker is there the main process takes sessions, which last."""
    _kill_workers(crewed)
    assert eventually(lambda: crewed.text().count("the next starts in") == WORKERS)
    here = Talker(crewed.ports["imap"], BOB)
    assert here.select("INBOX")
    assert worker_of(crewed, [crewed.pid], here.port, "imap") == crewed.pid
    assert crewed.has_begun(2 * WORKERS)
    there, _ = talkers(crewed)
    there.ask("APPEND INBOX", MESSAGE)
    assert here.state() == there.state() == {1: frozenset()}
    here.ask("STORE 1 +FLAGS (\\Flagged)")
    assert there.state() == {1: frozenset({"\\Flagged"})}


def test_sessions_are_sent_a_farewell_when_the_server_stops(crewed: Crewed) -> None:
    idler = Idler(raw(crewed))
    waiting = apart(crewed, lambda: raw(crewed))
    drop = raw(crewed, "pop3")
    crewed.process._process.terminate()
    assert b"* BYE Server shutting down" in idler.client.rest()
    for client in waiting:
        assert client.rest().startswith(b"* BYE")
    assert drop.rest().startswith(b"-ERR")
    assert crewed.process._process.wait(PATIENCE) in (0, -signal.SIGTERM)


def test_new_sessions_follow_a_reload_and_old_ones_go_on(crewed: Crewed) -> None:
    before = talkers(crewed)
    path = crewed.folder / "mail.toml"
    path.write_text(path.read_text() + "\n[imap]\nmax_size = 1024\n")
    os.kill(crewed.pid, signal.SIGHUP)
    assert eventually(lambda: "reload: [imap]" in crewed.text())
    for client in before:
        assert client.ask("APPEND INBOX", b"x" * 2000).is_ok
    for client in apart(crewed, lambda: Talker(crewed.ports["imap"], BOB)):
        assert not client.ask("APPEND INBOX", b"x" * 2000).is_ok
