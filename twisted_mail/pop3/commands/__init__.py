"""The POP3 commands, a file for each state; each file ends with its ``COMMANDS``."""

from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.pop3.command_definition import Command
from twisted_mail.pop3.commands import always, authorization, transaction
from twisted_mail.pop3.state import State

__all__ = ["TABLE", "find"]

TABLE: dict[str, Command] = {
    command.name: command
    for command in (*always.COMMANDS, *authorization.COMMANDS, *transaction.COMMANDS)
}


def find(keyword: str, state: State) -> Command:
    """Return the command of this name. Raises ProtocolError for none, or for one not possible now."""
    command = TABLE.get(keyword)
    if command is None:
        raise ProtocolError("Unknown command")
    if state not in command.states:
        raise ProtocolError("Not possible in this state")
    return command
