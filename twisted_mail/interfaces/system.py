"""What the operating system gives: time, threads, and events in folders."""

from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Clock(Protocol):
    """Time; a test has a clock that it moves itself."""

    def now(self) -> float:
        """Return seconds since 1970."""

    def monotonic(self) -> float:
        """Return seconds of a clock that is never set back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return or raise what ``work`` does; after ``seconds`` cancel it and raise TimeoutError."""


class Signal(Protocol):
    """Something that one task waits for. Reactor thread only."""

    def fire(self) -> None:
        """End the wait that is under way, or else the next one at once."""

    async def wait(self, seconds: float) -> bool:
        """Wait until it is fired, and no longer than ``seconds``; return whether it was."""


class Tasks(Protocol):
    """Coroutines that run next to each other on the reactor thread."""

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> Callable[[], None]:
        """Run a coroutine, which begins at once; return what cancels it.

        What it raises is a bug, logged under its name, but for its being cancelled.
        """

    def signal(self) -> Signal:
        """Return a new signal."""


class Blocking(Protocol):
    """Threads for work that may block, so that the reactor thread never waits."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread; return or raise what it does.

        Raises Unavailable when too much work is waiting already.
        """

    def lane(self) -> "Blocking":
        """Return a serial queue on these threads: one piece of work at a time, in order."""

    @property
    def is_idle(self) -> bool:
        """Return whether all work is done that was submitted here, also that which nobody awaits now."""


class FaultReport(Protocol):
    """Takes the errors of the disk and of databases that a peer is not sent the cause of."""

    def __call__(self, where: str, error: Exception) -> None:
        """Have the operator hear of an OSError or a database error; ``where`` is a path or an account.

        May be called in any thread, does not wait, and never raises. An OSError that names a file is
        reported with that file.
        """


def unreported(where: str, error: Exception) -> None:
    """Drop a report: for programs that show the error itself, and for tests."""


class FolderEvent(Enum):
    """What happened to a name in a folder.

    ``LEFT``: it was renamed, perhaps to another folder. ``WRITTEN``: a program has written and closed
    the file. Two come without a name: ``TOUCHED``, when the folder's own attributes were set, and
    ``LOST``, after which anything may have happened in the folder, or it is gone.
    """

    CAME = "came"
    LEFT = "left"
    DELETED = "deleted"
    WRITTEN = "written"
    TOUCHED = "touched"
    LOST = "lost"


class FolderObserver(Protocol):
    """Gets the events of folders in the file system."""

    def on_event(self, folder: bytes, event: FolderEvent, name: bytes) -> bool:
        """Record one event; return whether ``on_burst_end`` is to be called. Must not raise."""

    async def on_burst_end(self) -> None:
        """Handle what was recorded, some milliseconds later, when the burst of events is over."""


class FolderMonitor(Protocol):
    """Reports at once what any program does to the names in folders. Reactor thread only.

    Where the system has no such thing, its users look at the folders from time to time.
    """

    def watch(
        self, observer: FolderObserver, folders: Sequence[bytes]
    ) -> Callable[[], None] | None:
        """Report what happens in these folders to the observer; return the function that ends it.

        ``on_burst_end`` is not called again before it has returned. Returns None when not all of the
        folders can be watched: there are too many, or their file system reports nothing.
        """

    def catch_up(self) -> None:
        """Report now all that has happened so far. Never waits."""
