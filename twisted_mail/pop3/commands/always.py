"""Commands of every state: CAPA (RFC 2449 §5) and QUIT (RFC 1939 §4, §6)."""

from twisted_mail.pop3 import capabilities, grammar
from twisted_mail.pop3.command_definition import Command
from twisted_mail.pop3.session import Pop3Session
from twisted_mail.pop3.state import ALWAYS


async def _capa(session: Pop3Session, argument: bytes) -> None:
    grammar.no_argument(argument)
    lines = capabilities.capabilities(session.wire, session.backend.mechanisms, session.state)
    session.open_reply(grammar.ok("Capability list follows"))
    session.close_reply("".join(f"{line}\r\n" for line in lines).encode() + b".\r\n")


async def _quit(session: Pop3Session, argument: bytes) -> None:
    """End the session; after login this is the UPDATE state, which alone removes messages."""
    grammar.no_argument(argument)
    session.end_reason = "quit"
    if session.locked is not None:
        await session.locked.update()
    session.ok("Bye")


COMMANDS = (
    Command("CAPA", ALWAYS, _capa),
    Command("QUIT", ALWAYS, _quit),
)
