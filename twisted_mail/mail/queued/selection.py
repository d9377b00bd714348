"""Which recipients in the queue a command is about."""

from dataclasses import dataclass
from enum import Enum


class SelectedState(Enum):
    """States that recipients are selected by: ``DEFERRED`` are those that wait after an attempt.

    What is ``DAMAGED`` on disk is listed and removed, and nothing else is done with it.
    ``UNREPORTED`` are those that have ended and whose report is not written yet.
    """

    WAITING = "waiting"
    DEFERRED = "deferred"
    HELD = "held"
    DAMAGED = "damaged"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters: a recipient is selected that meets all that are given. Without any, all are.

    ``ids`` are jobs (``ID``) and single recipients (``ID/NUMBER``), any of which is enough.
    ``recipient`` and ``sender`` are addresses, in which ``*`` stands for anything; a recipient is
    found by the address that was written, too, and the null sender is ``<>``. Any of
    ``destinations`` (``smtp:example.org``) is enough; ``site`` stands for those behind it, which a
    running server knows. ``older`` is the age of the message in seconds at least. ``reason`` is a
    class of replies, or what is in the last words of the other side or in why it is held.
    """

    ids: tuple[str, ...] = ()
    recipient: str = ""
    sender: str = ""
    destinations: tuple[str, ...] = ()
    site: str = ""
    account: str = ""
    older: float = 0.0
    reason: str = ""
    state: SelectedState | None = None

    @property
    def means_damaged(self) -> bool:
        """Return whether it means damaged recipients, too: filters of others do not see them."""
        return self.is_empty or bool(self.ids) or self.state is SelectedState.DAMAGED

    @property
    def is_empty(self) -> bool:
        """Return whether there is no filter."""
        return self == EVERYTHING


EVERYTHING = Selection()
