"""The commands about domains, accounts and aliases."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control import secrets
from twisted_mail.control.output import CommandError, CommandResult, count, table
from twisted_mail.directory.editing.account_import import AccountImportError
from twisted_mail.directory.editing.editor import DirectoryEditor

MAX_ROSTER = 64 * 1024 * 1024  # octets


@contextmanager
def opened(config: Config) -> Iterator[DirectoryEditor]:
    """Open the directory that a configuration names. Raises CommandError."""
    if not config.state.is_dir():
        raise CommandError(
            f"the state folder {config.state} is missing: twisted-mail init makes it, or mkdir -m 700"
        )
    with DirectoryEditor(
        config.accounts_file,
        config.passwords,
        config.domains,
        separators=config.addresses.separators,
    ) as register:
        yield register


# ---------------------------------------------------------------- accounts


def account_add(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make an account."""
    with opened(config) as register:
        register.accounts.check_free(options.address)  # before anybody types a password
        password = secrets.password_from(options)
        name = register.accounts.add(options.address, password)
    shown = {"password": password} if options.generate else {}
    lines = [f"account {name} is made", *(f"password: {text}" for text in shown.values())]
    return CommandResult({"account": name, **shown}, lines)


def account_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove an account."""
    with opened(config) as register:
        aliases = register.accounts.remove(options.address)
    lines = [
        f"account {options.address} is removed",
        f"its mail stays below {config.state} until you delete it",
    ]
    if aliases:
        lines.append(f"still leading there: {', '.join(aliases)}")
    return CommandResult({"account": options.address, "aliases": list(aliases)}, lines)


def account_list(options: argparse.Namespace, config: Config) -> CommandResult:
    """List accounts."""
    with opened(config) as register:
        rows = register.accounts.all(options.domain or "")
    cells = [
        (row.address, f"{_date(row.created):%Y-%m-%d}", _state(row.is_enabled), row.scheme)
        for row in rows
    ]
    data = [asdict(row) | {"created": _date(row.created).isoformat()} for row in rows]
    lines = table(("ADDRESS", "MADE", "LOGIN", "PASSWORD"), cells) or ["there are no accounts"]
    return CommandResult({"accounts": data}, lines)


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _state(is_enabled: bool) -> str:
    return "enabled" if is_enabled else "disabled"


def account_password(options: argparse.Namespace, config: Config) -> CommandResult:
    """Set a password."""
    with opened(config) as register:
        register.accounts.find(options.address)
        password = secrets.password_from(options)
        name = register.accounts.set_password(options.address, password)
    shown = {"password": password} if options.generate else {}
    lines = [f"account {name} has a new password", *(f"password: {t}" for t in shown.values())]
    return CommandResult({"account": name, **shown}, lines)


def account_enable(options: argparse.Namespace, config: Config) -> CommandResult:
    """Allow logins."""
    return _enable(options, config, is_enabled=True)


def account_disable(options: argparse.Namespace, config: Config) -> CommandResult:
    """Refuse logins."""
    return _enable(options, config, is_enabled=False)


def _enable(options: argparse.Namespace, config: Config, is_enabled: bool) -> CommandResult:
    with opened(config) as register:
        name = register.accounts.enable(options.address, is_enabled)
    lines = [f"account {name} is {_state(is_enabled)}"]
    if not is_enabled:
        lines.append("its mail still arrives; connections that are open stay open")
    return CommandResult({"account": name, "is_enabled": is_enabled}, lines)


def account_may_send_as(options: argparse.Namespace, config: Config) -> CommandResult:
    """Alter the addresses that an account may send as besides its own, and list them."""
    with opened(config) as register:
        name = register.accounts.find(options.address)
        granted = register.grants.of(name)
        if options.remove:
            granted = register.grants.revoke(name, options.remove)
        if options.other:
            granted = register.grants.allow(name, options.other)
    besides = f" and as {', '.join(granted)}" if granted else ""
    line = f"account {name} may send as itself, its aliases{besides}"
    return CommandResult({"account": name, "may_send_as": list(granted)}, [line])


def account_import(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make the accounts listed in a file, all or none."""
    text = _roster(options.file)
    with opened(config) as register:
        try:
            names = register.accounts.import_lines(text.splitlines(), options.replace)
        except AccountImportError as mistaken:
            details = [f"{options.file}:{one.line}: {one.text}" for one in mistaken.mistakes]
            found = count(len(details), "mistake")
            raise CommandError(f"nothing was imported: {found}", details=details) from None
    return CommandResult({"accounts": names}, [f"{count(len(names), 'account')} imported"])


def _roster(name: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_ROSTER + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_ROSTER + 1)
        if len(data) > MAX_ROSTER:
            raise CommandError(f"{name} is larger than {MAX_ROSTER} octets: import it in parts")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8 text") from None


# ---------------------------------------------------------------- aliases


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


# ---------------------------------------------------------------- domains


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
