import re

import pytest

from twisted_mail.pop3.settings import Settings


@pytest.mark.parametrize(
    ("name", "least", "words"),
    [
        ("idle_timeout", 600, "idle_timeout must be at least 600 seconds (RFC 1939 §3)"),
        ("max_line", 255, "max_line must be at least 255 octets (RFC 2449 §4)"),
    ],
)
def test_what_the_rfcs_forbid_is_refused(name: str, least: int, words: str) -> None:
    assert getattr(Settings(**{name: least}), name) == least  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        Settings(**{name: least - 1})  # type: ignore[arg-type]
