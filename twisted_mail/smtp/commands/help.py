"""HELP: which commands and extensions there are (RFC 5321 §4.1.1.8)."""

from collections.abc import Mapping, Sequence

from twisted_mail.smtp import replies
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.session import SmtpSession


def help_command(commands: Mapping[bytes, Command]) -> Command:
    """Return the command that explains those of a table, itself among them, and the extensions."""

    async def help(session: SmtpSession, argument: bytes) -> None:
        """Answer HELP [command or extension] (RFC 5321 §4.1.1.8)."""
        _write_help(session, argument, commands)

    return Command(help, "HELP [command or extension]", is_junk=True)


def _write_help(session: SmtpSession, argument: bytes, commands: Mapping[bytes, Command]) -> None:
    if not argument:
        session.wire.write(replies.encode_lines(214, "2.0.0", _overview(session, commands)))
        return
    texts = _explanation(session, argument.upper(), commands)
    if texts:
        session.wire.write(replies.encode_lines(214, "2.0.0", texts))
    else:
        session.refuse(replies.NO_SUCH_TOPIC)


def _overview(session: SmtpSession, commands: Mapping[bytes, Command]) -> list[str]:
    """Return what this client may use in this state of the conversation."""
    keywords = table.offered_keywords(session)
    usable = [one for one in commands.values() if _is_usable(session, one, keywords)]
    return [
        "Commands: " + " ".join(one.name.decode() for one in usable),
        "Extensions: " + " ".join(keywords),
        "HELP with one of these says more; postmaster reads what people write",
    ]


def _is_usable(session: SmtpSession, command: Command, keywords: Sequence[str]) -> bool:
    """Return whether a command would be run here and now."""
    if (command.needs_login and session.lacks_login) or session.phase in command.refused:
        return False
    return command.is_open(session) and (not command.keyword or command.keyword in keywords)


def _explanation(
    session: SmtpSession, topic: bytes, commands: Mapping[bytes, Command]
) -> list[str]:
    """Return what is said of a command, an extension, or both of that name."""
    command = commands.get(topic)
    syntax = [] if command is None else [f"Syntax: {command.syntax}"]
    return [*syntax, *table.help_lines(session, topic.decode("ascii", "replace"))]


COMMANDS = (help_command({}),)  # of no table yet
