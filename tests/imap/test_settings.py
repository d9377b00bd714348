import re

import pytest

from twisted_mail.imap.settings import Settings, limits_after_login, limits_before_login


def test_the_defaults_are_allowed() -> None:
    settings = Settings()
    assert limits_before_login(settings).message == 0
    assert limits_after_login(settings).message == settings.max_size


@pytest.mark.parametrize(
    ("name", "least", "words"),
    [
        ("idle_timeout", 1800, "idle_timeout must be at least 1800 seconds (RFC 3501 §5.4)"),
        ("max_login_line", 1000, "lines of 1000 octets must be allowed (RFC 2683 §3.2.1.5)"),
        ("max_line", 1000, "lines of 1000 octets must be allowed (RFC 2683 §3.2.1.5)"),
    ],
)
def test_what_the_rfcs_forbid_is_refused(name: str, least: int, words: str) -> None:
    assert getattr(Settings(**{name: least}), name) == least  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        Settings(**{name: least - 1})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "limits", [limits_before_login(Settings()), limits_after_login(Settings())]
)
def test_whatever_is_allowed_can_be_thrown_away(limits: object) -> None:
    assert limits.swallow > max(limits.line, limits.literal, limits.message)  # type: ignore[attr-defined]
