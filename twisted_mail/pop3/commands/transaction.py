"""The TRANSACTION state: commands about messages (RFC 1939 §5, §7)."""

from collections.abc import Callable

from twisted_mail.mail.message import PIECE
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.command_definition import Command
from twisted_mail.pop3.framing import DotStuffing, TopFilter
from twisted_mail.pop3.session import Pop3Session
from twisted_mail.pop3.snapshot import Row
from twisted_mail.pop3.state import AFTER_LOGIN

FIRST_PIECE_OF_TOP = 16 * 1024  # octets: most headers, and the few lines that clients ask for


# ---------------------------------------------------------------- what is there


async def _stat(session: Pop3Session, argument: bytes) -> None:
    grammar.no_argument(argument)
    snapshot = session.maildrop.snapshot
    session.ok(f"{snapshot.count} {snapshot.octets}")


async def _list(session: Pop3Session, argument: bytes) -> None:
    size = session.maildrop.snapshot.size
    await _listing(session, argument, lambda row: b"%d %d" % (row + 1, size(row)))


async def _uidl(session: Pop3Session, argument: bytes) -> None:
    unique_id = session.maildrop.snapshot.unique_id
    await _listing(session, argument, lambda row: b"%d %b" % (row + 1, unique_id(row)))


async def _listing(session: Pop3Session, argument: bytes, render: Callable[[Row], bytes]) -> None:
    snapshot = session.maildrop.snapshot
    if argument.strip(b" "):
        row = snapshot.row(grammar.number(argument))
        session.send(b"+OK %b\r\n" % render(row))
        return
    session.open_reply(grammar.ok(snapshot.summary))
    for lines in snapshot.listing(render):
        await session.stream(lines)
    session.close_reply()


# ---------------------------------------------------------------- messages


async def _retr(session: Pop3Session, argument: bytes) -> None:
    maildrop = session.maildrop
    row = maildrop.snapshot.row(grammar.number(argument))
    await _send(session, row, b"+OK %d octets\r\n" % maildrop.snapshot.size(row))
    maildrop.retrieved.add(maildrop.snapshot.uid(row))


async def _top(session: Pop3Session, argument: bytes) -> None:
    number, lines = grammar.number_and_lines(argument)
    row = session.maildrop.snapshot.row(number)
    await _send(session, row, b"+OK Top of message follows\r\n", TopFilter(lines))


async def _send(session: Pop3Session, row: Row, first: bytes, top: TopFilter | None = None) -> None:
    """Send a message, or its top, in pieces after the first line."""
    maildrop, stuffing = session.maildrop, DotStuffing()
    start, length = 0, PIECE if top is None else FIRST_PIECE_OF_TOP
    while True:
        piece = await maildrop.read(row, start, start + length)
        if not start:
            session.open_reply(first)
        await session.stream(stuffing(piece if top is None else top(piece)))
        if len(piece) < length or (top is not None and top.is_complete):
            break
        start, length = start + length, PIECE
    session.close_reply(stuffing.finish())


async def _dele(session: Pop3Session, argument: bytes) -> None:
    snapshot = session.maildrop.snapshot
    row = snapshot.row(grammar.number(argument))
    snapshot.delete(row)
    session.ok(f"Message {row + 1} deleted")


async def _rset(session: Pop3Session, argument: bytes) -> None:
    grammar.no_argument(argument)
    snapshot = session.maildrop.snapshot
    snapshot.reset()
    session.ok(snapshot.summary)


async def _noop(session: Pop3Session, argument: bytes) -> None:
    grammar.no_argument(argument)
    session.ok()


COMMANDS = (
    Command("STAT", AFTER_LOGIN, _stat),
    Command("LIST", AFTER_LOGIN, _list),
    Command("UIDL", AFTER_LOGIN, _uidl),
    Command("RETR", AFTER_LOGIN, _retr),
    Command("TOP", AFTER_LOGIN, _top),
    Command("DELE", AFTER_LOGIN, _dele),
    Command("RSET", AFTER_LOGIN, _rset),
    Command("NOOP", AFTER_LOGIN, _noop),
)
