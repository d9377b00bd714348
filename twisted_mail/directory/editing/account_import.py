"""Text files of accounts, as other mail systems export them.

One account on a line: ``address:{SCHEME}hash``. What follows a further colon, as in Dovecot's
passwd-file, is ignored, and so are empty lines and lines that begin with ``#``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted_mail.directory.schemes import Uncheckable, check_form
from twisted_mail.mail.address import Address, parse

MAX_LINE = 4096  # characters


@dataclass(frozen=True, slots=True)
class ImportedAccount:
    """One account of the file, with the number of its line."""

    line: int
    address: Address
    hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportMistake:
    """What is wrong with a line. The text never holds the hash."""

    line: int
    text: str


class AccountImportError(Exception):
    """The file has mistakes, all of them listed; nothing was imported."""

    def __init__(self, mistakes: list[ImportMistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


def read_accounts(lines: Iterable[str]) -> tuple[list[ImportedAccount], list[ImportMistake]]:
    """Return the accounts, and what is wrong with the other lines."""
    entries: dict[str, ImportedAccount] = {}
    mistakes: list[ImportMistake] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            entry = _entry(number, text)
            first = entries.setdefault(entry.address.key, entry)
            if first is not entry:
                raise ValueError(f"{entry.address} stands on line {first.line} already")
        except ValueError as error:
            mistakes.append(ImportMistake(number, str(error)))
    return list(entries.values()), mistakes


def _entry(number: int, text: str) -> ImportedAccount:
    if len(text) > MAX_LINE:
        raise ValueError("the line is too long")
    name, colon, rest = _split(text)
    if not colon:
        raise ValueError("a line is an address, a colon and {SCHEME}hash")
    address = parse(name)
    stored, colon, _ = rest.partition(":")
    if colon and stored.upper().startswith(("{PLAIN}", "{CLEARTEXT}")):
        raise Uncheckable(
            "a plain password with a colon cannot be distinguished from further fields"
        )
    check_form(stored)
    return ImportedAccount(number, address, stored)


def _split(text: str) -> tuple[str, str, str]:
    """Cut after the address, whose local part may have a colon when it is quoted."""
    if text.startswith('"'):
        quoted, at, rest = text.partition('"@')
        domain, colon, rest = rest.partition(":")
        return quoted + at + domain, colon, rest
    return text.partition(":")
