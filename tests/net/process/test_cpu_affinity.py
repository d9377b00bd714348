import errno
import os
import threading

import pytest
from twisted.logger import globalLogPublisher

from twisted_mail.net.process.cpu_affinity import CpuAffinity

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two processors",
)


@pytest.fixture(autouse=True)
def _restore():
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def in_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_the_thread_and_those_it_starts_stay_on_one_processor():
    processor = CpuAffinity()
    processor.pin()
    assert len(os.sched_getaffinity(0)) == 1
    assert in_a_thread(lambda: os.sched_getaffinity(0)) == os.sched_getaffinity(0)


def test_a_thread_may_use_all_again():
    processor = CpuAffinity()
    processor.pin()

    def unpin():
        processor.unpin()
        return os.sched_getaffinity(0)

    assert in_a_thread(unpin) == processor.allowed
    assert len(os.sched_getaffinity(0)) == 1


def test_who_does_not_stay_is_left_alone():
    before = os.sched_getaffinity(0)
    processor = CpuAffinity()
    processor.unpin()
    assert os.sched_getaffinity(0) == before


def test_one_processor_needs_no_choice():
    one = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {one})
    processor = CpuAffinity()
    processor.pin()
    processor.unpin()
    assert os.sched_getaffinity(0) == {one}


def test_a_refusal_is_logged_and_changes_nothing(monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    before = os.sched_getaffinity(0)
    processor = CpuAffinity()
    events = []
    globalLogPublisher.addObserver(events.append)
    try:
        with monkeypatch.context() as refusing:
            refusing.setattr(os, "sched_setaffinity", refuse)
            processor.pin()
    finally:
        globalLogPublisher.removeObserver(events.append)
    processor.unpin()
    assert [event["text"] for event in events] == ["Operation not permitted"]
    assert os.sched_getaffinity(0) == before


def test_a_system_without_affinity_is_left_alone(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    processor = CpuAffinity()
    processor.pin()
    assert processor.allowed == frozenset()
