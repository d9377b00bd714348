"""Clients at work on one account in two workers, which are killed meanwhile.

``TWISTED_MAIL_KILLS=100`` kills so many workers; ``TWISTED_MAIL_SEED`` repeats the clients' choices.
"""

import os
import random
import signal
import time

import pytest

from tests.whole.crew import WORKERS, Crewed
from tests.whole.crowd import ACCOUNT, Book, Worker, check, prepare, stop, truth, work
from tests.whole.talker import Talker

pytestmark = pytest.mark.whole

KILLS = int(os.environ.get("TWISTED_MAIL_KILLS", "3"))
SECONDS = float(os.environ.get("TWISTED_MAIL_SECONDS", "8"))
SEED = int(os.environ.get("TWISTED_MAIL_SEED", "0")) or random.randrange(10**9)
CLIENTS = 6
LONGEST = 0.8  # seconds of work before a kill


def crowd(server: Crewed, book: Book, seed: int, may_be_lost: bool = False) -> list[Worker]:
    ports = server.ports["imap"], server.ports["smtp"]
    return [Worker(f"c{number}", *ports, book, seed, may_be_lost) for number in range(CLIENTS)]


def test_clients_in_two_workers_agree_about_one_account(crewed: Crewed) -> None:
    print(f"TWISTED_MAIL_SEED={SEED}")  # noqa: T201  # a failure shows it
    port, book = crewed.ports["imap"], Book()
    prepare(port)
    watchers = [Talker(port, ACCOUNT, f"watcher {number}") for number in range(4)]
    for watcher in watchers:
        assert watcher.select("INBOX")
    work(crowd(crewed, book, SEED), SECONDS)
    assert not book.errors, f"TWISTED_MAIL_SEED={SEED}\n" + "\n".join(book.errors)
    found = truth(port, book)
    now = {uid: flags for uid, (_, flags) in found["INBOX"][1].items()}
    for watcher in watchers:
        assert watcher.state() == now, watcher.name
    check(found, book)
    assert sum(book.done.values()) > SECONDS * 5, book.done


def test_what_a_worker_answered_survives_its_end(crewed: Crewed) -> None:
    print(f"TWISTED_MAIL_SEED={SEED}")  # noqa: T201  # a failure shows it
    port, book, chance = crewed.ports["imap"], Book(), random.Random(SEED)
    prepare(port)
    for kill in range(1, KILLS + 1):
        workers = crowd(crewed, book, SEED + kill, may_be_lost=True)
        for worker in workers:
            worker.start()
        time.sleep(chance.uniform(0.05, LONGEST))
        for pid in crewed.workers():
            os.kill(pid, signal.SIGKILL)
        stop(workers)
        assert not book.errors, f"TWISTED_MAIL_SEED={SEED}\n" + "\n".join(book.errors)
        check(truth(port, book), book)
        assert crewed.has_begun(WORKERS * (kill + 1))
