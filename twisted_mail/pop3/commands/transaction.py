"""The TRANSACTION state, and UPDATE, which follows QUIT (RFC 1939 §5, §6)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.interfaces import Mailbox, Maildrop
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.message import PIECE
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.pop3 import capabilities, grammar
from twisted_mail.pop3.framing import DotStuffing, TopFilter
from twisted_mail.pop3.session import Command, Pop3Session
from twisted_mail.pop3.snapshot import MaildropSnapshot, Row

FIRST_PIECE_OF_TOP = 16 * 1024  # octets: most headers, and the few lines that clients ask for


async def open_maildrop(session: Pop3Session, maildrop: Maildrop) -> "TransactionState":
    """Lock the maildrop and look at it.

    Raises what the doors do, and then has given everything back.
    """
    mailbox: Mailbox | None = None
    try:
        mailbox = await maildrop.lock()
        await mailbox.refresh()
        await mailbox.measure(mailbox.columns.uids)
        return TransactionState(session, maildrop, mailbox, MaildropSnapshot(mailbox))
    except BaseException:
        if mailbox is not None:
            mailbox.close()
        maildrop.logout()
        raise


@dataclass(slots=True)
class TransactionState:
    r"""Commands about messages. Fulfils ``talk.State``.

    As Dovecot does when left alone, what RETR has sent is marked ``\Seen``, so that IMAP clients of
    the same account do not take it for new; TOP marks nothing.
    """

    session: Pop3Session
    maildrop: Maildrop
    mailbox: Mailbox
    snapshot: MaildropSnapshot
    _sent: set[int] = field(default_factory=set)  # UIDs of messages sent whole

    def command(self, keyword: str) -> Command | None:
        """Return the command of this name, or None."""
        run = _COMMANDS.get(keyword)
        return None if run is None else partial(run, self)

    @property
    def timeout(self) -> float:
        """Return how long a client may be silent."""
        return self.session.settings.idle_timeout

    @property
    def summary(self) -> str:
        """Say how much there is."""
        count, octets = self.snapshot.count, self.snapshot.octets
        return f"{count} {'message' if count == 1 else 'messages'} ({octets} octets)"

    async def end(self) -> None:
        """Mark what was read, and give back mailbox and lock."""
        try:
            if self.session.settings.marks_seen and (unseen := self._sent_and_unseen()):
                await self.mailbox.mark(unseen, "add", flags.normal([flags.SEEN]))
        except MailError:
            pass  # the messages are merely unread for IMAP
        finally:
            self.mailbox.close()
            self.maildrop.logout()

    def _sent_and_unseen(self) -> list[int]:
        columns = self.mailbox.columns
        rows = [row for row in map(columns.row, sorted(self._sent)) if row is not None]
        return [columns.uids[row] for row in rows if flags.SEEN not in columns.flags[row]]

    # ------------------------------------------------------------ what is there

    async def _stat(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        self.session.ok(f"{self.snapshot.count} {self.snapshot.octets}")

    async def _list(self, argument: bytes) -> None:
        size = self.snapshot.size
        await self._listing(argument, lambda row: b"%d %d" % (row + 1, size(row)))

    async def _uidl(self, argument: bytes) -> None:
        unique_id = self.snapshot.unique_id
        await self._listing(argument, lambda row: b"%d %b" % (row + 1, unique_id(row)))

    async def _listing(self, argument: bytes, render: Callable[[Row], bytes]) -> None:
        if argument.strip(b" "):
            row = self.snapshot.row(grammar.number(argument))
            self.session.send(b"+OK %b\r\n" % render(row))
            return
        self.session.open_reply(self.summary)
        for lines in self.snapshot.listing(render):
            await self.session.stream(lines)
        self.session.close_reply()

    # ------------------------------------------------------------ messages

    async def _retr(self, argument: bytes) -> None:
        row = self.snapshot.row(grammar.number(argument))
        await self._send(row, f"{self.snapshot.size(row)} octets")
        self._sent.add(self.snapshot.uid(row))

    async def _top(self, argument: bytes) -> None:
        number, lines = grammar.number_and_lines(argument)
        await self._send(self.snapshot.row(number), "Top of message follows", TopFilter(lines))

    async def _send(self, row: Row, words: str, top: TopFilter | None = None) -> None:
        """Send a message, or its top, in pieces."""
        stuffing = DotStuffing()
        start, length = 0, PIECE if top is None else FIRST_PIECE_OF_TOP
        while True:
            piece = await self._read(row, start, start + length)
            if not start:
                self.session.open_reply(words)
            await self.session.stream(stuffing(piece if top is None else top(piece)))
            if len(piece) < length or (top is not None and top.is_complete):
                break
            start, length = start + length, PIECE
        self.session.close_reply(stuffing.finish())

    async def _read(self, row: Row, start: int, stop: int) -> bytes:
        [piece] = await self.mailbox.read([MessageRange(self.snapshot.uid(row), start, stop)])
        if piece is None:  # another program or an IMAP session expunged it
            raise Unavailable(f"Message {row + 1} is no longer there: log in again")
        return piece

    async def _dele(self, argument: bytes) -> None:
        row = self.snapshot.row(grammar.number(argument))
        self.snapshot.delete(row)
        self.session.ok(f"Message {row + 1} deleted")

    # ------------------------------------------------------------ the rest

    async def _rset(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        self.snapshot.reset()
        self.session.ok(self.summary)

    async def _noop(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        self.session.ok()

    async def _capa(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        capabilities.write_capabilities(self.session, is_logged_in=True)

    async def _quit(self, argument: bytes) -> None:
        """Enter the UPDATE state: only here are messages removed, all in one step."""
        grammar.no_argument(argument)
        self.session.end_reason = "quit"
        if deleted := self.snapshot.deleted_uids():
            try:
                await self.mailbox.expunge(deleted)
            except MailError:
                raise Unavailable("Some deleted messages were not removed") from None
        self.session.ok("Bye")


_COMMANDS: Mapping[str, Callable[[TransactionState, bytes], Awaitable[None]]] = {
    "STAT": TransactionState._stat,
    "LIST": TransactionState._list,
    "UIDL": TransactionState._uidl,
    "RETR": TransactionState._retr,
    "TOP": TransactionState._top,
    "DELE": TransactionState._dele,
    "RSET": TransactionState._rset,
    "NOOP": TransactionState._noop,
    "CAPA": TransactionState._capa,
    "QUIT": TransactionState._quit,
}
