"""The IMAP commands, a file for each family; each file ends with its ``COMMANDS``."""

from twisted_mail.imap.command import Command
from twisted_mail.imap.commands import (
    always,
    append,
    copy,
    expunge,
    fetch,
    idle,
    listing,
    login,
    mailboxes,
    search,
    selection,
    store,
)
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.state import State
from twisted_mail.mail.outcome import ProtocolError

__all__ = ["TABLE", "Command", "State", "find"]

_FAMILIES = (
    always.COMMANDS,
    login.COMMANDS,
    mailboxes.COMMANDS,
    listing.COMMANDS,
    selection.COMMANDS,
    append.COMMANDS,
    idle.COMMANDS,
    fetch.COMMANDS,
    store.COMMANDS,
    search.COMMANDS,
    copy.COMMANDS,
    expunge.COMMANDS,
)

TABLE: dict[str, Command] = {each.name: each for family in _FAMILIES for each in family}


def find(reader: Reader, state: State) -> tuple[Command, bool]:
    """Read a command's name; return the command, and whether it came as ``UID name``.

    Raises ProtocolError for one that is not known, or not possible in this state.
    """
    reader.space()
    name = reader.word().upper()
    is_uid = name == "UID"
    if is_uid:
        reader.space()
        name = reader.word().upper()
    command = TABLE.get(name)
    if command is None or (is_uid and not command.has_uid_form):
        raise ProtocolError("Unknown command")
    if state not in command.states:
        raise ProtocolError(f"Not possible {state.value}")
    return command, is_uid
