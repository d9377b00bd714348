"""What a command is: its name, where it is allowed, and what runs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted_mail.pop3.session import Pop3Session
from twisted_mail.pop3.state import State

Run = Callable[[Pop3Session, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table.

    ``run`` takes the session and all that follows the space after the command's name; it writes the
    reply. It raises ProtocolError, Refused or Unavailable for ``-ERR``.
    """

    name: str
    states: tuple[State, ...]
    run: Run
