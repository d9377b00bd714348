import pytest

from twisted_mail.imap.settings import Settings


def test_the_defaults_are_allowed() -> None:
    settings = Settings()
    assert settings.before_login.message == 0
    assert settings.after_login.message == settings.max_size


@pytest.mark.parametrize(
    ("name", "value"), [("idle_timeout", 1799), ("max_login_line", 999), ("max_line", 999)]
)
def test_what_the_rfcs_forbid_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match="RFC"):
        Settings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("limits", [Settings().before_login, Settings().after_login])
def test_whatever_is_allowed_can_be_thrown_away(limits: object) -> None:
    assert limits.swallow > max(limits.line, limits.literal, limits.message)  # type: ignore[attr-defined]
