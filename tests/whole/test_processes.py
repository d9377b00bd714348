"""Two server processes on one state folder, and clients of both at work on one account.

``TWISTED_MAIL_SECONDS=60`` lets them work for a minute; ``TWISTED_MAIL_SEED`` repeats their choices.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.crowd import ACCOUNT, Book, Worker, check, prepare, truth, work
from tests.whole.live import CONFIG, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess
from tests.whole.talker import Talker

pytestmark = pytest.mark.whole

SECONDS = float(os.environ.get("TWISTED_MAIL_SECONDS", "8"))
SEED = int(os.environ.get("TWISTED_MAIL_SEED", "0")) or random.randrange(10**9)
CLIENTS = 3  # of each process


class Twins:
    """The two processes, and their ports."""

    def __init__(self, folder: Path) -> None:
        furnish(folder)
        self.ports = [(free_port(), free_port()) for _ in range(2)]
        self.processes = []
        self.logs = [folder / f"log{number}" for number in range(2)]
        for number, (smtp, imap) in enumerate(self.ports):
            listeners = "".join(
                f'[[listener]]\nservice = "{service}"\ncleartext_passwords = true\n'
                f'endpoint = "tcp:{port}:interface=127.0.0.1"\nconnections_per_address = 1000\n'
                for service, port in (("smtp", smtp), ("imap", imap))
            )
            config = folder / f"mail{number}.toml"
            config.write_text(
                CONFIG.replace('"state"', f'"{self._state(folder, number)}"') + listeners
            )
            self.processes.append(ServerProcess(config, self.logs[number]))

    def _state(self, folder: Path, number: int) -> str:
        """Return the state folder of a process: the mail is the same, and each has its own queue."""
        if number == 0:
            return "state"
        other = folder / f"state{number}"
        other.mkdir(mode=0o700)
        for name in ("mail", "tls", "accounts.sqlite3"):
            (other / name).symlink_to(folder / "state" / name)
        return other.name

    def talker(self, number: int, mailbox: str) -> Talker:
        talker = Talker(self.ports[number][1], ACCOUNT, f"watcher {number} of {mailbox}")
        assert talker.select(mailbox)
        return talker

    def check_logs(self) -> None:
        for log in self.logs:
            assert "Traceback" not in log.read_text(), log.read_text()[-5000:]

    def stop(self) -> None:
        for process in self.processes:
            assert process.stop()


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    found = Twins(tmp_path)
    yield found
    found.stop()


def test_two_processes_agree_about_one_account(twins: Twins) -> None:
    print(f"TWISTED_MAIL_SEED={SEED}")  # noqa: T201  # a failure shows it
    prepare(twins.ports[0][1])
    book = Book()
    watchers = [
        (name, twins.talker(number, name)) for name in ("INBOX", "One") for number in (0, 1)
    ]
    workers = [
        Worker(f"w{number}{client}", imap, smtp, book, SEED)
        for number, (smtp, imap) in enumerate(twins.ports)
        for client in range(CLIENTS)
    ]
    work(workers, SECONDS)
    assert not book.errors, f"TWISTED_MAIL_SEED={SEED}\n" + "\n".join(book.errors)

    views = [truth(imap, book) for _, imap in twins.ports]
    assert views[0] == views[1]
    for name, watcher in watchers:
        now = {uid: flags for uid, (_, flags) in views[0][name][1].items()}
        assert watcher.state() == now, watcher.name
    check(views[0], book)
    twins.check_logs()
    assert sum(book.done.values()) > SECONDS * 10, book.done
    print(dict(book.done))  # noqa: T201


def test_what_one_process_did_is_known_to_the_other_at_once(twins: Twins) -> None:
    one, other = twins.talker(0, "INBOX"), twins.talker(1, "INBOX")
    for number in range(1, 31):
        one.ask("APPEND INBOX", b"Subject: %d\r\n\r\nHello.\r\n" % number)
        one.ask("NOOP")
        one.learn()
        assert other.state() == one.state()
        one.ask(f"STORE {number} +FLAGS (\\Flagged Word{number})")  # some keywords have no letter
        assert other.state() == one.state()
        other.ask(f"STORE {number} FLAGS (Word{31 - number})")
        assert other.state() == one.state()
    other.ask("UID STORE 5:9 +FLAGS.SILENT (\\Deleted)")
    other.ask("EXPUNGE")
    assert len(one.state()) == 25
    assert other.state() == one.state()


def test_a_mailbox_renamed_or_deleted_by_one_process_is_so_for_the_other(twins: Twins) -> None:
    prepare(twins.ports[0][1])
    one, other = twins.talker(0, "One"), twins.talker(1, "One")
    other.ask("APPEND One", b"Subject: here\r\n\r\nHello.\r\n")
    assert one.ask('RENAME "One" "Another"').is_ok
    assert other.ask("UID STORE 1 +FLAGS (\\Flagged)").is_ok
    assert one.state() == other.state() == {1: frozenset({"\\Flagged"})}
    assert one.ask('CREATE "One"').is_ok
    assert other.state() == {1: frozenset({"\\Flagged"})}
    assert other.mailboxes() == one.mailboxes()
    before = one.uidvalidity
    assert other.ask('DELETE "One"').is_ok
    assert other.ask('CREATE "One"').is_ok
    assert one.select("One")
    assert one.uidvalidity > before
    assert other.select("One")
    assert other.uidvalidity == one.uidvalidity
