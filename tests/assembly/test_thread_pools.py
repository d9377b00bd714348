"""The end of the threads: what was begun is finished, and none is left."""

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.net.process.test_blocking import QueueReactor
from twisted_mail.assembly.thread_pools import ThreadPools
from twisted_mail.config import Config
from twisted_mail.net.process.blocking import ThreadBlocking


@pytest.mark.parametrize("name", ["files", "accounts", "messages", "passwords", "programs"])
def test_the_end_waits_for_the_threads_of_each_pool(name: str, tmp_path: Path) -> None:
    reactor: Any = QueueReactor()
    pools = ThreadPools(reactor, Config(tmp_path / "mail.toml", "h", tmp_path), lambda: None)
    pool: ThreadBlocking = getattr(pools, name)
    pools.start()
    Deferred.fromCoroutine(pool.run(lambda: None))
    [thread] = pool._threads
    pools.stop()
    assert not thread.is_alive()


@pytest.mark.parametrize("name", ["files", "accounts"])
def test_the_end_waits_for_work_in_mail_that_was_not_begun(name: str, tmp_path: Path) -> None:
    reactor: Any = QueueReactor()
    pools = ThreadPools(reactor, Config(tmp_path / "mail.toml", "h", tmp_path), lambda: None)
    pool: ThreadBlocking = getattr(pools, name)
    done: list[int] = []
    for number in range(100):
        Deferred.fromCoroutine(pool.run(done.append, number))
    pools.start()
    pools.stop()
    assert len(done) == 100
