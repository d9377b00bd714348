"""kill -9 in the middle of mixed work: every acknowledged operation is there afterwards.

``TWISTED_MAIL_KILLS=200`` kills so many times; ``TWISTED_MAIL_SEED`` repeats the clients' choices.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.whole.crowd import Book, Worker, check, prepare, stop, truth
from tests.whole.live import CONFIG, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

pytestmark = pytest.mark.whole

KILLS = int(os.environ.get("TWISTED_MAIL_KILLS", "4"))
SEED = int(os.environ.get("TWISTED_MAIL_SEED", "0")) or random.randrange(10**9)
CLIENTS = 5
LONGEST = 0.8  # seconds of work before a kill


def test_whatever_was_acknowledged_survives_kill(tmp_path: Path) -> None:
    print(f"TWISTED_MAIL_SEED={SEED}")  # noqa: T201  # a failure shows it
    furnish(tmp_path)
    smtp, imap = free_port(), free_port()
    listeners = "".join(
        f'[[listener]]\nservice = "{service}"\nendpoint = "tcp:{port}:interface=127.0.0.1"\n'
        "cleartext_passwords = true\nconnections_per_address = 1000\n"
        for service, port in (("smtp", smtp), ("imap", imap))
    )
    (tmp_path / "mail.toml").write_text(CONFIG + listeners)
    log = tmp_path / "log"
    server = ServerProcess(tmp_path / "mail.toml", log)
    try:
        kill_again_and_again(server, imap, smtp)
    finally:
        server.kill()
    assert "Traceback" not in log.read_text()


def kill_again_and_again(server: ServerProcess, imap: int, smtp: int) -> None:
    chance, book = random.Random(SEED), Book()
    prepare(imap)
    for kill in range(KILLS):
        workers = [
            Worker(f"c{client}", imap, smtp, book, SEED + kill, may_be_lost=True)
            for client in range(CLIENTS)
        ]
        for worker in workers:
            worker.start()
        time.sleep(chance.uniform(0.05, LONGEST))
        server.kill()
        stop(workers)
        server.start()
        assert not book.errors, f"TWISTED_MAIL_SEED={SEED}\n" + "\n".join(book.errors)
        check(truth(imap, book), book)
    print(KILLS, "kills", dict(book.done))  # noqa: T201
