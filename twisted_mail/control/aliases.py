"""``twisted-mail alias``: make, remove and list aliases."""

import argparse
from collections.abc import Callable
from dataclasses import asdict

from twisted_mail.config import Config
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandError, CommandResult, table


def alias_add(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make an alias, or add targets to one."""
    known = {f"|{program.name}" for program in config.programs}
    for target in options.target:
        if target.startswith("|") and "@" not in target and target not in known:
            raise CommandError(f"the configuration has no [[program]] called {target[1:]!r}")
    with opened(config) as register:
        row = register.aliases.add(options.address, options.target)
    return CommandResult(
        {"alias": asdict(row)}, [f"{row.address} leads to {', '.join(row.targets)}"]
    )


def alias_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove an alias, or some of its targets."""
    with opened(config) as register:
        row = register.aliases.remove(options.address, options.target)
    left = f"leads to {', '.join(row.targets)}" if row.targets else "is removed"
    return CommandResult({"alias": asdict(row)}, [f"{row.address} {left}"])


def alias_list(options: argparse.Namespace, config: Config) -> CommandResult:
    """List aliases."""
    with opened(config) as register:
        rows = register.aliases.all(options.domain or "")
    cells = [(row.address, ", ".join(row.targets)) for row in rows]
    lines = table(("ALIAS", "LEADS TO"), cells) or ["there are no aliases"]
    return CommandResult({"aliases": [asdict(row) for row in rows]}, lines)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``alias``."""
    made = command("add", alias_add, "lead an address to others", "address")
    made.add_argument("target", metavar="TARGET", nargs="+", help="an address, or '|program'")
    made.epilog = "@domain as ADDRESS takes all mail of a domain that nobody else does."
    removed = command("remove", alias_remove, "remove an alias", "address")
    removed.add_argument("target", metavar="TARGET", nargs="*", help="only these of its targets")
    listing = command("list", alias_list, "list the aliases")
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="of this domain only")
