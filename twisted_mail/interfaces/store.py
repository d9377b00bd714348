"""Where mail lives: the store, its accounts, and their mailboxes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.mailbox.entry import (
    Contains,
    CopyResult,
    ItemTier,
    MailboxInfo,
    MailboxStatus,
    MessageIdentity,
    MessageRange,
    NewMessage,
    RenderedItems,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import MailError

Watcher = Callable[[Change], None]


class Mailbox(Protocol):
    """One open mailbox: an ordered set of entries.

    Every alteration is durable on return, and its Change has been published: one call makes one Change
    and one new highest mod-sequence, or none where nothing was altered. UIDs passed to a method may be in
    any order; those that are gone are ignored. A mailbox that was deleted meanwhile raises Refused with
    condition NONEXISTENT; a renamed one stays open under its new name.
    """

    @property
    def name(self) -> str:
        """Return the present name."""

    @property
    def uidvalidity(self) -> int:
        """Return the UIDVALIDITY (RFC 3501 §2.3.1.1)."""

    @property
    def id(self) -> str:
        """Return the MAILBOXID (RFC 8474 §4): it stays when the mailbox is renamed."""

    @property
    def columns(self) -> EntryColumns:
        """Return the entries that are here now: the live columns, to read but not to keep."""

    @property
    def may_add_keywords(self) -> bool:
        r"""Return whether new keywords can be made (``\*`` in PERMANENTFLAGS)."""

    @property
    def keywords(self) -> Sequence[str]:
        """Return the keywords in use."""

    async def take_recent(self) -> int:
        r"""Return the lowest UID that no session has shown as ``\Recent``, and claim it and all above.

        For sessions that select the mailbox for writing.
        """

    def claim_recent(self) -> int:
        """Do the same after each ``EntriesAdded``, for a session that began with ``take_recent``."""

    async def refresh(self) -> None:
        """Look for what other programs did, and publish it as Changes.

        From the first call on it is also published as it happens, where the system reports it.
        """

    async def measure(self, uids: Sequence[int]) -> None:
        """Make sure that the columns have date and size of these messages, as far as they are there.

        Called before either is used: the store may postpone looking into files that other programs
        put there. Returns at once where all is known.
        """

    async def mark(
        self,
        uids: Sequence[int],
        how: Literal["set", "add", "remove"],
        flags: Flags,
        unchanged_since: int | None = None,
    ) -> tuple[int, ...]:
        r"""Alter flags; return the ascending UIDs refused for being changed since (RFC 7162 §3.1.3).

        A message that has the flags already keeps its mod-sequence. Keywords are spelled as they were
        first; ``\Recent`` is ignored. Raises Refused: LIMIT when there is no room for a new keyword, in
        the mailbox or at one of the messages, CANNOT for a flag that is neither a system flag nor a
        keyword; then nothing is altered. Of thousands of messages some are altered at a time: when
        Unavailable is raised, or the mailbox is deleted meanwhile, the flags of some are altered, and
        published, and those of others not.
        """

    async def copy(self, uids: Sequence[int], target: str) -> CopyResult:
        """Copy messages, all or none, in ascending order, with their flags and dates.

        Raises Refused: TRYCREATE, OVERQUOTA, LIMIT; CANNOT when no mailbox can have such a name.
        """

    async def move(self, uids: Sequence[int], target: str) -> CopyResult:
        """Move messages (RFC 6851 §3). Raises as ``copy`` does, but for OVERQUOTA.

        When it fails after some of thousands were moved, those are returned, with the error: each
        message is in one place (RFC 6851 §3.3).
        The target's ``EntriesAdded`` is published before this mailbox's ``EntriesExpunged``.
        """

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove messages; return the ascending UIDs of those that were there.

        Those whose files cannot be removed are ``faulty``, and stay; the others are removed, thousands
        of them some at a time.
        """

    async def measure_with_headers(self, uids: Sequence[int]) -> None:
        """Measure messages, and have their headers' items at hand: each file is opened once for both."""

    async def items(
        self, uids: Sequence[int], tier: ItemTier = ItemTier.PREVIEW
    ) -> Sequence[RenderedItems | None]:
        """Return the items up to a tier, in the order asked; None where a message is gone."""

    async def identities(self, uids: Sequence[int]) -> Sequence[MessageIdentity | None]:
        """Return the ids of messages, in the order asked; None where one is gone."""

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Return the threads of messages, in the order asked; None where one is gone (RFC 8474 §5.2).

        All copies of a message are in one thread of the account, and stay there. The first call for a
        mailbox may take a while.
        """

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        """Return ranges of messages as they are on the wire; None where a message is gone.

        The caller asks for a bounded number of octets at a time.
        """

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs, which are ascending, whose messages hold the substring."""

    @property
    def faulty(self) -> frozenset[int]:
        """Return the UIDs of messages that calls since ``forget_faulty`` left out.

        Their files have faults: one is unreadable, or its name is too long for more flags, say. Such a
        message does not stop the others. It is not measured, its flags stay, it matches nothing; where
        it would be read there is None.
        """

    def forget_faulty(self) -> None:
        """Forget the messages that were left out."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with every Change of this mailbox; return the function that ends this.

        It is called on the reactor thread, after the columns have been altered and before the altering
        method returns, for the caller's own alterations too. ``close`` ends it as well.
        """

    def close(self) -> None:
        """Close the mailbox; harmless when repeated."""


class Account(Protocol):
    """One holder of mail, whichever protocol asks.

    ``INBOX`` (any case) always exists. Names are Unicode with ``/`` between levels. Drafts, Sent, Junk,
    Trash and Archive are there from the start, with their special uses; they and INBOX are subscribed.
    A mailbox that is made again under an old name has a greater UIDVALIDITY.
    """

    @property
    def name(self) -> str:
        """Return the name: the account's main address."""

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Return all mailboxes, and subscribed names without a mailbox, sorted by name.

        The latter, and names that only have children, are not selectable.
        """

    async def open(self, name: str) -> Mailbox:
        """Open a mailbox as it is now, to be closed by the caller. Raises Refused: NONEXISTENT."""

    async def status(self, name: str, has_size: bool = True) -> MailboxStatus:
        """Return the counts of a mailbox without opening it. Raises Refused: NONEXISTENT.

        Without ``has_size`` the size may be too small, and the answer is quicker.
        """

    async def create(self, name: str, use: str = "") -> None:
        """Make a mailbox, and those levels above it that are no mailboxes yet.

        A ``/`` at the end of the name is ignored (RFC 3501 §6.3.3). ``MailboxCreated`` is published for
        each, the highest first. Raises Refused: ALREADYEXISTS, CANNOT, USEATTR (RFC 6154 §3), LIMIT.
        """

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages (RFC 3501 §6.3.5).

        A name that only has children can be renamed. Levels above the new name are made as ``create``
        does. UIDVALIDITY, UIDs and special uses go along, subscriptions stay with the names. Children
        of INBOX stay. ``MailboxRenamed`` is published for each, higher levels first. Raises Refused:
        NONEXISTENT, ALREADYEXISTS, CANNOT, LIMIT; then nothing is renamed.
        """

    async def delete(self, name: str) -> None:
        """Delete a mailbox, but neither its children nor the subscription (RFC 3501 §6.3.4).

        Raises Refused: NONEXISTENT; CANNOT for INBOX and for a name that only has children.
        """

    async def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name or unsubscribe, whether or not there is such a mailbox.

        Raises Refused: CANNOT when no mailbox can have such a name, LIMIT.
        """

    async def append(self, name: str, drafts: Sequence[NewMessage]) -> CopyResult:
        """Put messages into a mailbox, all or none; ``sources`` of the answer is empty.

        Owns the drafts' blobs and closes them in any case. A draft without a date gets the present
        time. Raises Refused: TRYCREATE, OVERQUOTA, LIMIT; CANNOT for a name no mailbox, or a flag no
        message can have.
        """

    async def lock_maildrop(self) -> Callable[[], None]:
        """Keep out all other POP3 sessions, in every process (RFC 1939 §4).

        Returns the function that lets them in again; it is harmless when repeated, and does not wait.
        Nothing else is kept out. Raises Refused with condition IN-USE when another session holds the
        maildrop.
        """

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with every Change of the account; return the function that ends this."""


class Store(Protocol):
    """All accounts' mail."""

    async def account(self, name: str) -> Account:
        """Return the account's mail, making its folders at first use."""

    async def check_quota(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return None for each account that has room for ``size`` octets, else why not.

        Nothing is reserved: ``deliver`` decides. An account is found full only after a fresh count.
        """

    async def detail_mailboxes(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return the mailboxes that details mean, by account (RFC 5233 §1), as ``deliver`` takes them.

        Accounts are left out where none is meant, or one that strangers may not choose: INBOX, and those
        with a special use. Letter case and composition count only where names differ in nothing else.
        """

    async def deliver(
        self, names: Sequence[str], message: Message, mailboxes: Mapping[str, str] | None = None
    ) -> Mapping[str, MailError | None]:
        """Put one message into the inboxes of several accounts, or into their ``mailboxes``.

        Returns None for each name where the message is now durable and visible, else why not: Refused
        with condition NONEXISTENT where a mailbox is not there any more, or cannot be used. The message's
        blob is lent: it is not closed here, and nothing reads it any more afterwards.
        """


class BlobWriter(Protocol):
    """Takes bytes of unknown number: into memory up to a limit, then into a file."""

    @property
    def size(self) -> int:
        """Return the octets written so far."""

    async def write(self, data: bytes) -> None:
        """Take bytes. After Unavailable the writer only counts, and ``finish`` raises again."""

    async def finish(self) -> Blob:
        """Return all that was written. The caller owns the blob."""

    def discard(self) -> None:
        """Discard what was written; harmless after ``finish``."""
