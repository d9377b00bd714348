"""The selected mailbox: what FETCH and all other commands of the selected state work on."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted_mail.imap.fetch.outline import Outline
from twisted_mail.imap.view import View
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.outcome import Refused, Unavailable

GONE = "Some of the messages no longer exist."
EXPUNGE_ISSUED = "EXPUNGEISSUED"
FAULTY = "Some of the messages cannot be used on the disk; the others are done."


@dataclass(slots=True)
class Selected:
    """The mailbox that is selected, and what the client knows of it.

    ``outlines`` remembers the structure of the last few large messages that FETCH read, by UID.
    """

    mailbox: Mailbox
    view: View
    is_read_only: bool
    outlines: OrderedDict[int, Outline] = field(default_factory=OrderedDict)

    def close(self) -> None:
        """Give the mailbox back."""
        self.view.close()
        self.mailbox.close()

    def require_writable(self) -> None:
        """Raise Refused when the mailbox is selected for reading only."""
        if self.is_read_only:
            raise Refused("The mailbox is selected for reading only.", "READ-ONLY")

    def require_no_faults(self) -> None:
        """Raise Unavailable when messages were left out since this was last called (RFC 5530 §3)."""
        if self.mailbox.faulty:
            self.mailbox.forget_faulty()
            raise Unavailable(FAULTY, "CONTACTADMIN")

    def has_gone(self, uids: Iterable[int]) -> bool:
        """Return whether some of the messages were expunged, which the client was not sent yet."""
        gone = self.view.pending.expunges
        return bool(gone) and not gone.isdisjoint(uids)

    def require_all_present(self, uids: Iterable[int]) -> None:
        """Raise Refused when some of the messages named by number are gone (RFC 5530 §3)."""
        if self.has_gone(uids):
            raise Refused(GONE, EXPUNGE_ISSUED)

    def completed(self, command: str, uids: Iterable[int]) -> str:
        """Return what follows OK, which says if some of the messages are gone (RFC 5530 §3).

        The client then knows that a NOOP brings it up to date.
        """
        code = f"[{EXPUNGE_ISSUED}] " if self.has_gone(uids) else ""
        return f"{code}{command} completed."
