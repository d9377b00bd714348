"""The IMAP commands, a file for each family; each file ends with its ``COMMANDS``."""

from twisted_mail.imap.command import Command, State
from twisted_mail.imap.commands import (
    any,  # noqa: A004  (the RFC's own word for these commands)
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

__all__ = ["TABLE", "Command", "State"]

_FAMILIES = (
    any.COMMANDS,
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
