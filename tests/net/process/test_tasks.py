from twisted.internet.task import Clock

from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.testing.recorded_log import ListJournal


def test_a_task_begins_at_once() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("begun")

    ReactorTasks(Clock(), ListJournal()).start("work", work())
    assert done == ["begun"]


def test_a_bug_is_logged_under_the_name_of_its_task() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    journal = ListJournal()
    ReactorTasks(Clock(), journal).start("work", work())
    assert journal.events == [("failed", ("work",))]


def test_a_task_that_is_cancelled_is_no_bug() -> None:
    time, journal = Clock(), ListJournal()
    tasks, ended = ReactorTasks(time, journal), list[str]()
    signal = tasks.signal()

    async def work() -> None:
        try:
            await signal.wait(10.0)
        finally:
            ended.append("ended")

    cancel = tasks.start("work", work())
    assert ended == []
    cancel()
    assert (ended, journal.events, time.getDelayedCalls()) == (["ended"], [], [])


def test_a_signal_ends_the_wait_that_is_under_way() -> None:
    time = Clock()
    signal = ReactorTasks(time, ListJournal()).signal()
    ended: list[bool] = []

    async def work() -> None:
        ended.append(await signal.wait(10.0))

    ReactorTasks(time, ListJournal()).start("work", work())
    time.advance(5.0)
    assert ended == []
    signal.fire()
    assert ended == [True]
    assert time.getDelayedCalls() == []


def test_a_wait_ends_after_its_time() -> None:
    time = Clock()
    tasks = ReactorTasks(time, ListJournal())
    signal = tasks.signal()
    ended: list[bool] = []

    async def work() -> None:
        ended.append(await signal.wait(10.0))

    tasks.start("work", work())
    time.advance(10.0)
    assert ended == [False]


def test_a_signal_that_nobody_waited_for_ends_the_next_wait() -> None:
    tasks = ReactorTasks(Clock(), ListJournal())
    signal = tasks.signal()
    signal.fire()
    signal.fire()
    ended: list[bool] = []

    async def work() -> None:
        ended.append(await signal.wait(10.0))
        ended.append(await signal.wait(10.0))

    tasks.start("work", work())
    assert ended == [True]
