"""``twisted-mail domain``: add, remove and list domains."""

import argparse
from collections.abc import Callable
from dataclasses import asdict

from twisted_mail.config import Config
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandResult, table


def domain_add(options: argparse.Namespace, config: Config) -> CommandResult:
    """Add a domain."""
    with opened(config) as register:
        name = register.domains.add(options.domain)
    lines = [
        f"domain {name} is added",
        f"other servers find it by DNS: {name}. IN MX 10 {config.hostname}.",
    ]
    return CommandResult({"domain": name}, lines)


def domain_alias(options: argparse.Namespace, config: Config) -> CommandResult:
    """Give a domain another name."""
    with opened(config) as register:
        name, home = register.domains.add_name(options.name, options.domain)
    lines = [
        f"every address of {home} is one of {name} too",
        f"other servers find it by DNS: {name}. IN MX 10 {config.hostname}.",
    ]
    return CommandResult({"name": name, "domain": home}, lines)


def domain_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove a domain without accounts and aliases, or another name of a domain."""
    with opened(config) as register:
        name = register.domains.remove(options.domain)
    return CommandResult({"domain": name}, [f"domain {name} is removed"])


def domain_list(_: argparse.Namespace, config: Config) -> CommandResult:
    """List domains."""
    with opened(config) as register:
        rows = register.domains.all()
    cells = [
        (
            row.name,
            str(row.accounts),
            str(row.aliases),
            str(row.lists),
            "file" if row.is_configured else "directory",
            ", ".join(row.other_names) or "-",
        )
        for row in rows
    ]
    titles = ("DOMAIN", "ACCOUNTS", "ALIASES", "LISTS", "FROM", "OTHER NAMES")
    lines = table(titles, cells) or ["there are no domains"]
    return CommandResult({"domains": [asdict(row) for row in rows]}, lines)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``domain``."""
    command("add", domain_add, "take mail for a domain", "domain")
    alias = command("alias", domain_alias, "give a domain another name")
    alias.add_argument("name", metavar="NAME", help="the other name")
    alias.add_argument("domain", metavar="DOMAIN", help="the domain it stands for")
    command("remove", domain_remove, "take no more mail for it", "domain")
    command("list", domain_list, "list the domains")
