"""The store in memory and the store on disk, driven by the same random operations, crashes included.

After each operation both show the same mailboxes with the same messages and flags in the same order. An
operation that a crash cut short has happened, or has not, or in part; the memory then follows the disk.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk, StopDisk, Stopped
from tests.store.conftest import MEMORY
from tests.support import InlineBlocking, StillClock, finish
from twisted_mail.interfaces import Account
from twisted_mail.mail.entry import Piece
from twisted_mail.mail.flags import normal
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.memory import MemoryStore

Shown = dict[str, list[tuple[bytes, frozenset[str]]]]
Operation = Callable[[Account], Awaitable[Any]]

MAILBOXES = st.sampled_from(["INBOX", "Sent", "Work", "Work/Old", "Ünïcode"])
PLACES = st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True)
FLAGS = st.lists(st.sampled_from(["\\Seen", "\\Flagged", "\\Deleted", "$Junk", "Own"]), max_size=3)


def maildir_at(root: Path, disk: QuickDisk) -> MaildirStore:
    return MaildirStore(root, InlineBlocking(), StillClock(2e9), FakeRenderer(), disk=disk)


def show(account: Account) -> Shown:
    """Return texts and flags of each mailbox, in the order of UIDs."""
    shown: Shown = {}
    for info in finish(account.mailboxes()):
        if info.is_selectable:
            mailbox = finish(account.open(info.name))
            texts = finish(mailbox.read([Piece(uid) for uid in mailbox.columns.uids]))
            shown[info.name] = list(zip(texts, mailbox.columns.flags, strict=True))
            mailbox.close()
    return shown


async def uids_at(account: Account, name: str, places: list[int]) -> tuple[Any, list[int]]:
    mailbox = await account.open(name)
    return mailbox, [mailbox.columns.uids[at] for at in sorted(places) if at < len(mailbox.columns)]


def appending(name: str, texts: list[str], flags: list[str]) -> Operation:
    return lambda account: account.append(name, [draft(mail(text), *flags) for text in texts])


def marking(name: str, places: list[int], how: Any, flags: list[str]) -> Operation:
    async def mark(account: Account) -> None:
        mailbox, uids = await uids_at(account, name, places)
        await mailbox.mark(uids, how, normal(flags))
        mailbox.close()

    return mark


def moving(name: str, places: list[int], target: str, is_copy: bool) -> Operation:
    async def move(account: Account) -> None:
        mailbox, uids = await uids_at(account, name, places)
        await (mailbox.copy if is_copy else mailbox.move)(uids, target)
        mailbox.close()

    return move


def expunging(name: str, places: list[int]) -> Operation:
    async def expunge(account: Account) -> None:
        mailbox, uids = await uids_at(account, name, places)
        await mailbox.expunge(uids)
        mailbox.close()

    return expunge


OPERATIONS = st.one_of(
    st.builds(marking, MAILBOXES, PLACES, st.sampled_from(["set", "add", "remove"]), FLAGS),
    st.builds(moving, MAILBOXES, PLACES, MAILBOXES, st.booleans()),
    st.builds(expunging, MAILBOXES, PLACES),
    MAILBOXES.map(lambda name: lambda account: account.create(name)),
    MAILBOXES.map(lambda name: lambda account: account.delete(name)),
    st.tuples(MAILBOXES, MAILBOXES).map(lambda names: lambda account: account.rename(*names)),
)


class Together(RuleBasedStateMachine):
    """Both stores, with what they show equal between two steps."""

    def __init__(self) -> None:
        super().__init__()
        folder = MEMORY if MEMORY.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="twisted-mail-", dir=folder))
        self.store = maildir_at(self.root, QuickDisk())
        self.memory = finish(MemoryStore(StillClock(2e9), FakeRenderer()).account(ALICE))
        self.count = 0
        self.both(lambda account: account.create("Work"))
        for name in ("INBOX", "Work"):  # something to work on from the start
            self.both(appending(name, self.texts(3), ["Own"]))

    @property
    def disk(self) -> Account:
        return finish(self.store.account(ALICE))

    def texts(self, number: int) -> list[str]:
        self.count += number
        return [f"message {self.count - each}" for each in range(number)]

    def both(self, operation: Operation) -> None:
        answer = outcome(operation, self.disk)
        event(f"answered: {answer}")
        assert answer == outcome(operation, self.memory)

    @rule(name=MAILBOXES, number=st.integers(1, 3), flags=FLAGS)
    def append(self, name: str, number: int, flags: list[str]) -> None:
        self.both(appending(name, self.texts(number), flags))

    @rule(operation=OPERATIONS)
    def alter(self, operation: Operation) -> None:
        self.both(operation)

    @rule(is_index_lost=st.booleans())
    def restart(self, is_index_lost: bool) -> None:
        finish(self.store.close())
        if is_index_lost:
            for path in self.root.glob("*/*/index.sqlite3*"):
                path.unlink()
        self.store = maildir_at(self.root, QuickDisk())

    @rule(
        operation=st.one_of(OPERATIONS, st.none()),
        name=MAILBOXES,
        flags=FLAGS,
        stop_at=st.integers(0, 60),
    )
    def crash(self, operation: Operation | None, name: str, flags: list[str], stop_at: int) -> None:
        operation = operation or appending(name, self.texts(2), flags)
        finish(self.store.close())
        stopping = maildir_at(self.root, StopDisk(stop_at))
        try:
            result = outcome(operation, finish(stopping.account(ALICE)))
        except Stopped:
            result = None
        abandon(stopping)
        self.store = maildir_at(self.root, QuickDisk())
        before = show(self.memory)
        answer = outcome(operation, self.memory)
        event("crashed" if result is None else f"ended: {result}")
        if result is not None:
            assert result == answer
            return
        check_between(before, show(self.disk), show(self.memory))
        self.memory = remembered(show(self.disk))

    @invariant()
    def both_show_the_same(self) -> None:
        assert show(self.disk) == show(self.memory)

    def teardown(self) -> None:
        finish(self.store.close())
        shutil.rmtree(self.root, ignore_errors=True)


def outcome(operation: Operation, account: Account) -> str:
    """Return how an operation ended, in a word."""

    async def run() -> str:
        try:
            await operation(account)
        except MailError as error:
            return error.condition
        return "done"

    return finish(run())


def abandon(store: MaildirStore) -> None:
    """Let go of the index as a process that dies does."""
    for account in list(store._accounts.values()):
        if account._tree._index is not None:
            account._tree._index.close()


def check_between(before: Shown, now: Shown, after: Shown) -> None:
    """Every message that the operation did not touch is there; none is there that never was."""
    assert before.keys() & after.keys() <= now.keys() <= before.keys() | after.keys()
    texts_before, texts_now, texts_after = map(all_texts, (before, now, after))
    assert texts_now >= (texts_before & texts_after), "lost"
    assert texts_now <= (texts_before | texts_after), "doubled, or out of nowhere"


def all_texts(shown: Shown) -> Counter[bytes]:
    return Counter(text for entries in shown.values() for text, _ in entries)


def remembered(shown: Shown) -> Account:
    """Return an account in memory that shows this."""
    account = finish(MemoryStore(StillClock(2e9), FakeRenderer()).account(ALICE))
    for info in finish(account.mailboxes()):
        if info.name not in shown:
            finish(account.delete(info.name))
    for name, entries in shown.items():
        if name not in {info.name for info in finish(account.mailboxes()) if info.is_selectable}:
            finish(account.create(name))
        finish(account.append(name, [draft(text, *flags) for text, flags in entries]))
    return account


TestTogether = Together.TestCase
TestTogether.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
