"""The maildrop of a session after login: locked, and shown as it was then (RFC 1939 §4)."""

from dataclasses import dataclass, field

from twisted_mail.interfaces import Mailbox, Maildrop
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.pop3.snapshot import MaildropSnapshot, Row

_NOT_REMOVED = "Some deleted messages were not removed"


async def lock_maildrop(maildrop: Maildrop) -> "LockedMaildrop":
    """Lock a maildrop and take a snapshot.

    Raises what the doors raise, and then has given everything back.
    """
    mailbox: Mailbox | None = None
    try:
        mailbox = await maildrop.lock()
        await mailbox.measure(mailbox.columns.uids)
        return LockedMaildrop(maildrop, mailbox, MaildropSnapshot(mailbox))
    except BaseException:
        if mailbox is not None:
            mailbox.close()
        maildrop.logout()
        raise


@dataclass(slots=True)
class LockedMaildrop:
    """A maildrop with its snapshot, until ``close``."""

    maildrop: Maildrop
    mailbox: Mailbox
    snapshot: MaildropSnapshot
    retrieved: set[int] = field(default_factory=set)  # UIDs of the messages that RETR has sent

    async def read(self, row: Row, start: int, stop: int) -> bytes:
        """Return a range of a message. Raises Unavailable when the message is gone."""
        self.mailbox.forget_faulty()
        [piece] = await self.mailbox.read([MessageRange(self.snapshot.uid(row), start, stop)])
        if self.mailbox.faulty:
            raise Unavailable(f"Message {row + 1} cannot be read from the disk", "CONTACTADMIN")
        if piece is None:  # another program or an IMAP session expunged it
            raise Unavailable(f"Message {row + 1} is no longer there: log in again")
        return piece

    async def update(self) -> None:
        """Remove the messages marked as deleted, all in one step (RFC 1939 §6)."""
        if deleted := self.snapshot.deleted_uids():
            self.mailbox.forget_faulty()
            try:
                await self.mailbox.expunge(deleted)
            except MailError:
                raise Unavailable(_NOT_REMOVED) from None
            if self.mailbox.faulty:
                raise Unavailable(_NOT_REMOVED, "CONTACTADMIN")

    async def close(self, marks_seen: bool) -> None:
        r"""Give back mailbox and lock, after marking what was retrieved as ``\Seen`` if asked to.

        Dovecot does the same by default: otherwise IMAP clients of the account take it for new.
        """
        try:
            if marks_seen and (unseen := self._retrieved_and_unseen()):
                await self.mailbox.mark(unseen, "add", flags.normal([flags.SEEN]))
        except MailError:
            pass  # the messages are merely unread for IMAP
        finally:
            self.mailbox.close()
            self.maildrop.logout()

    def _retrieved_and_unseen(self) -> list[int]:
        columns = self.mailbox.columns
        rows = [row for row in map(columns.row, sorted(self.retrieved)) if row is not None]
        return [columns.uids[row] for row in rows if flags.SEEN not in columns.flags[row]]
