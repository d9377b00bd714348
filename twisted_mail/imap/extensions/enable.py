"""ENABLE (RFC 5161): a client switches on what it knows of the server's capabilities."""

from twisted_mail.imap.capabilities import Capability, always
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN


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


EXTENSION = Extension(
    "ENABLE",
    capabilities=(Capability("ENABLE", always),),
    commands=(Command("ENABLE", AFTER_LOGIN, _enable),),
)
