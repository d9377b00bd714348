"""What tests of the directory's editing share."""

import pytest

from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Refused

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)


def refusal(work: object, *args: object) -> str:
    """Return the text with which some work is refused."""
    with pytest.raises(Refused) as refused:
        work(*args)  # type: ignore[operator]
    return refused.value.outcome.text


def lead(editor: DirectoryEditor, alias: str, *targets: str) -> None:
    """Write an alias unchecked, as earlier releases could make it."""
    at = parse(alias)
    for position, target in enumerate(targets):
        editor._tables.connection.execute(
            "INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?)",
            (at.key, parse(target).key, position, alias, at.domain, target),
        )
