from tests.contracts.spool import new_job, owed
from twisted_mail.interfaces import SpoolChange
from twisted_mail.queue.spool.fresh_jobs import FRESH_SECONDS, OVERHEAD, FreshJobs
from twisted_mail.store.disk.memory_budget import Budget


def make(most: int = 1 << 20, budget: Budget | None = None) -> FreshJobs:
    return FreshJobs(budget or Budget(), most)


def test_a_new_job_is_handed_out_until_it_was_tried():
    jobs = make()
    new = new_job("a", owed(1), owed(2))
    jobs.add(new, b"body", 0.0, is_kept=True)
    loaded = jobs.load("a", [1, 2])
    assert loaded is not None
    assert (loaded.job, loaded.message.blob.size) == (new.job, 4)
    jobs.note(SpoolChange(altered=[("a", owed(1))]))
    assert jobs.load("a", [1, 2]) is None
    assert jobs.load("a", [2]) is not None
    jobs.note(SpoolChange(gone=[("a", 2)]))
    assert jobs.load("a", [2]) is None


def test_a_prepared_job_is_handed_out_once_it_is_kept():
    jobs = make()
    jobs.add(new_job("a"), b"", 0.0, is_kept=False)
    assert jobs.load("a", [1]) is None
    jobs.keep("a", [owed(2)])
    assert jobs.load("a", [1, 2]) is not None


def test_the_memory_is_that_of_all_messages_and_comes_back():
    budget = Budget(5 * OVERHEAD)
    jobs = make(budget=budget)
    for id in ("a", "b", "c"):
        jobs.add(new_job(id), b"", 0.0, is_kept=True)
    assert [id for id in "abc" if jobs.load(id, [1])] == ["a", "b"]
    jobs.forget("a")
    jobs.forget("a")
    jobs.note(SpoolChange(gone=[("b", 1)]))
    assert budget.left == 5 * OVERHEAD


def test_the_oldest_make_room_for_the_newest():
    jobs = make(most=4 * OVERHEAD + 100)
    for id in ("a", "b", "c"):
        jobs.add(new_job(id), b"", 0.0, is_kept=True)
    assert [id for id in "abc" if jobs.load(id, [1])] == ["b", "c"]
    jobs.add(new_job("large"), b"x" * 5 * OVERHEAD, 0.0, is_kept=True)
    assert jobs.load("large", [1]) is None


def test_a_first_attempt_that_does_not_come_costs_no_memory_for_long():
    budget = Budget()
    jobs = make(budget=budget)
    jobs.add(new_job("a"), b"", 0.0, is_kept=True)
    jobs.forget_old(FRESH_SECONDS)
    assert jobs.load("a", [1]) is not None
    jobs.forget_old(FRESH_SECONDS + 1)
    assert jobs.load("a", [1]) is None
    assert budget.left == Budget().left


def test_one_for_very_many_does_not_take_the_place_of_all_others():
    jobs = make(3 * OVERHEAD)
    jobs.add(new_job("a"), b"", 0.0, is_kept=True)
    jobs.add(new_job("b", *[owed(n) for n in range(1, 100_001)]), b"", 0.0, is_kept=True)
    assert jobs.load("a", [1]) is not None
    assert jobs.load("b", [1]) is None
