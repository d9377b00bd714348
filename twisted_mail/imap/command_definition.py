"""What a command is: its name, where it is allowed, and what runs it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import State

Run = Callable[[ImapSession, Reader, bool], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table.

    ``run`` takes the session, the reader just after the command's name (at a space or at the end), and
    whether the command came as ``UID name``; it returns what follows ``tag OK``, code included. It
    raises ProtocolError for BAD, Refused or Unavailable for NO. A command that ``keeps_numbers`` is
    one whose sequence numbers must still be right when its answer arrives: no EXPUNGE is sent with it
    unless it came as UID (RFC 3501 §7.4.1).
    """

    name: str
    states: frozenset[State]
    run: Run
    keeps_numbers: bool = False
    has_uid_form: bool = False
