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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import FailDisk, QuickDisk, StopDisk, Stopped
from tests.store.conftest import MEMORY
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.entry import MailboxInfo, MessageRange
from twisted_mail.mail.mailbox.flags import Flags, normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

EXAMPLES = int(os.environ.get("TWISTED_MAIL_EXAMPLES", "0"))
SHRINKS = bool(os.environ.get("TWISTED_MAIL_SHRINK"))

STOPPED, FAILED = "stopped", "failed"
Operation = Callable[[Store, str], Awaitable[Any]]  # what the texts of new messages begin with
How = Literal["set", "add", "remove"]

NAMES = st.sampled_from(["INBOX", "Work", "INBOX", "Work", "Work/Old", "Work/Old/Older", "Ünïcode"])
PLACES = st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True)
FLAGS = st.lists(st.sampled_from(["\\Seen", "\\Flagged", "\\Deleted", "$Junk", "Own"]), max_size=3)

# ---------------------------------------------------------------- operations


def appending(name: str, number: int, flags: list[str]) -> Operation:
    async def append(store: Store, text: str) -> int:
        drafts = [draft(mail(f"{text}.{each}"), *flags) for each in range(number)]
        return len((await (await store.account(ALICE)).append(name, drafts)).targets)

    return append


def delivering() -> Operation:
    async def deliver(store: Store, text: str) -> None:
        [error] = (await store.deliver([ALICE], Message(MemoryBlob(mail(text))))).values()
        if error is not None:
            raise error

    return deliver


def altering(
    name: str, act: Callable[[Mailbox, list[int]], Awaitable[Any]], places: list[int]
) -> Any:
    """Return an operation on the messages that stand at these places of a mailbox."""

    async def alter(store: Store, text: str) -> Any:
        mailbox = await (await store.account(ALICE)).open(name)
        uids = mailbox.columns.uids
        try:
            return await act(mailbox, [uids[at] for at in sorted(places) if at < len(uids)])
        finally:
            mailbox.close()

    return alter


def marking(name: str, places: list[int], how: How, flags: list[str]) -> Operation:
    return altering(name, lambda box, uids: box.mark(uids, how, normal(flags)), places)


def copying(name: str, places: list[int], target: str) -> Operation:
    async def copy(mailbox: Mailbox, uids: list[int]) -> int:
        return len((await mailbox.copy(uids, target)).targets)

    return altering(name, copy, places)


def moving(name: str, places: list[int], target: str) -> Operation:
    async def move(mailbox: Mailbox, uids: list[int]) -> int:
        return len((await mailbox.move(uids, target)).targets)

    return altering(name, move, places)


def expunging(name: str, places: list[int]) -> Operation:
    async def expunge(mailbox: Mailbox, uids: list[int]) -> int:
        return len(await mailbox.expunge(uids))

    return altering(name, expunge, places)


def selecting(name: str) -> Operation:
    async def select(mailbox: Mailbox, uids: list[int]) -> None:
        mailbox.claim_recent()
        await mailbox.refresh()

    return altering(name, select, [])


def creating(name: str, use: str) -> Operation:
    async def create(store: Store, text: str) -> None:
        await (await store.account(ALICE)).create(name, use)

    return create


def deleting(name: str) -> Operation:
    async def delete(store: Store, text: str) -> None:
        await (await store.account(ALICE)).delete(name)

    return delete


def renaming(name: str, new_name: str) -> Operation:
    async def rename(store: Store, text: str) -> None:
        await (await store.account(ALICE)).rename(name, new_name)

    return rename


def subscribing(name: str, is_subscribed: bool) -> Operation:
    async def subscribe(store: Store, text: str) -> None:
        await (await store.account(ALICE)).subscribe(name, is_subscribed)

    return subscribe


OPERATIONS = st.one_of(
    st.builds(appending, NAMES, st.integers(1, 3), FLAGS),
    st.builds(delivering),
    st.builds(marking, NAMES, PLACES, st.sampled_from(["set", "add", "remove"]), FLAGS),
    st.builds(copying, NAMES, PLACES, NAMES),
    st.builds(moving, NAMES, PLACES, NAMES),
    st.builds(expunging, NAMES, PLACES),
    st.builds(selecting, NAMES),
    st.builds(creating, NAMES, st.sampled_from(["", "\\Archive"])),
    st.builds(deleting, NAMES),
    st.builds(renaming, NAMES, NAMES),
    st.builds(subscribing, NAMES, st.booleans()),
)

# ---------------------------------------------------------------- what is seen


class Shown(NamedTuple):
    """What clients see of an account: its names, and text, flags and date of each message."""

    names: list[MailboxInfo]
    boxes: dict[str, list[tuple[bytes, Flags, int]]]


class Numbered(NamedTuple):
    """One mailbox with its numbers; ``messages`` are text, flags, mod-sequence and EMAILID by UID."""

    uidvalidity: int
    uidnext: int
    modseq: int
    messages: dict[int, tuple[bytes, Flags, int, str]]


def look(account: Account) -> tuple[Shown, dict[str, Numbered]]:
    shown = Shown(list(finish(account.mailboxes())), {})
    numbers = {}
    for name in [info.name for info in shown.names if info.is_selectable]:
        mailbox = finish(account.open(name))
        uids = list(mailbox.columns.uids)
        finish(mailbox.measure(uids))
        texts = finish(mailbox.read([MessageRange(uid) for uid in uids]))
        columns = mailbox.columns
        assert list(map(len, texts)) == list(columns.sizes)
        shown.boxes[name] = list(zip(texts, columns.flags, columns.dates, strict=True))
        emails = [each.email for each in finish(mailbox.identities(uids))]
        messages = zip(texts, columns.flags, columns.modseqs, emails, strict=True)
        numbers[name] = Numbered(
            mailbox.uidvalidity,
            columns.uidnext,
            columns.highest_modseq,
            dict(zip(uids, messages, strict=True)),
        )
        check_status(account, name, numbers[name])
        mailbox.close()
    return shown, numbers


def check_status(account: Account, name: str, box: Numbered) -> None:
    status = finish(account.status(name))
    flags = [message[1] for message in box.messages.values()]
    assert status.messages == len(flags)
    assert status.unseen == sum("\\Seen" not in each for each in flags)
    assert status.deleted == sum("\\Deleted" in each for each in flags)
    assert status.size == sum(len(message[0]) for message in box.messages.values())
    assert status.uidvalidity == box.uidvalidity
    assert (status.uidnext, status.highest_modseq) == (box.uidnext, box.modseq)


def show(store: Store) -> Shown:
    return look(finish(store.account(ALICE)))[0]


@dataclass
class Numbers:
    """What was told of numbers in all looks at one account, by UIDVALIDITY.

    A UID means the same message for ever, and new ones are higher. Whatever is new or altered has a
    higher mod-sequence than any that was told. New mailboxes have higher UIDVALIDITYs than any. All
    copies of a message have its EMAILID, and no other message has.
    """

    told: dict[int, Numbered] = field(default_factory=dict)
    texts: dict[tuple[int, int], bytes] = field(default_factory=dict)
    emails: dict[bytes, str] = field(default_factory=dict)

    def note(self, boxes: dict[str, Numbered]) -> None:
        known = {box.uidvalidity for box in boxes.values()} & self.told.keys()
        fresh = {box.uidvalidity for box in boxes.values()} - known
        assert len(known) + len(fresh) == len(boxes), "two mailboxes have one UIDVALIDITY"
        assert min(fresh, default=2**32) > max(self.told, default=0)
        for box in boxes.values():
            if box.uidvalidity in known:
                self._compare(self.told[box.uidvalidity], box)
            self._take(box)

    def _compare(self, old: Numbered, box: Numbered) -> None:
        assert box.uidnext >= old.uidnext
        assert box.modseq >= old.modseq
        for uid, (text, flags, modseq, _) in box.messages.items():
            before = old.messages.get(uid)
            assert before is not None or uid >= old.uidnext, "a UID comes back"
            if before is None or before[1] != flags:
                assert modseq > old.modseq
            else:
                assert modseq >= before[2]
            assert before is None or before[0] == text, "a UID means another message"
        assert box.messages.keys() >= old.messages.keys() or box.modseq > old.modseq

    def _take(self, box: Numbered) -> None:
        self.told[box.uidvalidity] = box
        for uid, (text, _, modseq, email) in box.messages.items():
            assert uid < box.uidnext
            assert modseq <= box.modseq
            assert self.emails.setdefault(text, email) == email
        assert len({*self.emails.values()}) == len(self.emails)


# ---------------------------------------------------------------- the machine


class Together(RuleBasedStateMachine):
    """Both stores, with what they show equal between two steps."""

    def __init__(self) -> None:
        super().__init__()
        folder = MEMORY if MEMORY.is_dir() else None
        self.root = Path(tempfile.mkdtemp(prefix="twisted-mail-", dir=folder))
        self.clock = StillClock(2e9)
        self.held: list[Mailbox] = []
        self.store = self.on_disk(QuickDisk())
        self.memory = MemoryStore(self.clock, FakeRenderer())
        self.numbers = Numbers()
        self.steps = 0
        for name in ("Work", "INBOX"):  # something to work on from the start
            self.both(creating(name, ""))
            self.both(appending(name, 3, ["Own"]))

    def on_disk(self, disk: QuickDisk) -> MaildirStore:
        return MaildirStore(self.root, InlineBlocking(), self.clock, FakeRenderer(), disk=disk)

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
        self.store = self.on_disk(QuickDisk())

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
        self.store = self.on_disk(QuickDisk())
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
