"""Password files among the login checkers: who has a password there, and no account here."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from twisted.cred.error import UnauthorizedLogin

from twisted_mail.auth.realm import account_name
from twisted_mail.config import Config
from twisted_mail.directory.editing.editor import DirectoryEditor

SHOWN = 10  # names of one file


def faults(config: Config, register: DirectoryEditor) -> Iterator[str]:
    """Return what keeps the people of password files from logging in, in words."""
    first_domain = (*config.domains, config.hostname)[0]
    for description in config.login.checkers:
        kind, _, path = description.partition(":")
        if kind == "file":
            yield from _of_file(Path(path), first_domain, register)


def _of_file(path: Path, first_domain: str, register: DirectoryEditor) -> Iterator[str]:
    try:
        found = list(islice(_without_account(path, first_domain, register), SHOWN + 1))
    except OSError as error:
        yield f"{path}: {error.strerror}, so nobody in it can log in"
        return
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield f"{path} has more names without an account"


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
