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
    filters,
    lists,
)
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult
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
        parser = family.add_parser(
            name, help=about, description=about, parents=[self._common], allow_abbrev=False
        )
        return self.family(parser, "ACTION")

    def command(
        self,
        family: Family,
        name: str,
        command: Callable[..., CommandResult],
        about: str,
        *positionals: str,
    ) -> CommandParser:
        parser = family.add_parser(
            name, help=about, description=about, parents=[self._common], allow_abbrev=False
        )
        parser.set_defaults(command=command, needs_config=True)
        for positional in positionals:
            parser.add_argument(positional, metavar=positional.upper())
        return parser


def _add_setup(grammar: _Grammar, commands: Family) -> None:
    """Add the commands that make a server and check it."""
    _init_grammar(grammar, commands)
    certificate = grammar.group(commands, "certificate", "what the server proves its name with")
    _certificate_grammar(grammar, certificate)
    listing = grammar.command(
        commands,
        "filters",
        filters.list_filters,
        "list the kinds of filters and their options",
    )
    listing.set_defaults(needs_config=False)
    listing.add_argument("kind", metavar="KIND", nargs="?", help="of this kind only")
    shown = grammar.group(commands, "config", "examples of what a server is configured with")
    examples.add(partial(grammar.command, shown))
    grammar.command(commands, "check", check.check, "look for everything that could go wrong")


def _add_directory(grammar: _Grammar, commands: Family) -> None:
    """Add the commands that edit domains, accounts, aliases and lists."""
    _account_grammar(grammar, grammar.group(commands, "account", "the holders of mail"))
    _alias_grammar(grammar, grammar.group(commands, "alias", "addresses that lead to others"))
    _domain_grammar(grammar, grammar.group(commands, "domain", "the domains that live here"))
    listed = grammar.group(commands, "list", "mailing lists, their members, and held posts")
    lists.add(partial(grammar.command, listed))
    address = grammar.group(commands, "address", "where mail for an address goes")
    grammar.command(
        address, "explain", addresses.address_explain, "show each step, and why", "address"
    )


def _add_mail(grammar: _Grammar, commands: Family) -> None:
    """Add the commands about mail in the queue and in the store."""
    waiting = grammar.group(commands, "waiting", "mail that waits for programs and lists")
    grammar.command(waiting, "list", lists.waiting_list, "list it, and why it waits")
    stored = grammar.group(commands, "store", "mail on disk: check, import, back up, bring back")
    storage.add(partial(grammar.command, stored))


def _init_grammar(grammar: _Grammar, commands: Family) -> None:
    made = grammar.command(commands, "init", init.init, "make everything a new server needs")
    made.set_defaults(needs_config=False)
    made.add_argument("folder", metavar="DIR", help="where the configuration goes")
    made.add_argument(
        "--domain", action="append", required=True, help="one that mail is for; repeat"
    )
    made.add_argument("--hostname", help="the server's name; mail.DOMAIN if not given")
    made.add_argument(
        "--account",
        metavar="NAME",
        default="postmaster",
        help="the first account, which is postmaster too ('' for none)",
    )
    made.add_argument("--password-stdin", action="store_true", help="its password is on stdin")
    made.add_argument("--state", metavar="DIR", help="where mail is kept; DIR/state if not given")
    made.add_argument("--owner", metavar="USER", help="the user the server will run as")
    made.add_argument("--interface", metavar="ADDRESS", help="listen on this address only")
    made.add_argument("--high-ports", action="store_true", help="use ports that need no root")


def _account_grammar(grammar: _Grammar, actions: Family) -> None:
    own = accounts
    add = grammar.command(actions, "add", own.account_add, "make an account", "address")
    change = grammar.command(
        actions, "password", own.account_password, "give an account a new password", "address"
    )
    for parser in (add, change):
        _add_password_source(parser)
    grammar.command(
        actions, "remove", own.account_remove, "remove an account, not its mail", "address"
    )
    listing = grammar.command(actions, "list", own.account_list, "list the accounts")
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="of this domain only")
    grammar.command(actions, "enable", own.account_enable, "allow logins again", "address")
    grammar.command(actions, "disable", own.account_disable, "refuse logins", "address")
    _sender_grammar(grammar, actions)
    _account_import_grammar(grammar, actions)


def _add_password_source(parser: CommandParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--password-stdin", action="store_true", help="read it from the first line of stdin"
    )
    source.add_argument("--generate", action="store_true", help="make one up and print it")


def _sender_grammar(grammar: _Grammar, actions: Family) -> None:
    sender = grammar.command(
        actions,
        "may-send-as",
        accounts.account_may_send_as,
        "let an account send under other addresses, or list those",
        "address",
    )
    sender.add_argument(
        "other", metavar="OTHER", nargs="*", help="an address, or @domain for all of a domain"
    )
    sender.add_argument(
        "--remove", metavar="OTHER", action="append", default=[], help="forbid it again"
    )


def _account_import_grammar(grammar: _Grammar, actions: Family) -> None:
    about = "make accounts from address:{SCHEME}hash lines"
    imported = grammar.command(actions, "import", accounts.account_import, about)
    imported.add_argument("file", metavar="FILE", help="the file, or - for stdin")
    imported.add_argument(
        "--replace", action="store_true", help="give existing accounts the new hash"
    )


def _alias_grammar(grammar: _Grammar, actions: Family) -> None:
    own = aliases
    add = grammar.command(actions, "add", own.alias_add, "lead an address to others", "address")
    add.add_argument("target", metavar="TARGET", nargs="+", help="an address, or '|program'")
    add.epilog = "@domain as ADDRESS takes all mail of a domain that nobody else does."
    remove = grammar.command(actions, "remove", own.alias_remove, "remove an alias", "address")
    remove.add_argument("target", metavar="TARGET", nargs="*", help="only these of its targets")
    listing = grammar.command(actions, "list", own.alias_list, "list the aliases")
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="of this domain only")


def _domain_grammar(grammar: _Grammar, actions: Family) -> None:
    own = domains
    grammar.command(actions, "add", own.domain_add, "take mail for a domain", "domain")
    alias = grammar.command(actions, "alias", own.domain_alias, "give a domain another name")
    alias.add_argument("name", metavar="NAME", help="the other name")
    alias.add_argument("domain", metavar="DOMAIN", help="the domain it stands for")
    grammar.command(actions, "remove", own.domain_remove, "take no more mail for it", "domain")
    grammar.command(actions, "list", own.domain_list, "list the domains")


def _certificate_grammar(grammar: _Grammar, actions: Family) -> None:
    own = certificates
    grammar.command(actions, "list", own.certificate_list, "list the certificates")
    grammar.command(
        actions, "renew", own.certificate_renew, "renew the one for the hostname that init made"
    )
