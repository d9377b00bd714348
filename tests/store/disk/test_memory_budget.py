"""Messages stay in memory as long as all of them together are not too much."""

import gc
import threading
from pathlib import Path

import pytest

from tests.contracts.meanwhile import TurningBlocking, together
from twisted_mail.mail.message import Blob, MemoryBlob
from twisted_mail.store.disk.blob import FileBlob
from twisted_mail.store.disk.memory_budget import Budget, BudgetedBlob, BudgetShare
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking, finish

SMALL = 100


@pytest.fixture
def budget() -> Budget:
    return Budget(left=1000, most=600)


def written(folder: Path, budget: Budget, size: int) -> Blob:
    writer = SpoolWriter(folder, InlineBlocking(), SMALL, budget)
    for _ in range(size // 50):
        finish(writer.write(b"x" * 50))
    return finish(writer.finish())


def test_what_is_small_costs_nothing_of_the_budget(tmp_path: Path, budget: Budget) -> None:
    assert isinstance(written(tmp_path, budget, SMALL), MemoryBlob)
    assert budget.left == 1000


def test_what_the_budget_allows_stays_in_memory(tmp_path: Path, budget: Budget) -> None:
    blob = written(tmp_path, budget, 500)
    assert isinstance(blob, BudgetedBlob)
    assert (b"".join(blob.pieces()), blob.size) == (b"x" * 500, 500)
    assert b"".join(blob.pieces(10, 20)) == b"x" * 10
    assert budget.left == 500
    blob.close()
    blob.close()
    assert budget.left == 1000


@pytest.mark.parametrize("size", [650, 5000])
def test_one_message_may_not_have_all(tmp_path: Path, budget: Budget, size: int) -> None:
    blob = written(tmp_path, budget, size)
    assert isinstance(blob, FileBlob)
    assert sum(map(len, blob.pieces())) == size
    assert budget.left == 1000
    blob.close()


def test_when_all_is_used_up_messages_go_by_files(tmp_path: Path, budget: Budget) -> None:
    first = written(tmp_path, budget, 600)
    second = written(tmp_path, budget, 500)
    assert isinstance(second, FileBlob)
    first.close()
    assert isinstance(written(tmp_path, budget, 500), BudgetedBlob)
    second.close()


def test_a_message_that_is_not_kept_gives_all_back(tmp_path: Path, budget: Budget) -> None:
    writer = SpoolWriter(tmp_path, InlineBlocking(), SMALL, budget)
    finish(writer.write(b"x" * 500))
    writer.discard()
    finish(writer.write(b"x" * 500))
    assert budget.left == 1000


def test_what_is_forgotten_is_given_back(tmp_path: Path, budget: Budget) -> None:
    blob = written(tmp_path, budget, 500)
    del blob
    gc.collect()
    assert budget.left == 1000


def test_memory_is_given_back_when_it_is_written_and_not_before(
    tmp_path: Path, budget: Budget
) -> None:
    writer = SpoolWriter(tmp_path, TurningBlocking(), SMALL, budget)
    finish(writer.write(b"x" * 600))
    spilling = writer.write(b"x" * 50)
    spilling.send(None)
    assert budget.left == 400
    together([spilling])
    assert budget.left == 1000
    writer.discard()


def test_threads_do_not_lose_count() -> None:
    budget = Budget(left=10_000, most=100)

    def churn() -> None:
        for _ in range(2000):
            share = BudgetShare(budget)
            share.covers(3)
            share.close()

    threads = [threading.Thread(target=churn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.left == 10_000
