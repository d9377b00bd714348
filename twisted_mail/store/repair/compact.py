"""Lists of UIDs written anew without the lines of files that are gone.

Every removal leaves a line in ``dovecot-uidlist``. When they are many, the list is replaced as a whole,
under its lock: Dovecot, and other processes of this server, see by its inode that it is another file.
That happens in the background, when nobody has used the account for a moment.
"""

from contextlib import suppress
from weakref import WeakKeyDictionary

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox.change import Change, EntriesExpunged
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.lane import AccountLane

IDLE_SECONDS = 1.0  # since an account was last used
LEAST = 1000  # dead lines, and
SHARE = 0.5  # dead lines for each message: with more the list is written anew


class UidListCompaction:
    """Which mailboxes' lists wait for a look at their lines, on the reactor thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: WeakKeyDictionary[AccountLane, set[Folder]] = WeakKeyDictionary()

    def note(self, lane: AccountLane, folder: Folder, change: Change | None) -> None:
        """Note a change in a mailbox; None: it was opened for the first time."""
        if change is None or isinstance(change, EntriesExpunged):
            self._waiting.setdefault(lane, set()).add(folder)

    async def step(self) -> bool:
        """Look at one list of an account that is idle; return whether there was one."""
        for lane, folders in list(self._waiting.items()):
            is_idle = self._clock.monotonic() - lane.used_at >= IDLE_SECONDS
            if is_idle and not lane.is_stalled:
                folder = folders.pop()
                if not folders:
                    del self._waiting[lane]
                with suppress(MailError):  # the next removal reminds
                    await lane.background.perform_on(folder, compact)
                return True
        return False


def compact(folder: Folder, work: UnitOfWork, least: int | None = None) -> None:
    """Write a mailbox's list anew where it has many dead lines. In the account's lane."""
    state = mailbox_row(folder, work)
    if folder.freshness.listed is not None or folder.uids.current_stamp() != state.list_seen:
        return  # somebody else wrote it: those lines are looked at first
    dead = folder.uids.lines() - state.messages
    if dead <= max(LEAST if least is None else least, SHARE * state.messages):
        return
    with folder.uids.lock.held():
        if folder.uids.current_stamp() == state.list_seen:
            folder.uids.trust(state.uidvalidity, state.uidnext, state.list_seen)
            folder.uids.compact(work.index.names(state), state.uidnext)
            state.list_seen = folder.uids.stamp
