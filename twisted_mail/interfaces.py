"""Every door between rooms.

A room reaches another only through one of these, with values of ``mail`` as its words. Doors are
``typing.Protocol``: what is handed in needs the shape and no base class. Doors are bulk: one call for
a thousand messages. Every coroutine may raise ``Unavailable``; what else it raises is said here.

Sessions are coroutines that await nothing but these doors, so they run without a reactor.
"""

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, ParamSpec, Protocol, TypeVar

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.change import Change
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.dns import Answer, IpVersion, MailHost
from twisted_mail.mail.entry import (
    Columns,
    Contains,
    Copied,
    Draft,
    Identity,
    Items,
    MailboxInfo,
    Piece,
    Status,
)
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.flags import Flags
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.resident import Resident
from twisted_mail.mail.roll import Bounced, BounceRule, MailingList, Member, Request, Role
from twisted_mail.mail.route import Route, Step
from twisted_mail.mail.verdict import Edit, Stage, Verdict

P = ParamSpec("P")
T = TypeVar("T")

# ---------------------------------------------------------------- the peer and the line to it


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: numeric address (empty for a UNIX socket) and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Privacy:
    """The TLS of a connection: version (``TLSv1.3``), cipher suite name, key bits."""

    version: str
    cipher: str
    bits: int


class Ending(Exception):
    """The conversation is over, for a reason that is nobody's error."""

    class Reason(Enum):
        """Why: the peer left, was silent too long, or the server stops."""

        LOST = "lost"
        TIMEOUT = "timeout"
        SHUTDOWN = "shutdown"

    def __init__(self, reason: "Ending.Reason") -> None:
        super().__init__(reason.value)
        self.reason = reason


class Outlet(Protocol):
    """Where an answer is written."""

    def write(self, data: bytes) -> None:
        """Take bytes to send. They leave together at the next ``drain`` or ``read``."""

    async def drain(self) -> None:
        """Send what was written and wait until the peer has taken most of it.

        Also lets other connections have their turn when this one's was long. Loops over many
        messages drain about every 64 KiB. Raises Ending.
        """


class Wire(Outlet, Protocol):
    """Both directions of one connection, as a session sees it."""

    @property
    def peer(self) -> Peer:
        """Say who is at the other end."""

    @property
    def privacy(self) -> Privacy | None:
        """Return the TLS of the connection, or None while it is in clear."""

    @property
    def may_start_tls(self) -> bool:
        """Say whether ``start_tls`` can succeed: a certificate is there and TLS is not on yet."""

    @property
    def takes_passwords(self) -> bool:
        """Say whether a password may cross: under TLS, or where the listener says so."""

    @property
    def has_unread(self) -> bool:
        """Say whether bytes have arrived that no ``read`` has returned yet."""

    async def read(self, timeout: float) -> bytes:
        """Send what was written, then return the bytes that came, at least one.

        Returns empty bytes after a ``nudge``. Raises Ending: LOST when the peer has closed, TIMEOUT
        after ``timeout`` seconds of silence, SHUTDOWN when the server stops. After TIMEOUT the wire is as
        it was: a session may look after something else and read again.
        """

    def nudge(self) -> None:
        """Make the present ``read``, or else the next, return at once. Reactor thread only."""

    async def turn(self) -> None:
        """Let other connections go first if this one has worked for long. Cheap otherwise."""

    async def start_tls(self) -> None:
        """Send what was written in clear, then speak TLS from the next byte on.

        The caller has made sure that nothing is unread. Raises Ending.
        """

    def close(self) -> None:
        """Send what was written and close. ``read`` and ``drain`` raise Ending from now on."""


class Session(Protocol):
    """One conversation, from greeting to farewell."""

    async def run(self) -> None:
        """Hold the conversation; return when it is over.

        Ending is handled inside: the session writes its protocol's farewell on TIMEOUT and SHUTDOWN.
        """


# ---------------------------------------------------------------- time, threads, and folders


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


class Sight(Enum):
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


class Onlooker(Protocol):
    """One who wants to know what happens in folders of the file system."""

    def heard(self, folder: bytes, sight: Sight, name: bytes) -> bool:
        """Take note of one happening; say whether ``look`` shall be called for it. Must not raise."""

    async def look(self) -> None:
        """Look at what was heard, some milliseconds later, when the burst is over."""


class Watching(Protocol):
    """Notices at once what any program does to the names in folders. Reactor thread only.

    Where this cannot be had, whoever needs news looks at the folders from time to time.
    """

    def watch(self, onlooker: Onlooker, folders: Sequence[bytes]) -> Callable[[], None] | None:
        """Tell the onlooker what happens in these folders; return the function that ends it.

        ``look`` is not called again before it has returned. Returns None when not all of them can be
        watched: too many are, or their file system does not tell.
        """

    def catch_up(self) -> None:
        """Tell now what has happened until now. Never waits."""


# ---------------------------------------------------------------- names


class Resolver(Protocol):
    """Asks the DNS.

    Where there is no such name, or nothing of the kind under it, an answer is empty; so it is for what
    cannot be a name. Raises Unavailable when nobody answers in time, when servers fail (SERVFAIL), and
    when too many questions are waiting. Answers are remembered as long as the DNS allows.
    """

    async def addresses(self, name: str, version: IpVersion | None = None) -> Answer[str]:
        """Return the numeric addresses of a name: of one version of IP, or those of IPv6 first."""

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[Answer[str] | None]:
        """Return the addresses of several names, asked at once; None where ``addresses`` raises."""

    async def names(self, address: str) -> Answer[str]:
        """Return the names that a numeric address has by its PTR records, unconfirmed."""

    async def mail_hosts(self, domain: str) -> Answer[MailHost]:
        """Return the MX records of a domain, the most preferred first."""

    async def texts(self, name: str) -> Answer[bytes]:
        """Return the TXT records of a name, the strings of each joined."""


# ---------------------------------------------------------------- who are you

Face = TypeVar("Face", covariant=True)


class Login(Protocol[Face]):
    """The portal, for the one face that a protocol speaks."""

    async def __call__(self, credentials: Credentials, peer: Peer) -> Face:
        """Return the avatar's face, which the session gives back with its ``logout``.

        Raises Refused, with the same words after the same time for a wrong password and an unknown
        name.
        """


class Exchange(Protocol):
    """One authentication in progress (RFC 4422 §3)."""

    def step(self, response: bytes) -> bytes | Credentials:
        """Take the client's response; return the next challenge or what it all said.

        Without an initial response, the first call is made with empty bytes if the mechanism is
        ``server_first``. Raises ProtocolError on bytes that the mechanism does not allow.
        """


class Mechanism(Protocol):
    """A SASL mechanism."""

    @property
    def name(self) -> str:
        """Return the registered name, upper case."""

    @property
    def server_first(self) -> bool:
        """Say whether the server's challenge comes before the client's first response."""

    @property
    def reveals_password(self) -> bool:
        """Say whether a listener reads the password: then TLS must be on."""

    def begin(self) -> Exchange:
        """Start one authentication."""


class Mailboxes(Protocol):
    """The IMAP face of an avatar."""

    @property
    def account(self) -> "Account":
        """Return the account."""

    def logout(self) -> None:
        """End the login."""


class Maildrop(Protocol):
    """The POP3 face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def lock(self) -> "Mailbox":
        """Open the inbox for this session alone among POP3 sessions (RFC 1939 §4).

        Raises Refused with condition IN-USE when another session holds it.
        """

    def logout(self) -> None:
        """End the login and give the lock back."""


class Submitter(Protocol):
    """The SMTP face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def may_send_as(self, address: Address) -> bool:
        """Say whether mail of this account may carry ``address`` as its sender."""

    def logout(self) -> None:
        """End the login."""


class Adoption(Protocol):
    """Lets somebody submit whose password a trusted proxy has checked."""

    async def __call__(self, name: str) -> Submitter:
        """Return the SMTP face of the account of this name. Raises Refused when there is none."""


class Directory(Protocol):
    """Who lives here."""

    async def is_ours(self, domain: str) -> bool:
        """Say whether mail for the domain is kept here."""

    async def account(self, address: Address) -> str | None:
        """Return the name of the account that has this very address, or None."""

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return where the alias of this address leads, one step; empty when it is no alias."""

    async def find(self, address: Address) -> Resident | None:
        """Return all that lives under this very address; None when its domain is not ours.

        An address in a domain that is an alias of another is looked for there, and what takes the
        rest of a domain's mail under ``catch_all`` (mail/resident.py).
        """

    async def home(self, domain: str) -> str | None:
        """Return the domain of ours that a domain is, or is another name of; None if not ours."""

    async def members(self, address: Address) -> tuple[Address, ...]:
        """Return who gets what is sent to an alias or a mailing list, one step, as EXPN tells it."""

    async def may_send_as(self, account: str, address: Address) -> bool:
        """Say whether an account was allowed to send as an address that may not lead to it."""

    async def verify(self, credentials: Credentials) -> str | None:
        """Return the account's name if the password is right, else None, after the same time."""


# ---------------------------------------------------------------- where mail lives

Watcher = Callable[[Change], None]


class Mailbox(Protocol):
    """One open mailbox: an ordered set of entries.

    Every alteration is durable when it returns, and has rung the bell: one Change and one new highest
    mod-sequence for one call, and none where nothing was altered. UIDs given to a method come in any
    order; those not there any more are passed over. A mailbox that was deleted meanwhile raises
    Refused with condition NONEXISTENT; a renamed one stays open under its new name.
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
    def columns(self) -> Columns:
        """Return the entries that are here now: the live columns, to read and not to keep."""

    @property
    def may_add_keywords(self) -> bool:
        r"""Say whether new keywords can be made (``\*`` in PERMANENTFLAGS)."""

    @property
    def keywords(self) -> Sequence[str]:
        """Return the keywords in use."""

    def claim_recent(self) -> int:
        """Return the lowest UID nobody was told of as recent, and take it and all above.

        Called by sessions that selected the mailbox for reading and writing, at the start and after
        each ``Added``.
        """

    async def refresh(self) -> None:
        """Look for what other programs did, and ring the bell for it."""

    async def measure(self, uids: Sequence[int]) -> None:
        """See to it that the columns tell date and size of these messages, as far as they are there.

        Called before either is used: the store may put off looking into files that other programs
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
        first; ``\Recent`` is passed over. Raises Refused: LIMIT when there is no room for a new
        keyword, CANNOT for a flag that is neither a system flag nor a keyword; then nothing is altered.
        """

    async def copy(self, uids: Sequence[int], target: str) -> Copied:
        """Copy messages, all or none, in ascending order, with their flags and dates.

        Raises Refused: TRYCREATE, OVERQUOTA, LIMIT; CANNOT when no mailbox can have such a name.
        """

    async def move(self, uids: Sequence[int], target: str) -> Copied:
        """Move messages, all or none (RFC 6851 §3). Raises as ``copy`` does, but for OVERQUOTA.

        ``Added`` is rung for the target before ``Gone`` is for this mailbox.
        """

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove messages; return the ascending UIDs of those that were there."""

    async def items(self, uids: Sequence[int]) -> Sequence[Items | None]:
        """Return the rendered items, in the order asked; None where a message is gone."""

    async def identities(self, uids: Sequence[int]) -> Sequence[Identity | None]:
        """Return what messages are called, in the order asked; None where one is gone."""

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Return the threads of messages, in the order asked; None where one is gone (RFC 8474 §5.2).

        All copies of a message are in one thread of the account, in which they stay. It may take a
        while when it was never asked before.
        """

    async def read(self, pieces: Sequence[Piece]) -> Sequence[bytes | None]:
        """Return ranges of messages as they are on the wire; None where a message is gone.

        The caller asks for a bounded number of octets at a time.
        """

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs whose messages hold the substring."""

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of this mailbox to ``watcher``; return the function that ends it.

        Changes arrive on the reactor thread after the columns have been altered, the caller's own
        included, before the altering method returns. ``close`` ends the watch, too.
        """

    def close(self) -> None:
        """Give the mailbox back; harmless when done twice."""


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
        """Return all mailboxes, and names that are subscribed to and gone, sorted by name.

        The latter, and names that only have children, are not selectable.
        """

    async def open(self, name: str) -> Mailbox:
        """Open a mailbox, to be closed by the caller. Raises Refused: NONEXISTENT."""

    async def status(self, name: str, has_size: bool = True) -> Status:
        """Return the counts of a mailbox without opening it. Raises Refused: NONEXISTENT.

        Without ``has_size`` the size may be too small, and the answer is quicker.
        """

    async def create(self, name: str, use: str = "") -> None:
        """Make a mailbox and those levels above it that are no mailboxes yet.

        A ``/`` at the end of the name is passed over (RFC 3501 §6.3.3). ``Made`` is rung for each, the
        highest first. Raises Refused: ALREADYEXISTS, CANNOT, USEATTR (RFC 6154 §3), LIMIT.
        """

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages (RFC 3501 §6.3.5).

        A name that only has children can be renamed. Levels above the new name are made as ``create``
        does. UIDVALIDITY, UIDs and special uses go along, subscriptions stay with the names. Children
        of INBOX stay. ``Renamed`` is rung for each mailbox, higher levels first. Raises Refused:
        NONEXISTENT, ALREADYEXISTS, CANNOT, LIMIT; then nothing is renamed.
        """

    async def delete(self, name: str) -> None:
        """Delete a mailbox, not its children, nor the subscription (RFC 3501 §6.3.4).

        Raises Refused: NONEXISTENT; CANNOT for INBOX and for a name that only has children.
        """

    async def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name, whether or not there is such a mailbox, or no longer.

        Raises Refused: CANNOT when no mailbox can have such a name, LIMIT.
        """

    async def append(self, name: str, drafts: Sequence[Draft]) -> Copied:
        """Put messages into a mailbox, all or none; ``sources`` of the answer is empty.

        Takes over the drafts' blobs and closes them in any case. Without a date it is now. Raises
        Refused: TRYCREATE, OVERQUOTA, LIMIT; CANNOT for a name no mailbox, or a flag no message can have.
        """

    async def hold_maildrop(self) -> Callable[[], None]:
        """Keep all other POP3 sessions out, whichever process serves them (RFC 1939 §4).

        Returns what lets them in again; it is harmless when repeated, and does not wait. Nothing else is
        kept out. Raises Refused with condition IN-USE when another session holds the maildrop.
        """

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of the account to ``watcher``; return the function that ends it."""


class Store(Protocol):
    """All accounts' mail."""

    async def account(self, name: str) -> Account:
        """Return the account's mail, making its folders at first use."""

    async def room(self, names: Sequence[str], size: int) -> Mapping[str, MailError | None]:
        """Return None for each account that has room for a message of so many octets, else why not.

        No room is kept: ``deliver`` decides. Nobody is said to have none but after a fresh count.
        """

    async def deliver(
        self, names: Sequence[str], message: Message
    ) -> Mapping[str, MailError | None]:
        """Put one message into the inboxes of several accounts.

        Returns None for each name where the message is now durable and visible, else why not. The
        message's blob is closed.
        """


class Renderer(Protocol):
    """Makes the items of a message; handed to the store, which keeps what it makes."""

    version: int

    def __call__(self, data: bytes) -> Items:
        """Render one whole message. Never raises on hostile bytes, and may take milliseconds."""


class BlobWriter(Protocol):
    """Takes in bytes whose number is not known: in memory up to a bound, then in a file."""

    @property
    def size(self) -> int:
        """Return the octets written so far."""

    async def write(self, data: bytes) -> None:
        """Take bytes. After Unavailable the writer only counts, and ``finish`` raises again."""

    async def finish(self) -> Blob:
        """Return all that was written. The caller owns the blob."""

    def discard(self) -> None:
        """Forget what was written; harmless after ``finish``."""


# ---------------------------------------------------------------- other programs


class Line(Protocol):
    """A connection that we have opened to another program. Reactor thread only.

    What is written or read after the end raises Unavailable.
    """

    @property
    def is_open(self) -> bool:
        """Say whether nobody has closed it, as far as is known."""

    def write(self, data: bytes) -> None:
        """Take bytes to send, soon."""

    async def drain(self, timeout: float) -> None:
        """Wait until the other side has taken most of what was written.

        Raises Unavailable when it has closed, or takes nothing for ``timeout`` seconds.
        """

    async def read(self, timeout: float) -> bytes:
        """Return the bytes that came, at least one; not many are taken in before they are asked for.

        Raises Unavailable when the other side has closed, or says nothing for ``timeout`` seconds.
        """

    def close(self) -> None:
        """Send what was written and close; harmless when done twice."""


class Dialing(Protocol):
    """Opens connections to other programs."""

    async def dial(self, endpoint: str, timeout: float) -> Line:
        """Connect to ``tcp:host:port`` or ``unix:/path``, an endpoint string of Twisted's clients.

        Raises Unavailable when it cannot be reached within ``timeout`` seconds.
        """


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP server answered: the status and the body."""

    status: int
    body: bytes


class Posting(Protocol):
    """Sends requests to HTTP servers."""

    async def post(
        self,
        url: str,
        fields: Sequence[tuple[str, str]],
        size: int,
        body: AsyncIterator[bytes],
        limit: int,
    ) -> HttpAnswer:
        """Send a POST whose body has ``size`` octets; return the answer.

        Raises Unavailable when the server cannot be reached, breaks off, or answers with more than
        ``limit`` octets. Whoever asks sets the time limit.
        """


# ---------------------------------------------------------------- may this come in


@dataclass(slots=True)
class Visit:
    """One SMTP conversation as filters see it: to read, but for ``notes``.

    Grows with the stages: at each, what came before is there. ``recipients`` are those taken so far,
    ``recipient`` is the one asked about. ``header`` is the message's own, up to a bound, and
    ``message`` the whole with our trace fields in front, both at the last stage only; reading its pieces
    may block. In ``notes`` a filter keeps, under its name, what it wants to find again at a later
    stage. ``verdicts`` are those given so far that say anything, with the names of the filters: the first
    ``of_client`` of the client, up to ``of_hello`` of its name, and the others of the transaction.
    ``reverse_name`` is set by the filter that has found it to lead back to the client's address.
    """

    service: str
    peer: Peer
    hello: str = ""
    privacy: Privacy | None = None
    submitter: str = ""
    id: str = ""
    sender: Address = NULL
    declared_size: int = 0
    recipients: Collection[Address] = ()
    recipient: Address | None = None
    header: bytes = b""
    message: Message | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    verdicts: list[tuple[str, Verdict]] = field(default_factory=list)
    of_client: int = 0
    of_hello: int = 0
    reverse_name: str = ""

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Return all that is to be edited by the verdicts that took the mail so far."""
        return tuple(edit for _, one in self.verdicts if not one.is_refusal for edit in one.edits)


class Filter(Protocol):
    """One who judges whether mail may come in. One object serves all conversations.

    One that keeps something of a conversation may have a method ``ended(visit, is_over)``: a
    transaction has ended, whether its message was taken or not, or all of the conversation is over.
    """

    @property
    def stages(self) -> Collection[Stage]:
        """Say at which stages it wants to be asked."""

    async def judge(self, stage: Stage, visit: Visit) -> Verdict:
        """Return the verdict. Whatever it raises, the configuration says what is done then."""


class Policy(Protocol):
    """All filters together."""

    def begin(self, service: str, peer: Peer) -> Visit | None:
        """Return the visit of a new conversation; None when nobody is asked about this service."""

    def is_asked(self, stage: Stage, visit: Visit) -> bool:
        """Say whether any filter is asked at a stage."""

    async def judge(self, stage: Stage, visit: Visit) -> Verdict:
        """Ask the filters in their order, up to the first refusal; return their verdict.

        A verdict that takes the mail has the edits and the strictest decision of all. Never raises
        but Ending, and takes no longer than the filters' time limits.
        """

    def ended(self, visit: Visit, is_over: bool) -> None:
        """Tell the filters that a transaction has ended, or that all of the conversation is over."""


# ---------------------------------------------------------------- mailing lists


class Rolls(Protocol):
    """Who is on the mailing lists, and who wants to be. Lists are called by their names.

    What alters something is durable when it returns.
    """

    async def find(self, name: str) -> MailingList | None:
        """Return a list, or None where there is none."""

    async def members(self, name: str, after: int, limit: int) -> Sequence[Member]:
        """Return members who are sent to, in the order of their numbers, those above ``after``."""

    async def member(self, name: str, who: Address | int) -> Member | None:
        """Return the member with an address, or with a number, or None."""

    async def secret(self) -> bytes:
        """Return the secret by which addresses that we have made are known again."""

    async def ask(self, name: str, role: Role, address: Address) -> str:
        """Note that somebody wants to join or leave; return the word that confirms it.

        The word is empty where this was asked shortly before. Raises Refused for who cannot join.
        """

    async def answer(self, name: str, word: str, within: float) -> Request | None:
        """Do what was asked no longer than ``within`` seconds ago, and return it; None if nothing was.

        Raises Refused as ``ask`` does.
        """

    async def leave(self, name: str, address: Address) -> bool:
        """Take a member off a list; say whether they were on it."""

    async def bounced(self, name: str, number: int, rule: BounceRule) -> Bounced:
        """Count a bounce of a member."""


# ---------------------------------------------------------------- where mail goes


class Router(Protocol):
    """Finds the next hop."""

    async def route(self, recipient: Address) -> Route:
        """Return the route of one recipient, aliases expanded."""

    async def explain(self, recipient: Address) -> tuple[Route, Sequence[Step]]:
        """Return the route, and the steps by which it was found."""


class Queue(Protocol):
    """The one door through which mail enters our responsibility."""

    async def room(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room for a message of so many octets, or None.

        Where some have room, the message is taken for them. Raises Unavailable.
        """

    @property
    def promises(self) -> Collection[str]:
        """Name what it keeps of ``Envelope.wishes`` and ``notifications``, by keywords of EHLO.

        DSN, FUTURERELEASE, DELIVERBY, MT-PRIORITY, REQUIRETLS: what is not named here is neither offered
        to clients nor asked for. ``TLS-Required`` stands for the header field of RFC 8689 §3. Without
        BINARYMIME, binary messages are converted before they are handed on.
        """

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take responsibility for a message: when this returns, every recipient's copy is durable.

        Raises Refused or Unavailable when not, and then responsibility stays with the sender. The
        message's blob is closed in any case.
        """


class Delivery(Protocol):
    """Final delivery, with an answer for each recipient: what LMTP needs (RFC 2033 §4.2)."""

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient for whom it can be done.

        Returns None for each whose copy is durable, else why it is not: then responsibility for that
        recipient stays with the sender. The message's blob is closed in any case.
        """


# ---------------------------------------------------------------- what happened


class Journal(Protocol):
    """The events of connections and of a message's life, for the log. One word, one method."""

    def connected(self, service: str, peer: Peer) -> None:
        """Note that a connection came."""

    def disconnected(self, service: str, peer: Peer, reason: str) -> None:
        """Note that it ended: ``quit``, ``lost``, ``timeout``, ``shutdown``, or an error's name."""

    def logged_in(self, service: str, peer: Peer, account: str) -> None:
        """Note a login."""

    def login_failed(self, service: str, peer: Peer, name: str) -> None:
        """Note a refused login."""

    def received(self, envelope: Envelope, peer: Peer, size: int) -> None:
        """Note that we took responsibility for a message."""

    def refused(self, service: str, peer: Peer, id: str, reason: str) -> None:  # noqa: A002
        """Note that a recipient or a message was refused, in the words that the peer was told."""

    def judged(self, name: str, stage: Stage, visit: Visit, verdict: Verdict) -> None:
        """Note what a filter decided, if it gave a reason."""

    def delivered(self, id: str, accounts: Sequence[str]) -> None:  # noqa: A002
        """Note that a message is in these accounts' inboxes."""

    def tried(self, id: str, to: str, result: str, reason: str) -> None:  # noqa: A002
        """Note what came of an attempt to hand a message to a program or a list, and why."""

    def indexed(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long indexing of a mailbox for SEARCH has come, in messages."""

    def warned(self, where: str, text: str) -> None:
        """Note what whoever runs the server should look at, though it goes on."""

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""
