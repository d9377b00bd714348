"""UNSELECT (RFC 3691): CLOSE that removes nothing."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED


async def _unselect(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Give the mailbox back and remove nothing (RFC 3691 §2)."""
    reader.end()
    session.deselect()
    return "UNSELECT completed."


EXTENSION = Extension(
    "UNSELECT",
    capabilities=(Capability("UNSELECT"),),
    commands=(Command("UNSELECT", SELECTED, _unselect),),
)
