"""ID (RFC 2971): client and server exchange the names of their programs."""

from twisted_mail import __version__
from twisted_mail.imap.capabilities import Capability, always
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import string
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import ANY
from twisted_mail.mail.outcome import ProtocolError

_MAX_FIELDS = 30  # RFC 2971 §3.3, as are the next two
_MAX_NAME = 30
_MAX_VALUE = 1024


async def _id(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Exchange names of programs (RFC 2971 §3)."""
    reader.space()
    _read_id(reader)
    reader.end()
    session.untagged(b"ID " + _own_id(session.settings.identity))
    return "ID completed."


def _own_id(name: str) -> bytes:
    """Return our name and version; a server that keeps its name to itself tells neither."""
    if not name:
        return b"NIL"
    fields = (name.encode("ascii", "replace"), __version__.encode("ascii"))
    return b'("name" %b "version" %b)' % tuple(map(string, fields))


def _read_id(reader: Reader) -> None:
    """Step over the client's names; what it calls itself changes nothing here."""
    if not reader.accept(b"("):
        if reader.nstring() is not None:
            raise ProtocolError("Expected a list or NIL")
        return
    for _ in range(_MAX_FIELDS):
        if reader.accept(b")"):
            return
        reader.accept(b" ")
        field = reader.string()
        reader.space()
        value = reader.nstring() or b""
        if len(field) > _MAX_NAME or len(value) > _MAX_VALUE:
            raise ProtocolError("A field is too long")
    reader.take(b")")


EXTENSION = Extension(
    "ID",
    capabilities=(Capability("ID", always),),
    commands=(Command("ID", ANY, _id),),
)
