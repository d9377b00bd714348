"""``twisted-mail alias``: make, remove and list aliases."""

import argparse
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
