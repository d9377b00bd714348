"""The IMAP commands, a file for each family; each file ends with its ``COMMANDS``."""

from twisted_mail.imap.command import Command, State

__all__ = ["TABLE", "Command", "State"]

TABLE: dict[str, Command] = {}
