"""Time, threads, and folders."""

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Clock(Protocol):
    """Time, so that tests need none."""

    def now(self) -> float:
        """Return seconds since 1970."""

    def monotonic(self) -> float:
        """Return seconds that only rise."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return or raise what ``work`` does. Raises TimeoutError, and cancels it, after ``seconds``."""


class Blocking(Protocol):
    """Where work that may block is done, so that the reactor thread never waits."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread; return or raise what it does.

        Raises Unavailable when too much work is waiting already.
        """

    def lane(self) -> "Blocking":
        """Return a door of its own whose work is done one piece at a time, in order."""


class FolderEvent(Enum):
    """What was seen of a name in a folder.

    ``LEFT`` is a name renamed away, perhaps to another place; ``WRITTEN`` a file that somebody was
    writing, and closed. There is no name with ``TOUCHED``, which
    says that the folder's own attributes were set, nor with ``LOST``: anything may have happened in it,
    or it is gone.
    """

    CAME = "came"
    LEFT = "left"
    DELETED = "deleted"
    WRITTEN = "written"
    TOUCHED = "touched"
    LOST = "lost"


class FolderObserver(Protocol):
    """One who wants to know what happens in folders of the file system."""

    def on_event(self, folder: bytes, sight: FolderEvent, name: bytes) -> bool:
        """Take note of one event; return whether ``on_burst_end`` is to be called. Must not raise."""

    async def on_burst_end(self) -> None:
        """Look at what was heard, some milliseconds later, when the burst is over."""


class FolderMonitor(Protocol):
    """Notices at once what any program does to the names in folders. Reactor thread only.

    Where this cannot be had, whoever needs news looks at the folders from time to time.
    """

    def watch(
        self, onlooker: FolderObserver, folders: Sequence[bytes]
    ) -> Callable[[], None] | None:
        """Tell the onlooker what happens in these folders; return the function that ends it.

        ``on_burst_end`` is not called again before it has returned. Returns None when not all of them
        can be watched: too many are, or their file system does not tell.
        """

    def catch_up(self) -> None:
        """Tell now what has happened until now. Never waits."""
