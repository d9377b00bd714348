"""What tests of the directory's editing share."""

import pytest

from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.mail.outcome import Refused

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)


def refusal(work: object, *args: object) -> str:
    """Return the text with which some work is refused."""
    with pytest.raises(Refused) as refused:
        work(*args)  # type: ignore[operator]
    return refused.value.outcome.text
