"""Several sessions at work at once, in any order of their turns."""

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.chance import ChanceContract, Mirror, steps
from tests.contracts.ground import ALICE, BOB, MANY, Ground, Turn, draft, mail, rows
from twisted_mail.interfaces import Account, Blocking, Store
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError

P = ParamSpec("P")
T = TypeVar("T")


class Job:
    """A piece of work, done once, whether or not anybody still waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.answer: Callable[[], Any] | None = None

    def do(self) -> None:
        try:
            value = self.work()
        except Exception as caught:
            error = caught
            self.answer = lambda: _raise(error)
        else:
            self.answer = lambda: value


def _raise(error: Exception) -> None:
    raise error


class TurningBlocking:
    """A Blocking door whose work is done at somebody's turn, as if by threads.

    ``jobs`` are those of this lane; the outermost door does its work in no order.
    """

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        job = Job(lambda: work(*args, **kwargs))
        self.jobs.append(job)
        await Turn()
        while job.answer is None:
            self.next_job(job).do()
            await Turn()
        return job.answer()

    def next_job(self, wanted: Job) -> Job:
        self.jobs.remove(wanted)
        return wanted

    def lane(self) -> "TurningLane":
        return TurningLane()

    @property
    def is_idle(self) -> bool:
        return not self.jobs


class TurningLane(TurningBlocking):
    """Its work is done one piece at a time, in order."""

    def next_job(self, wanted: Job) -> Job:
        return self.jobs.popleft()


def begin(coroutine: Coroutine[Any, Any, Any], turns: int) -> None:
    """Run a coroutine for some turns, then leave it: its session has ended."""
    with suppress(StopIteration, MailError):
        for _ in range(turns):
            coroutine.send(None)
    coroutine.close()


def together(coroutines: Sequence[Coroutine[Any, Any, T]], turns: Sequence[int] = ()) -> list[Any]:
    """Run coroutines to their ends, turns as told and then in a circle; return results or refusals."""
    results: list[Any] = [None] * len(coroutines)
    left = dict(enumerate(coroutines))
    told = deque(turns)
    for count in range(MANY):
        if not left:
            return results
        which = [*left][(told.popleft() if told else count) % len(left)]
        try:
            left[which].send(None)
        except StopIteration as stop:
            results[which] = stop.value
            del left[which]
        except MailError as error:
            results[which] = error
            del left[which]
    raise AssertionError("the coroutines wait for each other, or for something else")


async def act(account: Account, step: tuple[Any, ...]) -> Any:
    """Do one step of ``chance``, as a session of its own."""
    word, name, *rest = step
    if word == "append":
        number, marks = rest
        drafts = [draft(mail(f"new{n}"), *marks) for n in range(number)]
        return await account.append(name, drafts)
    if word in ("create", "rename", "delete"):
        return await getattr(account, word)(name, *rest)
    mailbox = await account.open(name)
    try:
        return await getattr(mailbox, word)(*rest)
    finally:
        mailbox.close()


class MeanwhileContract(ChanceContract, Ground):
    """Skipped unless the subclass has the fixture ``make_waiting_store``.

    It takes a Blocking door and returns a new and empty store that waits for nothing else.
    """

    meanwhile_examples = 30

    @pytest.fixture
    def make_waiting_store(self) -> Callable[[Blocking], Store]:
        pytest.skip("this store does not say how it waits")

    def test_sessions_at_work_at_once_leave_what_was_heard(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        @settings(max_examples=self.meanwhile_examples, deadline=None)
        @given(
            st.lists(steps, min_size=2, max_size=6),
            st.lists(st.integers(0, 5), max_size=60),
        )
        def play(story: list[tuple[Any, ...]], turns: list[int]) -> None:
            store = make_waiting_store(TurningBlocking())
            account, mirror = self._furnished(store)
            together([act(account, step) for step in story], turns)
            self.reflect(account, mirror)

        play()

    def test_sessions_that_end_in_the_midst_of_their_work_leave_what_was_heard(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        @settings(max_examples=self.meanwhile_examples, deadline=None)
        @given(st.lists(st.tuples(steps, st.integers(0, 8)), min_size=1, max_size=4))
        def play(story: list[tuple[tuple[Any, ...], int]]) -> None:
            store = make_waiting_store(TurningBlocking())
            account, mirror = self._furnished(store)
            inbox = self.run(account.open("INBOX"))
            for step, turns in story:
                begin(act(account, step), turns)
            [uid] = self.put(account, "INBOX", draft(mail("the last")))
            assert self.whole(inbox, uid) == mail("the last")
            self.reflect(account, mirror)

        play()

    def _furnished(self, store: Store) -> tuple[Account, Mirror]:
        account = self.run(store.account(ALICE))
        mirror = Mirror(account, self.names(account))
        for name in ("a/b", "c"):
            self.run(account.create(name))
        for name in ("INBOX", "a", "c"):
            self.put(account, name, *(draft(mail(f"{name}{n}")) for n in range(3)))
        return account, mirror

    def test_two_who_append_at_once_get_different_uids(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        for turns in ([], [0, 1] * 50, [1, 1, 0] * 50):
            store = make_waiting_store(TurningBlocking())
            account = self.run(store.account(ALICE))
            inbox = self.run(account.open("INBOX"))
            drafts = [[draft(mail(f"{who}{n}")) for n in range(2)] for who in "ab"]
            copied = together([account.append("INBOX", each) for each in drafts], turns)
            told = {uid for each in copied for uid in each.targets}
            assert told == {*inbox.columns.uids} == {1, 2, 3, 4}

    def test_an_account_asked_for_twice_at_once_is_one(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        store = make_waiting_store(TurningBlocking())
        one, two = together([store.account(ALICE), store.account(ALICE)], [0, 1] * 50)
        heard = []
        one.watch(heard.append)
        self.put(two, "INBOX", draft(mail("one")))
        assert len(heard) == 1

    def test_a_mailbox_opened_twice_at_once_has_one_set_of_columns(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        store = make_waiting_store(TurningBlocking())
        account = self.run(store.account(ALICE))
        self.put(account, "INBOX", draft(mail("one")))
        one, two = together([account.open("INBOX"), account.open("INBOX")], [0, 1] * 50)
        assert one.columns is two.columns
        assert [row.uid for row in rows(one)] == [1]

    def test_a_message_moved_by_two_at_once_is_moved_once(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        for turns in ([], [0, 1] * 50, [1, 0, 0] * 50):
            store = make_waiting_store(TurningBlocking())
            account = self.run(store.account(ALICE))
            self.put(account, "INBOX", draft(mail("one")))
            one, two = together([account.open("INBOX"), account.open("INBOX")])
            copied = together([one.move([1], "Sent"), two.move([1], "Trash")], turns)
            assert sorted(each.sources for each in copied) == [(), (1,)]
            places = ("INBOX", "Sent", "Trash")
            counts = [self.run(account.status(name)).messages for name in places]
            assert sorted(counts) == [0, 0, 1]

    def test_two_marks_with_one_condition_do_not_both_pass(
        self, make_waiting_store: Callable[[Blocking], Store]
    ):
        for turns in ([], [0, 1] * 50, [1, 0, 0] * 50):
            store = make_waiting_store(TurningBlocking())
            account = self.run(store.account(ALICE))
            self.put(account, "INBOX", draft(mail("one")))
            one, two = together([account.open("INBOX"), account.open("INBOX")])
            since = one.columns.highest_modseq
            answers = together(
                [
                    one.mark([1], "add", normal(["\\Seen"]), since),
                    two.mark([1], "add", normal(["\\Flagged"]), since),
                ],
                turns,
            )
            assert sorted(answers) == [(), (1,)]

    def test_deliveries_at_once_all_arrive(self, make_waiting_store: Callable[[Blocking], Store]):
        store = make_waiting_store(TurningBlocking())
        messages = [Message(MemoryBlob(mail(f"{n}"))) for n in range(5)]
        answers = together(
            [store.deliver([ALICE, BOB], message) for message in messages], [3, 1, 4, 1, 5] * 50
        )
        assert answers == [{ALICE: None, BOB: None}] * 5
        for name in (ALICE, BOB):
            account = self.run(store.account(name))
            inbox = self.run(account.open("INBOX"))
            assert [*inbox.columns.uids] == [1, 2, 3, 4, 5]
