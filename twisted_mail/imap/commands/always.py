"""Commands for every state: CAPABILITY, NOOP, LOGOUT (RFC 3501 §6.1)."""

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import ANY


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


COMMANDS = (
    Command("CAPABILITY", ANY, _capability),
    Command("NOOP", ANY, _noop),
    Command("LOGOUT", ANY, _logout),
)
