"""What is heard of watched folders, on the reactor thread, until the lane looks at it."""

import math
from collections.abc import Callable
from contextlib import suppress

from twisted_mail.interfaces import FolderEvent, FolderMonitor
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.format import layout, subscriptions
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work import apply_events
from twisted_mail.store.work.apply_events import HeardEvent
from twisted_mail.store.work.lane import AccountLane, LaneWork

MOST = 2000  # names looked at one by one; for more, the whole folder is read
UNSEEN_SECONDS = 60.0  # after which a quiet mailbox is looked at all the same
_PLACES = (b"new", b"cur")


class WatchedMailbox:
    """One open mailbox. Fulfils ``interfaces.FolderObserver``."""

    def __init__(
        self,
        lane: AccountLane,
        folder: Folder,
        monitor: FolderMonitor | None,
    ) -> None:
        self._lane = lane
        self._folder = folder
        self._own_events = lane.tree.own_events
        self._monitor = monitor
        self._clock = folder.clock
        self._heard: list[HeardEvent] = []
        self._is_lost = False
        self._looked_at = -math.inf
        self._looks = 0  # that the lane has not done yet
        self._end = self._begin()

    # ------------------------------------------------------------ watching

    def _begin(self) -> Callable[[], None] | None:
        self._paths = tuple(map(self._folder.subfolder, _PLACES))
        self._own_events.watch(*self._paths)
        end = None if self._monitor is None else self._monitor.watch(self, self._paths)
        if end is None:
            self._own_events.unwatch(*self._paths)
        return end

    def follow(self) -> None:
        """Follow a mailbox that was renamed. The watch goes along with the folder."""
        if self._end is not None:
            self._own_events.unwatch(*self._paths)
            self._paths = tuple(map(self._folder.subfolder, _PLACES))
            self._own_events.watch(*self._paths)

    def close(self) -> None:
        """End the watch. What it did not get to is left to the next scan."""
        if self._end is None or self._monitor is None:
            return
        self._monitor.catch_up()
        self._end()
        self._end = None
        self._folder.freshness.is_watched = False
        if self._heard or self._is_lost or self._looks or self._folder.freshness.is_young:
            self._folder.freshness.doubt()
        self._own_events.unwatch(*self._paths)

    def on_event(self, folder: bytes, sight: FolderEvent, name: bytes) -> bool:
        """Take one event, unless it is of our own doing."""
        place = folder[-3:]  # new or cur; the path before it may be another by now
        if sight is FolderEvent.LOST:
            self._is_lost = True
        elif self._own_events.consume((sight, b"/".join((self._folder.path, place, name)))):
            return False
        elif len(self._heard) < MOST:
            self._heard.append((place, sight, name))
        else:
            self._is_lost = True
        if self._is_lost:
            self._heard.clear()
        return True

    # ------------------------------------------------------------ looking

    @property
    def is_quiet(self) -> bool:
        """Return whether nothing happened that is not known, up to this very moment."""
        if self._end is None or self._monitor is None:
            return False
        self._monitor.catch_up()
        folder = self._folder
        return (
            not (self._heard or self._is_lost or self._looks or folder.is_removed)
            and folder.freshness.is_settled
            and not folder.keywords.are_awaited
            and self._clock.monotonic() < self._looked_at + UNSEEN_SECONDS
        )

    async def refresh(self) -> None:
        """Look for what other programs did, unless it is known that there is nothing."""
        if not self.is_quiet:
            await self._look(self._lane)

    async def on_burst_end(self) -> None:
        """Look at what was heard. If that cannot be done now, the next refresh does it."""
        if self._heard or self._is_lost:
            with suppress(MailError):
                await self._look(self._lane.background)

    async def _look(self, lane: LaneWork) -> None:
        heard, self._heard = self._heard, []
        is_lost, self._is_lost = self._is_lost, False
        began = self._clock.monotonic()
        is_whole = self._end is None or began >= self._looked_at + UNSEEN_SECONDS
        self._looks += 1
        try:
            is_lost = is_lost or (is_whole and bool(heard))
            heard_of = None if is_whole else heard
            await lane.perform_on(self._folder, apply_events.look, heard_of, is_lost)
        except BaseException:
            self._is_lost = True
            raise
        finally:
            self._looks -= 1
        if is_whole or is_lost:
            self._looked_at = began
            self._folder.freshness.is_watched = self._end is not None


class WatchedTree:
    """The mailboxes of an account, while any is open. Fulfils ``interfaces.FolderObserver``."""

    def __init__(self, lane: AccountLane, monitor: FolderMonitor) -> None:
        self._lane = lane
        self._is_due = False
        self._end = monitor.watch(self, (lane.tree.maildir,))

    def close(self) -> None:
        """End the watch."""
        if self._end is not None:
            self._end()
            self._end = None

    def on_event(self, folder: bytes, sight: FolderEvent, name: bytes) -> bool:
        """Take an event: a mailbox may have come or gone, or what is subscribed to."""
        if sight is FolderEvent.LOST or name == subscriptions.FILE or _is_mailbox(name):
            self._is_due = True
            return True
        return False

    async def on_burst_end(self) -> None:
        """Compare the mailboxes there are with those that were there."""
        if self._is_due:
            self._is_due = False
            try:
                await self._lane.background.perform(apply_events.look_at_tree)
            except MailError:
                self._is_due = True  # the next event reminds


def _is_mailbox(name: bytes) -> bool:
    return (
        name.startswith(b".")
        and not name.startswith(b"..")
        and layout.mailbox_name(name) is not None
    )
