"""What the parts of the account contract stand on: how a store is made, and what tests ask of it."""

from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

import pytest

from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.mailbox.entry import Entry, ItemTier, MessageRange, NewMessage, RenderedItems
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import StillClock

T = TypeVar("T")
MANY = 100_000  # turns, after which a coroutine is taken to wait for ever
ALICE, BOB = "alice@example.org", "bob@example.org"
HELLO = b"From: a@example.org\r\nSubject: Hello\r\n\r\nHow are you?\r\n"


class FakeRenderer:
    """A Renderer whose items say which message they are of."""

    version = 1

    def __init__(self) -> None:
        self.rendered: list[bytes] = []

    def __call__(
        self,
        data: bytes,
        tier: ItemTier = ItemTier.PREVIEW,
        known: RenderedItems | None = None,
    ) -> RenderedItems:
        self.rendered.append(data)
        size = str(len(data)).encode()
        header_size = data.find(b"\r\n\r\n") + 4
        return RenderedItems(
            b"(E " + size + b")", b"(B)", b"(BS)", header_size, outline=size, tier=tier
        )


class NotedBlob(MemoryBlob):
    """A blob that notes that it was closed, with all others, in ``closed``."""

    closed: ClassVar[list[bytes]] = []

    def close(self) -> None:
        self.closed.append(self.data)


class BrokenBlob(NotedBlob):
    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield b"so far so good"
        raise OSError("the disk is gone")


def mail(text: str) -> bytes:
    """Return a message whose subject is the text."""
    return f"Subject: {text}\r\n\r\nThis is {text}.\r\n".encode()


def draft(data: bytes, *flags: str, date: int | None = None) -> NewMessage:
    when = None if date is None else datetime.fromtimestamp(date, UTC)
    return NewMessage(Message(MemoryBlob(data)), normal(flags), when)


class Turn:
    """Awaited to let others go first."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def patiently(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing but turns, and return its result."""
    for _ in range(MANY):
        try:
            waits_for = coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        assert waits_for is None, "the coroutine waits for something else"
    raise AssertionError("the coroutine waits for ever")


@contextmanager
def refused(condition: str, text: str | None = None) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.condition == condition
    assert text in (None, caught.value.outcome.text)


class Ground:
    """The base of all parts.

    A subclass fulfils ``make_store``, and ``run`` where its store waits for more than turns. Each
    call of ``make_store()`` gives a new and empty store, which uses the fixtures ``clock`` and
    ``render``; with ``quota=n`` its accounts hold at most ``n`` octets.
    """

    keyword_limit: int | None = None  # in one mailbox of the store; None: not tested
    has_quota = True

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return patiently(coroutine)

    def reopened(self, store: Store) -> Store | None:
        """Return a store that finds what ``store`` left, as after a restart; None: not durable."""
        return None

    @pytest.fixture
    def clock(self) -> StillClock:
        return StillClock()

    @pytest.fixture
    def render(self) -> FakeRenderer:
        return FakeRenderer()

    @pytest.fixture
    def make_store(self, clock: StillClock, render: FakeRenderer) -> Callable[..., Store]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, make_store: Callable[..., Store]) -> Store:
        return make_store()

    @pytest.fixture
    def account(self, store: Store) -> Account:
        return self.run(store.account(ALICE))

    @pytest.fixture
    def inbox(self, account: Account) -> Iterator[Mailbox]:
        mailbox = self.run(account.open("INBOX"))
        yield mailbox
        mailbox.close()

    @pytest.fixture
    def three(self, account: Account, inbox: Mailbox) -> tuple[int, ...]:
        """The UIDs of three messages that are in the inbox."""
        return self.put(account, "INBOX", *(draft(mail(text)) for text in ("one", "two", "three")))

    def put(self, account: Account, name: str, *drafts: NewMessage) -> tuple[int, ...]:
        return self.run(account.append(name, drafts)).targets

    def names(self, account: Account) -> list[str]:
        return [info.name for info in self.run(account.mailboxes())]

    def selectable(self, account: Account) -> list[str]:
        return [info.name for info in self.run(account.mailboxes()) if info.is_selectable]

    def info(self, account: Account, name: str) -> tuple[str, bool, bool]:
        """Return special use, is subscribed, is selectable."""
        [found] = [info for info in self.run(account.mailboxes()) if info.name == name]
        return found.use, found.is_subscribed, found.is_selectable

    def whole(self, mailbox: Mailbox, uid: int) -> bytes | None:
        [data] = self.run(mailbox.read([MessageRange(uid)]))
        return data

    def subjects(self, account: Account, name: str) -> list[str]:
        """Return the subjects of the messages that ``mail`` made."""
        mailbox = self.run(account.open(name))
        found = [self.whole(mailbox, uid) or b"" for uid in mailbox.columns.uids]
        mailbox.close()
        return [data.partition(b"\r\n")[0].decode().removeprefix("Subject: ") for data in found]


def listen(place: Mailbox | Account) -> list[Change]:
    """Return a list in which all further changes of a mailbox or account will stand."""
    heard: list[Change] = []
    place.watch(heard.append)
    return heard


def rows(mailbox: Mailbox) -> list[Entry]:
    return [mailbox.columns[row] for row in range(len(mailbox.columns))]


def entry(mailbox: Mailbox, uid: int) -> Entry:
    row = mailbox.columns.row(uid)
    assert row is not None
    return mailbox.columns[row]


def flags_of(mailbox: Mailbox, uids: Sequence[int] = ()) -> list[set[str]]:
    return [set(entry(mailbox, uid).flags) for uid in uids or mailbox.columns.uids]
