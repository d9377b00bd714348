"""What a command is: its name, where it is allowed, and what runs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from twisted_mail.imap.grammar import Reader

if TYPE_CHECKING:
    from twisted_mail.imap.session import ImapSession


class State(Enum):
    """The states of a connection (RFC 3501 §3); logout is the end of the session itself."""

    NOT_AUTHENTICATED = "before login"
    AUTHENTICATED = "after login"
    SELECTED = "with a mailbox selected"


ANY = frozenset(State)
BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
SELECTED = frozenset({State.SELECTED})

Run = Callable[["ImapSession", Reader, bool], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table.

    ``run`` takes the session, the reader behind the command's name (at a space or at the end), and
    whether the command came as ``UID name``; it returns what follows ``tag OK``, code included. It
    raises ProtocolError for BAD, Refused or Unavailable for NO. A command that ``keeps_numbers`` is
    one whose sequence numbers must still be right when its answer arrives: no EXPUNGE is told with it
    unless it came as UID (RFC 3501 §7.4.1).
    """

    name: str
    states: frozenset[State]
    run: Run
    keeps_numbers: bool = False
    has_uid_form: bool = False
