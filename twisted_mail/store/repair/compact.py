"""Lists of UIDs written anew without the lines of files that are gone.

Every removal leaves a line in ``dovecot-uidlist``. When they are many, the list is replaced as a whole,
under its lock: Dovecot, and other processes of this server, see by its inode that it is another file.
That happens in the background, when nobody has used the account for a moment.
"""

from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox.change import Change, EntriesExpunged
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.tree.folder import Folder

if TYPE_CHECKING:
    from twisted_mail.store.account.account import MaildirAccount
    from twisted_mail.store.tree.tree import Tree

IDLE_SECONDS = 1.0  # since an account was last used
LEAST = 1000  # dead lines, and
SHARE = 0.5  # so many for each message: then the list is written anew


class UidListCompaction:
    """Which mailboxes' lists are to be looked at, on the reactor thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: WeakKeyDictionary[MaildirAccount, set[Folder]] = WeakKeyDictionary()

    def note(self, account: "MaildirAccount", folder: Folder, change: Change | None) -> None:
        """Take note of a change in a mailbox; None: it was opened for the first time."""
        if change is None or isinstance(change, EntriesExpunged):
            self._waiting.setdefault(account, set()).add(folder)

    async def step(self) -> bool:
        """Look at one list of an account that is idle; say whether there was one."""
        for account, folders in list(self._waiting.items()):
            if self._clock.monotonic() - account.used_at >= IDLE_SECONDS:
                folder = folders.pop()
                if not folders:
                    del self._waiting[account]
                with suppress(MailError):  # the next removal reminds
                    await account.perform_in_background(compact, folder)
                return True
        return False


def compact(tree: "Tree", folder: Folder, least: int | None = None) -> None:
    """Write a mailbox's list anew where it has many dead lines. In the account's lane."""
    with tree.unit_of_work() as work:
        state = folder.state(work)
        if folder.listed is not None or folder.uids.current_stamp() != state.list_seen:
            return  # somebody else wrote it: those lines are looked at first
        dead = folder.uids.lines() - state.messages
        if dead <= max(LEAST if least is None else least, SHARE * state.messages):
            return
        with folder.uids.lock.held():
            if folder.uids.current_stamp() == state.list_seen:
                folder.uids.trust(state.uidvalidity, state.uidnext, state.list_seen)
                folder.uids.compact(work.index.names(state), state.uidnext)
                state.list_seen = folder.uids.stamp
