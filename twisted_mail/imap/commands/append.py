"""APPEND (RFC 3501 §6.3.11), with APPENDUID (RFC 4315 §3)."""

from datetime import datetime

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.mailbox.flags import Flags, normal
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Refused


async def _append(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.space()
    name = reader.mailbox()
    draft = _draft(reader)
    copied = await (await session.account()).append(name, [draft])
    return f"[APPENDUID {copied.uidvalidity} {copied.targets[0]}] APPEND completed."


def _draft(reader: Reader) -> NewMessage:
    flags, date = _options(reader)
    blob = reader.message_literal()
    try:
        reader.end()
        if not blob.size:
            raise Refused("A message cannot be empty", "CANNOT")
    except BaseException:
        blob.close()
        raise
    return NewMessage(Message(blob), flags, date)


def _options(reader: Reader) -> tuple[Flags, datetime | None]:
    flags: Flags = normal(())
    date = None
    reader.space()
    if reader.peek(b"("):
        flags = normal(reader.flag_list())
        reader.space()
    if reader.peek(b'"'):
        date = reader.date_time()
        reader.space()
    return flags, date


COMMANDS = (Command("APPEND", AFTER_LOGIN, _append),)
