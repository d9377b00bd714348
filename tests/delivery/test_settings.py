import pytest

from twisted_mail.delivery.settings import AddressSettings, ListSettings, QueueSettings


def test_separators_are_signs_that_need_no_quotes() -> None:
    assert AddressSettings("").separators == ""
    assert AddressSettings("+-").separators == "+-"
    for wrong in ("a", " ", '"', "@"):
        with pytest.raises(ValueError, match="separators"):
            AddressSettings(wrong)


def test_the_page_of_one_click_is_under_https() -> None:
    assert ListSettings("https://example.org/mail").base_url
    for wrong in ("http://example.org", "https://example.org/a b", "https://example.org/>"):
        with pytest.raises(ValueError, match="base_url"):
            ListSettings(wrong)


def test_pauses_are_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="retry"):
        QueueSettings(first_retry=0)
