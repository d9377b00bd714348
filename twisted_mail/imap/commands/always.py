"""Commands for every state: CAPABILITY, NOOP, LOGOUT, ID; and ENABLE."""

from twisted_mail.imap.command import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN, ANY
from twisted_mail.imap.writing import string
from twisted_mail.mail.outcome import ProtocolError

_MAX_ID_FIELDS = 30  # RFC 2971 §3.3, as are the next two
_MAX_ID_NAME = 30
_MAX_ID_VALUE = 1024


async def _capability(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.end()
    session.untagged(f"CAPABILITY {session.capabilities()}".encode("ascii"))
    return "CAPABILITY completed."


async def _noop(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.end()
    if session.selected is not None:
        await session.selected.mailbox.refresh()
    return "NOOP completed."


async def _logout(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.end()
    session.deselect()
    session.untagged(b"BYE Logging out")
    session.end_session("quit")
    return "LOGOUT completed."


async def _id(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Exchange names of programs (RFC 2971 §3)."""
    reader.space()
    _read_id(reader)
    reader.end()
    name = session.settings.identity
    answer = b'("name" %b)' % string(name.encode("ascii", "replace")) if name else b"NIL"
    session.untagged(b"ID " + answer)
    return "ID completed."


def _read_id(reader: Reader) -> None:
    """Step over the client's names; what it calls itself changes nothing here."""
    if not reader.accept(b"("):
        if reader.nstring() is not None:
            raise ProtocolError("Expected a list or NIL")
        return
    for _ in range(_MAX_ID_FIELDS):
        if reader.accept(b")"):
            return
        reader.accept(b" ")
        field = reader.string()
        reader.space()
        value = reader.nstring() or b""
        if len(field) > _MAX_ID_NAME or len(value) > _MAX_ID_VALUE:
            raise ProtocolError("A field is too long")
    reader.take(b")")


async def _enable(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Switch extensions on; what is unknown is passed over (RFC 5161 §3.1)."""
    wanted: list[str] = []
    while not reader.at_end or not wanted:
        reader.space()
        wanted.append(reader.atom().upper())
    enableable = session.tables.enableable
    new = [name for name in dict.fromkeys(wanted) if name in enableable]
    session.enabled.update(new)
    session.untagged(" ".join(["ENABLED", *new]).encode("ascii"))
    return "ENABLE completed."


COMMANDS = (
    Command("CAPABILITY", ANY, _capability),
    Command("NOOP", ANY, _noop),
    Command("LOGOUT", ANY, _logout),
    Command("ID", ANY, _id),
    Command("ENABLE", AFTER_LOGIN, _enable),
)
