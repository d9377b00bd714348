"""What happens in folders, from the kernel: inotify(7) on the reactor.

``twisted.internet.inotify`` is not used: it does not report that events were lost, ends all watches when
one folder is removed, and makes a path object and a callback list for every event (decision 0010).
"""

import ctypes
import errno
import math
import os
import select
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import FolderEvent, FolderObserver, Journal

MAX_WATCHES = 50_000  # the kernel keeps about a kilobyte for each
BURST_SECONDS = 0.003  # how long more events are awaited before they are handled
# How long events wait that come right after others: each would wake the reactor, and renaming thousands
# of files would take a quarter more of the processor.
PAUSE_SECONDS = 0.003
_PART = 64 * 1024  # octets read at once: some hundred events
_PARTS = 64  # read at once by ``catch_up``; the kernel keeps 16,384 events, most shorter than 200

_HEAD = struct.Struct("=iIII")
_ATTRIB, _CLOSE_WRITE = 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_ONLY_FOLDERS, _NO_LINKS = 0x01000000, 0x02000000
_MASK = _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF
_MASK |= _ONLY_FOLDERS | _NO_LINKS
_FOLDER_EVENTS = (
    (_MOVED_TO | _CREATE, FolderEvent.CAME),
    (_MOVED_FROM, FolderEvent.LEFT),
    (_DELETE, FolderEvent.DELETED),
    (_CLOSE_WRITE, FolderEvent.WRITTEN),
)
_PLAIN = {_MOVED_TO: FolderEvent.CAME, _MOVED_FROM: FolderEvent.LEFT, _DELETE: FolderEvent.DELETED}

# File systems where another machine, or a program past the kernel, may alter folders unseen by
# inotify: NFS, SMB (three numbers), 9P, AFS, Ceph, Coda, FUSE, GFS2, Lustre, OCFS2.
_NETWORK_FILE_SYSTEMS = {0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x5346414F, 0x00C36400}
_NETWORK_FILE_SYSTEMS |= {0x73757245, 0x65735546, 0x01161970, 0x0BD00BD0, 0x7461636F}


class _InotifyCalls:
    """The system calls. Raises OSError, and AttributeError where the system has none of them."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._init, self._add = libc.inotify_init1, libc.inotify_add_watch
        self._remove, self._statfs = libc.inotify_rm_watch, libc.statfs

    def init(self) -> int:
        """Return a new descriptor that never blocks."""
        return _checked(self._init(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, fd: int, path: bytes) -> int:
        """Watch a folder; return the number of the watch."""
        return _checked(self._add(fd, path, ctypes.c_uint32(_MASK)))

    def remove(self, fd: int, number: int) -> None:
        """End a watch."""
        _checked(self._remove(fd, number))

    def kind(self, path: bytes) -> int:
        """Return the number of the file system's kind (statfs(2))."""
        buffer = ctypes.create_string_buffer(512)
        _checked(self._statfs(path, buffer))
        (kind,) = struct.unpack_from("@L", buffer.raw)
        return int(kind) & 0xFFFFFFFF


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@dataclass(slots=True, eq=False)
class _Subscription:
    """One observer, and whether its ``on_burst_end`` is due or running."""

    observer: FolderObserver
    numbers: list[int] = field(default_factory=list)
    is_due: bool = False
    is_running: bool = False
    is_over: bool = False


@implementer(IReadDescriptor)
class Inotify:
    """Fulfils ``interfaces.FolderMonitor``. The descriptor is made at the first watch."""

    def __init__(self, reactor: Any, journal: Journal, max_watches: int = MAX_WATCHES) -> None:
        self._reactor = reactor
        self._journal = journal
        self._max_watches = max_watches
        self._calls: _InotifyCalls | None = None
        self._fd = -1
        self._poll = select.poll()  # a third of what a read costs that finds nothing
        self._is_absent = False
        self._read_at = -math.inf  # when the reactor last found events
        self._subscriptions: dict[int, list[tuple[_Subscription, bytes]]] = {}

    # ------------------------------------------------------------ watches

    def watch(
        self, observer: FolderObserver, folders: Sequence[bytes]
    ) -> Callable[[], None] | None:
        """Report what happens in these folders; return the function that ends it, or None."""
        calls = self._start()
        if calls is None or len(self._subscriptions) + len(folders) > self._max_watches:
            return None
        subscription = _Subscription(observer)
        try:
            for folder in folders:
                self._add(calls, subscription, folder)
        except OSError:
            self._leave(subscription)
            return None
        return lambda: self._leave(subscription)

    def _start(self) -> _InotifyCalls | None:
        """Return the system calls, with the descriptor made; None where there is no inotify."""
        if self._calls is None and not self._is_absent:
            try:
                calls = _InotifyCalls()
                self._fd = calls.init()
            except (OSError, AttributeError):
                self._is_absent = True
            else:
                self._calls = calls
                self._poll.register(self._fd, select.POLLIN)
                self._reactor.addReader(self)
        return self._calls

    def _add(self, calls: _InotifyCalls, subscription: _Subscription, folder: bytes) -> None:
        if calls.kind(folder) in _NETWORK_FILE_SYSTEMS:
            raise OSError(errno.ENOTSUP, "this file system reports no events")
        number = calls.add(self._fd, folder)
        self._subscriptions.setdefault(number, []).append((subscription, folder))
        subscription.numbers.append(number)

    def _leave(self, subscription: _Subscription) -> None:
        subscription.is_over = True
        while subscription.numbers:
            number = subscription.numbers.pop()
            left = [
                each for each in self._subscriptions.get(number, ()) if each[0] is not subscription
            ]
            if left:
                self._subscriptions[number] = left
            elif self._subscriptions.pop(number, None) and self._calls is not None:
                with suppress(OSError):  # the folder is gone, and its watch with it
                    self._calls.remove(self._fd, number)

    def close(self) -> None:
        """End all watches."""
        if self._calls is not None:
            self._reactor.removeReader(self)
            self._poll.unregister(self._fd)
            os.close(self._fd)
        self._calls, self._fd, self._is_absent = None, -1, True
        for subscriptions in self._subscriptions.values():
            for subscription, _ in subscriptions:
                subscription.is_over = True
        self._subscriptions.clear()

    # ------------------------------------------------------------ events

    def catch_up(self) -> None:
        """Report now all that has happened so far."""
        for _ in range(_PARTS):
            if not self._poll.poll(0) or not self._read():
                break

    def _read(self) -> bool:
        """Handle some events; return whether there were any."""
        if self._fd < 0:
            return False
        try:
            data = os.read(self._fd, _PART)
        except OSError:  # mostly EAGAIN: nothing happened
            return False
        at = 0
        while at < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            self._take(number, mask, name)
        return True

    def _take(self, number: int, mask: int, name: bytes) -> None:
        plain = _PLAIN.get(mask)
        if plain is not None:  # most are
            self._notify(number, plain, name)
        elif mask & _OVERFLOW:
            for each in list(self._subscriptions):
                self._notify(each, FolderEvent.LOST, b"")
        elif mask & (_DELETE_SELF | _MOVE_SELF | _UNMOUNT | _IGNORED):
            self._notify(number, FolderEvent.LOST, b"")
            if mask & _IGNORED:
                self._subscriptions.pop(number, None)
        elif mask & _ATTRIB:
            if not name:  # not one of the files
                self._notify(number, FolderEvent.TOUCHED, b"")
        else:
            for bits, event in _FOLDER_EVENTS:
                if mask & bits:
                    self._notify(number, event, name)

    def _notify(self, number: int, event: FolderEvent, name: bytes) -> None:
        for subscription, folder in self._subscriptions.get(number, ()):
            if subscription.observer.on_event(folder, event, name) and not subscription.is_due:
                subscription.is_due = True
                if not subscription.is_running:
                    self._reactor.callLater(BURST_SECONDS, self._run, subscription)

    # ------------------------------------------------------------ observers

    def _run(self, subscription: _Subscription) -> None:
        self.catch_up()
        subscription.is_due = False
        if subscription.is_over:
            return
        subscription.is_running = True
        running = Deferred.fromCoroutine(subscription.observer.on_burst_end())
        running.addErrback(self._failed)
        running.addCallback(self._ended, subscription)

    def _ended(self, _: object, subscription: _Subscription) -> None:
        subscription.is_running = False
        if subscription.is_due:
            self._reactor.callLater(BURST_SECONDS, self._run, subscription)

    def _failed(self, failure: Failure) -> None:
        try:
            failure.raiseException()
        except Exception:
            self._journal.failed("watching")

    # ------------------------------------------------------------ what Twisted calls

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def doRead(self) -> None:
        """Handle some events, and leave the rest for the reactor's next round, or a little later."""
        self._read()
        last, self._read_at = self._read_at, self._reactor.seconds()
        if self._read_at < last + PAUSE_SECONDS and self._calls is not None:
            self._reactor.removeReader(self)
            self._reactor.callLater(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        """Handle what came in the pause; pause again if anything did, else let the reactor wait."""
        if self._calls is None:
            return
        if self._read():
            self.catch_up()
            self._reactor.callLater(PAUSE_SECONDS, self._go_on)
        else:
            self._reactor.addReader(self)

    def logPrefix(self) -> str:
        """Return the name for the log."""
        return "inotify"

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: ``close`` ends this."""
