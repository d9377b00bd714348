"""Group commit: messages that come while the disk is busy are made durable together.

| step | for all messages of the group |
| --- | --- |
| write | each file is written into tmp |
| sync | the file system is synced: all octets are on disk |
| place | each file gets its names in ``new`` |
| sync | the file system is synced: all names are on disk, and all messages are answered |

A message alone needs a sync of its file and one of each folder. A group needs two in all, however many
messages and recipients it has, so a busy server pays a fraction of a sync for each. As ``inbound`` does
it for one message, nothing is visible before its octets are on disk.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.message import PIECE
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.store.delivery.inbound import InboxDelivery
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.environment import StoreEnvironment

MAX_NAMES = 1000  # in new, made by one group
SLOW_SECONDS = 1.0  # for a group: somebody else writes much to this file system
SLOW_PAUSE = 30.0  # seconds for which every message is then synced by itself


class GroupCommit:
    """Delivers messages into inboxes: small ones in groups, large ones by themselves.

    ``deliver`` belongs to the reactor thread. One group is on its way at a time; what comes meanwhile
    gathers for the next. Where the file system is not known to keep all that is synced at once, and
    while somebody else keeps it busy, every message goes by itself, on any thread.
    """

    def __init__(self, environment: StoreEnvironment, root: bytes, blocking: Blocking) -> None:
        self._environment = environment
        self._root = root
        self.blocking = blocking
        self._lane = blocking.lane()
        self._gathered: deque[InboxDelivery] = deque()
        self._is_reliable: bool | None = None  # whether syncfs is; None: not asked yet
        self._alone_until = 0.0  # by the monotonic clock; 0: nobody kept the disk busy yet
        self._began_at = 0.0  # the group that is on its way; 0: none is

    async def deliver(self, inbound: InboxDelivery) -> Mapping[str, MailError | None]:
        """Deliver one message; return None for each inbox that has it durably."""
        if not inbound.names:
            return inbound.answers
        try:
            if await self._goes_alone(inbound.size):
                return await self.blocking.run(inbound.deliver)
            self._gathered.append(inbound)
            return await self._lane.run(self._answers, inbound)
        except Unavailable as error:
            if not inbound.is_begun:  # and never will be: no thread took the work
                with suppress(ValueError):
                    self._gathered.remove(inbound)
            # An earlier message's group may have had it along before its own piece of work was refused.
            return {**dict.fromkeys(inbound.names, error), **inbound.answers}

    async def _goes_alone(self, size: int) -> bool:
        if size > PIECE or self._is_paused():
            return True
        if self._is_reliable is None:
            disk = self._environment.disk
            self._is_reliable = await self.blocking.run(_is_reliable, disk, self._root)
        return not self._is_reliable

    def _is_paused(self) -> bool:
        """Return whether somebody else keeps the disk busy, or did so a moment ago.

        A group may never end: one folder of one account may be on a disk that does not answer.
        """
        began, until = self._began_at, self._alone_until
        if not began and not until:
            return False
        now = self._environment.clock.monotonic()
        return now < until or bool(began and now > began + SLOW_SECONDS)

    # ------------------------------------------------------------ in the lane's thread

    def _answers(self, inbound: InboxDelivery) -> Mapping[str, MailError | None]:
        """Return the answers for a message; an earlier message's group may have had it along."""
        if not inbound.is_begun:
            self._commit_group()
        if inbound.failure is not None:
            raise inbound.failure
        return inbound.answers

    def _commit_group(self) -> None:
        members = self._members()
        self._began_at = self._environment.clock.monotonic()
        try:
            if len(members) == 1:
                members[0].deliver()
            else:
                self._deliver(members)
        except BaseException as error:
            for one in members:
                one.failure = error
        finally:
            self._began_at = 0.0

    def _members(self) -> list[InboxDelivery]:
        """Take those that have gathered, until they are enough; the reactor thread may be adding some."""
        members: list[InboxDelivery] = []
        names = 0
        while self._gathered and names < MAX_NAMES:
            one = self._gathered.popleft()
            one.is_begun = True
            names += len(one.names)
            members.append(one)
        return members

    def _deliver(self, members: Sequence[InboxDelivery]) -> None:
        clock, disk = self._environment.clock, self._environment.disk
        began = clock.monotonic()
        try:
            with _opened(disk, self._root) as fd:
                deliver_together(disk, fd, members)
        except OSError as error:
            for one in members:
                one.fail(error)
        if clock.monotonic() - began > SLOW_SECONDS:
            self._alone_until = clock.monotonic() + SLOW_PAUSE


def deliver_together(disk: Disk, fd: int, members: Sequence[InboxDelivery]) -> None:
    """Take messages all the way into their inboxes; ``fd`` is on the file system of the store.

    What turns out to lie on another file system is synced by itself.
    """
    device = disk.device(fd)
    for one in members:
        _try(one, partial(one.write, partial(_seal, disk, device, one)))
    _sync(members, partial(disk.sync_all, fd))
    for one in members:
        _try(one, one.place)
    _sync(members, partial(disk.sync_all_verified, fd))
    for one in members:
        one.settle(one.apart)


def _try(inbound: InboxDelivery, step: Callable[[], None]) -> None:
    """Take one message a step further; a bug that it meets is its own."""
    try:
        step()
    except Exception as error:
        inbound.fail(error)


def _seal(disk: Disk, device: int, inbound: InboxDelivery, fd: int) -> None:
    """Leave a file to the sync of all, unless it is on a file system of its own."""
    # Of the last try: there may have been another account's.
    inbound.is_apart = disk.device(fd) != device
    if inbound.is_apart:
        disk.sync_file(fd)


def _sync(members: Sequence[InboxDelivery], sync: Callable[[], None]) -> None:
    """Sync the file system; whoever relied on it fails when that fails."""
    relying = [one for one in members if not one.is_apart]
    try:
        if relying:
            sync()
    except OSError as error:
        for one in relying:
            one.fail(error)


@contextmanager
def _opened(disk: Disk, path: bytes) -> Iterator[int]:
    fd = disk.open_folder(path)
    try:
        yield fd
    finally:
        with suppress(OSError):
            disk.close(fd)


def _is_reliable(disk: Disk, path: bytes) -> bool | None:
    """Return whether the file system of a folder can be synced as one; None: there is no folder yet."""
    try:
        with _opened(disk, path) as fd:
            return disk.is_syncfs_reliable(fd)
    except OSError:
        return None
