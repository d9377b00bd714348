"""An account's quota is one for deliveries and sessions of all processes."""

import itertools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.ground import ALICE, FakeRenderer, NotedBlob, draft, mail, patiently
from tests.contracts.meanwhile import TurningBlocking, together
from tests.faults import QuickDisk
from twisted_mail.interfaces import Blocking
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock

TEXT = mail("x")
SIZE = len(TEXT)
PROCESSES = 3  # the main process and two workers


class Server:
    """The stores of the main process, which counts, and of two workers, over one folder."""

    def __init__(self, folder: Path, quota: StoreSettings, blocking: Blocking) -> None:
        self._folder, self._quota, self._blocking = folder, quota, blocking
        main = self._store()
        self.stores = [main, *(self._store(main) for _ in range(PROCESSES - 1))]

    def _store(self, main: MaildirStore | None = None) -> MaildirStore:
        services = StoreServices(
            settings=self._quota,
            disk=QuickDisk(),
            reserver=main and main.own_reserver,
        )
        return MaildirStore(self._folder, self._blocking, StillClock(), FakeRenderer(), services)

    async def deliver(self, process: int) -> MailError | None:
        message = Message(MemoryBlob(TEXT))
        return (await self.stores[process].deliver([ALICE], message))[ALICE]

    async def append(self, process: int, number: int = 1) -> None:
        account = await self.stores[process].account(ALICE)
        await account.append("INBOX", [draft(TEXT) for _ in range(number)])

    async def copy(self, process: int) -> None:
        account = await self.stores[process].account(ALICE)
        inbox = await account.open("INBOX")
        try:
            await inbox.copy(inbox.columns.uids[:2].tolist(), "INBOX")
        finally:
            inbox.close()

    def held(self) -> int:
        """Return how many messages there are."""
        account = patiently(self.stores[0].account(ALICE))
        return patiently(account.status("INBOX")).messages


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Server]:
    numbers = itertools.count()

    def make(blocking: Blocking | None = None, **quota: int) -> Server:
        folder = tmp_path / str(next(numbers))
        return Server(folder, StoreSettings(search=False, **quota), blocking or InlineBlocking())

    return make


def refused(process: Coroutine[Any, Any, Any]) -> tuple[type[MailError], str]:
    """Do what is refused for want of room; return how, with the enhanced code."""
    with pytest.raises(MailError) as caught:
        patiently(process)
    assert caught.value.condition == "OVERQUOTA"
    return type(caught.value), caught.value.outcome.enhanced


@pytest.mark.parametrize("quota", [{"quota_messages": 4}, {"quota_bytes": 4 * SIZE}])
def test_what_any_process_took_is_taken_for_the_others(
    make: Callable[..., Server], quota: dict[str, int]
) -> None:
    server = make(**quota)
    assert patiently(server.deliver(1)) is None
    patiently(server.append(2))
    patiently(server.copy(1))
    assert server.held() == 4
    for process in range(PROCESSES):
        assert isinstance(patiently(server.deliver(process)), Refused)
        assert refused(server.append(process)) == (Refused, "5.2.2")
        assert refused(server.copy(process)) == (Refused, "5.2.2")
    assert server.held() == 4


def test_deliveries_know_at_once_what_a_session_in_a_worker_wrote(
    make: Callable[..., Server],
) -> None:
    server = make(quota_messages=5)
    assert patiently(server.deliver(0)) is None  # counted, and known to have room for a minute
    patiently(server.append(1, 4))
    assert isinstance(patiently(server.deliver(0)), Refused)
    assert server.held() == 5


def test_what_is_under_way_in_one_process_is_reserved_in_the_others(
    make: Callable[..., Server],
) -> None:
    server = make(TurningBlocking(), quota_messages=1)
    reserver = server.stores[0].own_reserver
    taken = patiently(reserver.take([ALICE], SIZE))[ALICE]
    assert refused(server.append(1)) == (Unavailable, "4.2.2")
    assert refused(server.append(0)) == (Unavailable, "4.2.2")
    assert taken is not None
    assert not isinstance(taken, MailError)
    taken.end(is_delivered=False)
    patiently(server.append(1))


def test_a_message_that_is_not_taken_is_closed(make: Callable[..., Server]) -> None:
    server = make(quota_messages=1)
    patiently(server.append(0))
    NotedBlob.closed.clear()
    account = patiently(server.stores[1].account(ALICE))
    assert refused(account.append("INBOX", [NewMessage(Message(NotedBlob(TEXT)))])) is not None
    assert NotedBlob.closed == [TEXT]


deeds = st.tuples(st.sampled_from(["deliver", "append", "copy"]), st.integers(0, PROCESSES - 1))


def test_no_order_of_turns_lets_anybody_exceed_a_quota(make: Callable[..., Server]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(1, 6),
        st.lists(deeds, min_size=2, max_size=7),
        st.lists(st.integers(0, 6), max_size=80),
    )
    def play(most: int, story: list[tuple[str, int]], turns: list[int]) -> None:
        server = make(TurningBlocking(), quota_messages=most)
        patiently(server.append(0))
        work = [getattr(server, deed)(process) for deed, process in story]
        refusals = [one for one in together(work, turns) if one is not None]
        assert server.held() <= most
        if 1 + len(story) * 2 <= most:
            assert refusals == []

    play()
