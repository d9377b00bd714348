"""The store in memory and the store on disk, driven by the same random operations, crashes included.

After each operation both show the same: mailboxes with their uses and subscriptions, and messages with
flags and dates, in the same order. The numbers that the disk gives keep their promises over all restarts:
see ``Numbers``. An operation that a crash or a failing disk cut short has happened, or has not, or in
part; the memory then follows the disk.

``TWISTED_MAIL_EXAMPLES=500`` tries so many sequences of operations, longer ones, and others in each run;
``TWISTED_MAIL_SHRINK=1`` takes the time to shorten one that fails.
"""

import errno
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.contracts.ground import ALICE, FakeRenderer, draft
from tests.faults import FailDisk, HalfCachedDisk, QuickDisk, StopDisk, Stopped
from tests.memory_folder import MEMORY
from tests.store.together.operations import NAMES, OPERATIONS, Operation, appending, creating
from tests.store.together.shown import Numbers, Shown, look, show
from twisted_mail.interfaces import Mailbox, Store
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

EXAMPLES = int(os.environ.get("TWISTED_MAIL_EXAMPLES", "0"))
SHRINKS = bool(os.environ.get("TWISTED_MAIL_SHRINK"))


STOPPED, FAILED = "stopped", "failed"


class Together(RuleBasedStateMachine):
    """Both stores, with what they show equal between two steps."""

    def __init__(self) -> None:
        super().__init__()
        folder = MEMORY if MEMORY.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="twisted-mail-", dir=folder))
        self.clock = StillClock(2e9)
        self.held: list[Mailbox] = []
        self.store = self.on_disk(HalfCachedDisk())
        self.memory = MemoryStore(self.clock, FakeRenderer())
        self.numbers = Numbers()
        self.steps = 0
        for name in ("Work", "INBOX"):  # something to work on from the start
            self.both(creating(name, ""))
            self.both(appending(name, 3, ["Own"]))

    def on_disk(self, disk: QuickDisk) -> MaildirStore:
        return MaildirStore(
            self.root, InlineBlocking(), self.clock, FakeRenderer(), StoreServices(disk=disk)
        )

    def next(self) -> str:
        self.steps += 1
        self.clock.seconds += 1.5
        return f"message {self.steps}"

    def both(self, operation: Operation) -> None:
        text = self.next()
        answer = outcome(operation, self.store, text)
        assert answer == outcome(operation, self.memory, text)

    @rule(operation=OPERATIONS)
    def alter(self, operation: Operation) -> None:
        self.both(operation)

    @rule(name=NAMES)
    def hold(self, name: str) -> None:
        """Keep a mailbox open: from now on its columns live from what is rung."""
        if name in show(self.memory).boxes:
            self.held.append(finish(finish(self.store.account(ALICE)).open(name)))

    @rule()
    def let_go(self) -> None:
        while self.held:
            self.held.pop().close()

    @rule(lost=st.sampled_from(["", "*/*/index.sqlite3*", "*/*/Maildir/**/dovecot-uidlist"]))
    def restart(self, lost: str) -> None:
        self.stop()
        for path in self.root.glob(lost) if lost else ():
            path.unlink()
        self.clock.seconds += 1.5
        self.store = self.on_disk(HalfCachedDisk())

    def stop(self) -> None:
        self.let_go()
        finish(self.store.close())

    @rule(operation=OPERATIONS, stop_at=st.integers(0, 30))
    def crash(self, operation: Operation, stop_at: int) -> None:
        self.stop()
        stopping, text = self.on_disk(StopDisk(stop_at)), self.next()
        try:
            answer = outcome(operation, stopping, text)
        except Stopped:
            answer = STOPPED
        abandon(stopping)
        self.store = self.on_disk(HalfCachedDisk())
        self.follow(operation, text, answer)

    @rule(
        operation=OPERATIONS,
        fail_at=st.integers(0, 30),
        error=st.sampled_from([errno.EIO, errno.ENOSPC]),
    )
    def stumble(self, operation: Operation, fail_at: int, error: int) -> None:
        """Do an operation on a disk that fails once; the store goes on."""
        self.stop()
        disk, text = FailDisk(fail_at, error), self.next()
        self.store = self.on_disk(disk)
        answer = outcome(operation, self.store, text)
        disk.left = -1
        self.follow(operation, text, answer)

    def follow(self, operation: Operation, text: str, answer: str) -> None:
        before = show(self.memory)
        expected = outcome(operation, self.memory, text)
        if answer not in (STOPPED, FAILED):
            assert answer == expected
            return
        now = self.seen()
        assert self.seen() == now, "it does not settle"
        check_between(before, now, show(self.memory))
        self.memory = remembered(now, self.clock)

    def seen(self) -> Shown:
        """Return what the disk shows, having noted its numbers."""
        shown, numbers = look(finish(self.store.account(ALICE)))
        self.numbers.note(numbers)
        return shown

    @invariant()
    def both_show_the_same(self) -> None:
        assert self.seen() == show(self.memory)

    def teardown(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def outcome(operation: Operation, store: Store, text: str) -> str:
    """Return how an operation ended, in a word."""

    async def run() -> str:
        try:
            return f"done: {await operation(store, text)}"
        except Unavailable:
            return FAILED
        except MailError as error:
            return error.condition

    return finish(run())


def abandon(store: MaildirStore) -> None:
    """Let go of the index as a process that dies does."""
    for account in list(store._accounts.values()):
        if account._tree._index is not None:
            account._tree._index.close()


def check_between(before: Shown, now: Shown, after: Shown) -> None:
    """Every message that the operation did not touch is as it was; none is there that never was."""
    names_before, names_now, names_after = (set(each.boxes) for each in (before, now, after))
    assert names_before & names_after <= names_now <= names_before | names_after
    assert {*now.names} <= {*before.names, *after.names}
    for name, entries in now.boxes.items():
        either = Counter(before.boxes.get(name, [])) | Counter(after.boxes.get(name, []))
        assert Counter(entries) <= either, "out of nowhere"
    texts_before, texts_now, texts_after = map(all_texts, (before, now, after))
    assert texts_now >= (texts_before & texts_after), "lost"
    assert texts_now <= (texts_before | texts_after), "doubled"


def all_texts(shown: Shown) -> Counter[bytes]:
    return Counter(text for entries in shown.boxes.values() for text, _, _ in entries)


def remembered(shown: Shown, clock: StillClock) -> MemoryStore:
    """Return a store in memory that shows this."""
    store = MemoryStore(clock, FakeRenderer())
    account = finish(store.account(ALICE))
    for info in finish(account.mailboxes()):
        if info.name != "INBOX":
            finish(account.delete(info.name))
    uses = {info.name: info.use for info in shown.names}
    for name, entries in sorted(shown.boxes.items()):
        if name != "INBOX":
            finish(account.create(name, uses[name]))
        drafts = [draft(text, *flags, date=date) for text, flags, date in entries]
        finish(account.append(name, drafts))
    for info in finish(account.mailboxes()):  # levels that were made on the way
        if info.is_selectable and info.name not in shown.boxes:
            finish(account.delete(info.name))
    wanted = {info.name for info in shown.names if info.is_subscribed}
    for name in {info.name for info in finish(account.mailboxes())} | wanted:
        finish(account.subscribe(name, name in wanted))
    return store


TestTogether = Together.TestCase
TestTogether.settings = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=40 if EXAMPLES else 20,
    deadline=None,
    derandomize=not EXAMPLES and settings.default.derandomize,
    # To shorten a failing sequence takes minutes, which a gate does not have.
    phases=[each for each in Phase if SHRINKS or each is not Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
