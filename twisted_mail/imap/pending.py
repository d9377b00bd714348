"""What has happened in a mailbox and was not sent to the client yet."""

from array import array
from collections.abc import Collection, Sequence

from twisted_mail.mail.mailbox.change import Change, EntriesExpunged, FlagsChanged


class PendingChanges:
    """The UIDs of what is to be sent: ``arrivals`` ascend, ``flags`` is a set with an order."""

    __slots__ = ("arrivals", "expunges", "flags")

    def __init__(self) -> None:
        self.arrivals = array("Q")
        self.expunges: set[int] = set()
        self.flags: dict[int, None] = {}

    def __bool__(self) -> bool:
        return bool(self.arrivals or self.expunges or self.flags)

    def note(self, change: Change) -> None:
        """Record altered flags, or messages that are gone."""
        if isinstance(change, FlagsChanged):
            self.flags.update(dict.fromkeys([uid for uid, _, _ in change.marks]))
        elif isinstance(change, EntriesExpunged):
            self._note_expunged(change.uids)

    def note_added(self, uids: Collection[int]) -> None:
        """Record messages that have come."""
        self.arrivals.extend(uids)

    def _note_expunged(self, uids: Sequence[int]) -> None:
        """Record messages that are gone; of those that were not sent yet nothing is sent at all."""
        self.expunges.update(uids)
        if self.arrivals:
            gone = set(uids)
            self.arrivals = array("Q", [uid for uid in self.arrivals if uid not in gone])

    def take_expunges(self) -> set[int]:
        """Return the UIDs of the messages that are gone, and forget them."""
        taken, self.expunges = self.expunges, set()
        return taken
