"""``twisted-mail account``: make, alter and list accounts."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control import orphaned_mail, secrets
from twisted_mail.control.directory import opened
from twisted_mail.control.output import CommandError, CommandResult, count, table
from twisted_mail.directory.editing.account_import import AccountImportError

MAX_ROSTER = 64 * 1024 * 1024  # octets


def account_add(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make an account; what becomes of the mail of an earlier one of its name is to be said."""
    with opened(config) as register:
        name = register.accounts.check_free(options.address)  # before anybody types a password
        if orphaned_mail.folders(config, name) and not (options.keep_mail or options.purge):
            raise CommandError(
                f"mail of an earlier account {name} is still here: --keep-mail gives it to the new one,"
                " --purge removes it"
            )
        password = secrets.password_from(options)
        if options.purge:
            orphaned_mail.purge(config, name)
        name = register.accounts.add(options.address, password)
    shown = {"password": password} if options.generate else {}
    lines = [f"account {name} is made", *(f"password: {text}" for text in shown.values())]
    if not orphaned_mail.keep(config, name):
        lines.append(f"its mail is in several folders: twisted-mail store repair {name}")
    return CommandResult({"account": name, **shown}, lines)


def account_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove an account."""
    with opened(config) as register:
        removed = register.accounts.remove(options.address)
    lines = [f"account {removed.name} is removed"]
    if options.purge:
        lines.append(_purged(config, removed.name))
    elif orphaned_mail.folders(config, removed.name):
        lines.append(f"its mail stays: twisted-mail account purge {removed.name} removes it")
    lines.append("its open sessions end at their next command")
    if leading := (*removed.aliases, *removed.lists):
        lines.append(f"still leading there: {', '.join(leading)}")
    data = {"account": removed.name, "aliases": [*removed.aliases], "lists": [*removed.lists]}
    return CommandResult(data, lines)


def account_purge(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove the mail of an account that was removed."""
    with opened(config) as register:
        if register.accounts.has(options.address):
            name = register.accounts.find(options.address)
            raise CommandError(f"{name} is an account: remove it first, or with --purge")
        name = register.accounts.name_of(options.address)
    return CommandResult({"account": name}, [_purged(config, name)])


def _purged(config: Config, name: str) -> str:
    """Remove the mail of a name; return what was done, in words."""
    found = orphaned_mail.purge(config, name)
    return f"the mail of {name} is removed" if found else f"there is no mail of {name}"


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
        lines.append("its mail still arrives; its open sessions end at their next command")
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
            here = () if options.keep_mail else orphaned_mail.KeptMailNames(config)
            names = register.accounts.import_lines(text.splitlines(), options.replace, here)
        except AccountImportError as mistaken:
            details = [f"{options.file}:{one.line}: {one.text}" for one in mistaken.mistakes]
            found = count(len(details), "mistake")
            raise CommandError(f"nothing was imported: {found}", details=details) from None
    lines = [f"{count(len(names), 'account')} imported"]
    if options.keep_mail:
        apart = [name for name in names if not orphaned_mail.keep(config, name)]
        lines += [f"{name}: its mail is in several folders: store repair" for name in apart]
    return CommandResult({"accounts": names}, lines)


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


# ---------------------------------------------------------------- the grammar


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``account``."""
    made = command("add", account_add, "make an account", "address")
    changed = command("password", account_password, "give an account a new password", "address")
    for parser in (made, changed):
        source = _add_password_source(parser)
        if parser is made:
            source.add_argument(
                "--no-password", action="store_true", help="another of the checkers knows one"
            )
    for parser in (made, command("remove", account_remove, "remove an account", "address")):
        parser.add_argument("--purge", action="store_true", help="and all mail of its name")
    made.add_argument(
        "--keep-mail", action="store_true", help="it gets the mail of an earlier one of its name"
    )
    command("purge", account_purge, "remove the mail of an account that was removed", "address")
    listing = command("list", account_list, "list the accounts")
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="of this domain only")
    command("enable", account_enable, "allow logins again", "address")
    command("disable", account_disable, "refuse logins", "address")
    _add_senders(command)
    _add_import(command)


def _add_password_source(
    parser: argparse.ArgumentParser,
) -> argparse._MutuallyExclusiveGroup:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--password-stdin", action="store_true", help="read it from the first line of stdin"
    )
    source.add_argument("--generate", action="store_true", help="make one up and print it")
    return source


def _add_senders(command: Callable[..., argparse.ArgumentParser]) -> None:
    about = "let an account send under other addresses, or list those"
    sender = command("may-send-as", account_may_send_as, about, "address")
    sender.add_argument(
        "other", metavar="OTHER", nargs="*", help="an address, or @domain for all of a domain"
    )
    sender.add_argument(
        "--remove", metavar="OTHER", action="append", default=[], help="forbid it again"
    )


def _add_import(command: Callable[..., argparse.ArgumentParser]) -> None:
    imported = command("import", account_import, "make accounts from address:{SCHEME}hash lines")
    imported.add_argument("file", metavar="FILE", help="the file, or - for stdin")
    imported.add_argument(
        "--replace", action="store_true", help="give existing accounts the new hash"
    )
    imported.add_argument(
        "--keep-mail", action="store_true", help="they get the mail of earlier ones of their names"
    )
