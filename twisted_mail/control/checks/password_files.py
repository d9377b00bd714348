"""Checkers other than the directory: who has a password there, or mail from before, and no account."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from twisted.cred.error import UnauthorizedLogin

from twisted_mail.auth.realm import account_name
from twisted_mail.config import Config
from twisted_mail.control import orphaned_mail
from twisted_mail.directory.editing.editor import DirectoryEditor

SHOWN = 10  # names of one file


def faults(config: Config, register: DirectoryEditor) -> Iterator[str]:
    """Return what keeps the people of password files from logging in, in words."""
    first_domain = (*config.domains, config.hostname)[0]
    others = [one for one in config.login.checkers if one != "directory"]
    for description in others:
        kind, _, path = description.partition(":")
        if kind == "file":
            yield from _of_file(Path(path), first_domain, register)
    if others:  # whose people cannot be listed, but had mail here before they needed an account
        yield from _first(_with_mail(config, register), "there is more mail without an account")


def _of_file(path: Path, first_domain: str, register: DirectoryEditor) -> Iterator[str]:
    try:
        found = _without_account(path, first_domain, register)
        yield from _first(found, f"{path} has more names without an account")
    except OSError as error:
        yield f"{path}: {error.strerror}, so nobody in it can log in"


def _first(found: Iterator[str], more: str) -> Iterator[str]:
    shown = list(islice(found, SHOWN + 1))
    yield from shown[:SHOWN]
    if len(shown) > SHOWN:
        yield more


def _with_mail(config: Config, register: DirectoryEditor) -> Iterator[str]:
    for name in sorted(orphaned_mail.kept_mail(config)):
        if "@" in name and not register.accounts.has(name):
            yield (
                f"{name} has mail here and no account: twisted-mail account add {name}"
                " --no-password --keep-mail, or account purge"
            )


def _without_account(path: Path, first_domain: str, register: DirectoryEditor) -> Iterator[str]:
    with path.open("rb") as file:
        for line in file:
            raw, colon, _ = line.rstrip().partition(b":")
            if not colon:
                continue
            try:
                name = account_name(raw, first_domain)
            except UnauthorizedLogin:
                yield f"{raw.decode('utf-8', 'replace')!r} in {path} is not the name of an account"
                continue
            if not register.accounts.has(name):
                yield (
                    f"{name} has a password in {path} and no account, so neither logins nor mail:"
                    f" twisted-mail account add {name} --no-password"
                )
