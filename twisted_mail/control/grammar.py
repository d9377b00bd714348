"""The command line of ``twisted-mail``: its commands, their arguments, and their help."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeAlias

from twisted_mail import __version__
from twisted_mail.control import (
    accounts,
    addresses,
    aliases,
    certificates,
    check,
    domains,
    examples,
    filter_kinds,
    lists,
    reload,
)
from twisted_mail.control.journey import trace
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult
from twisted_mail.control.queue import grammar as outgoing
from twisted_mail.control.queue.screen import queue_screen
from twisted_mail.control.setup import init
from twisted_mail.control.store import grammar as storage

VARIABLE = "TWISTED_MAIL_CONFIG"
PLACES = (Path("mail.toml"), Path("/etc/twisted-mail/mail.toml"))
DESCRIPTION = "Sets up and checks a twisted-mail server, and edits its accounts while it runs."
EPILOG = f"""\
The configuration is --config FILE, else ${VARIABLE}, else the first of
{", ".join(map(str, PLACES))}. Exit codes: 0 done, 1 refused or failed,
2 wrong usage or configuration."""


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors look like all others of the command."""

    def error(self, message: str) -> NoReturn:
        """Report a wrong use in the form of all other errors."""
        raise CommandError(f"{message} (see {self.prog} --help)", WRONG_USE)


def parser() -> CommandParser:
    """Return the parser; it leaves the function to call in ``command``."""
    common = CommandParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--config", "-c", metavar="FILE", help="the configuration file")
    common.add_argument("--json", action="store_true", help="answer in JSON")
    top = CommandParser(
        "twisted-mail",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"twisted-mail {__version__}")
    grammar = _Grammar(common)
    commands = grammar.family(top, "COMMAND")
    _add_setup(grammar, commands)
    _add_directory(grammar, commands)
    _add_mail(grammar, commands)
    return top


Family: TypeAlias = "argparse._SubParsersAction[CommandParser]"


class _Grammar:
    """Adds commands that all take the common options."""

    def __init__(self, common: CommandParser) -> None:
        self._common = common

    def family(self, parser: CommandParser, title: str) -> Family:
        return parser.add_subparsers(
            metavar=title, required=True, dest=f"_{title}", parser_class=CommandParser
        )

    def group(self, family: Family, name: str, about: str) -> Family:
        return self.family(self._parser(family, name, about), "ACTION")

    def group_with_command(
        self, family: Family, name: str, command: Callable[..., CommandResult], about: str
    ) -> Family:
        """Add a group that is a command itself, where no action is named."""
        parser = self._parser(family, name, about)
        parser.set_defaults(command=command, needs_config=True)
        return parser.add_subparsers(metavar="ACTION", dest="_action", parser_class=CommandParser)

    def command(
        self,
        family: Family,
        name: str,
        command: Callable[..., CommandResult],
        about: str,
        *positionals: str,
    ) -> CommandParser:
        parser = self._parser(family, name, about)
        parser.set_defaults(command=command, needs_config=True)
        for positional in positionals:
            parser.add_argument(positional, metavar=positional.upper())
        return parser

    def _parser(self, family: Family, name: str, about: str) -> CommandParser:
        return family.add_parser(
            name, help=about, description=about, parents=[self._common], allow_abbrev=False
        )


def _add_setup(grammar: _Grammar, commands: Family) -> None:
    """Add the commands that make a server and check it."""
    init.add(partial(grammar.command, commands))
    certificate = grammar.group(commands, "certificate", "what the server proves its name with")
    certificates.add(partial(grammar.command, certificate))
    filter_kinds.add(partial(grammar.command, commands))
    shown = grammar.group(commands, "config", "examples of what a server is configured with")
    examples.add(partial(grammar.command, shown))
    check.add(partial(grammar.command, commands))
    reload.add(partial(grammar.command, commands))


def _add_directory(grammar: _Grammar, commands: Family) -> None:
    """Add the commands that edit domains, accounts, aliases and lists."""
    account = grammar.group(commands, "account", "the holders of mail")
    accounts.add(partial(grammar.command, account))
    alias = grammar.group(commands, "alias", "addresses that lead to others")
    aliases.add(partial(grammar.command, alias))
    domain = grammar.group(commands, "domain", "the domains that live here")
    domains.add(partial(grammar.command, domain))
    listed = grammar.group(commands, "list", "mailing lists, their members, and held posts")
    lists.add(partial(grammar.command, listed))
    address = grammar.group(commands, "address", "where mail for an address goes")
    addresses.add(partial(grammar.command, address))


def _add_mail(grammar: _Grammar, commands: Family) -> None:
    """Add the commands about mail in the queue and in the store."""
    about = "mail that waits to be sent on: what, where to, and why"
    sent = grammar.group_with_command(commands, "queue", queue_screen, about)
    outgoing.add(partial(grammar.command, sent))
    trace.add(partial(grammar.command, commands))
    stored = grammar.group(commands, "store", "mail on disk: check, import, back up, bring back")
    storage.add(partial(grammar.command, stored))
