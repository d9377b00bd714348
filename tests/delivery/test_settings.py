import pytest

from twisted_mail.delivery.settings import AddressSettings


def test_separators_are_signs_that_need_no_quotes() -> None:
    assert AddressSettings("").separators == ""
    assert AddressSettings("+-").separators == "+-"
    for wrong in ("a", " ", '"', "@"):
        with pytest.raises(ValueError, match="separators"):
            AddressSettings(wrong)
