import pytest

from twisted_mail.lists.settings import ListSettings


def test_the_page_of_one_click_is_under_https() -> None:
    assert ListSettings("https://example.org/mail").base_url
    for wrong in ("http://example.org", "https://example.org/a b", "https://example.org/>"):
        with pytest.raises(ValueError, match="base_url"):
            ListSettings(wrong)
