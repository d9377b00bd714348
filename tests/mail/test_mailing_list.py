from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list import Role, read_role, role_address

NEWS = Address("news", "example.org")


def test_a_list_has_an_address_for_each_role() -> None:
    assert str(role_address(NEWS, Role.POST)) == "news@example.org"
    assert str(role_address(NEWS, Role.REQUEST)) == "news-request@example.org"
    assert str(role_address(NEWS, Role.BOUNCES, "a=b")) == "news-bounces+a=b@example.org"


def test_other_addresses_have_no_role() -> None:
    for local in (
        "news",
        "-request",
        "request",
        "news-requests",
        "news-",
        "",
        "+news-request",
        "a-",
    ):
        assert read_role(local) is None


def test_the_last_word_counts() -> None:
    assert read_role("a-request-owner") == ("a-request", Role.OWNER, "")


@given(
    st.text("ab-", min_size=1),
    st.sampled_from([r for r in Role if r is not Role.POST]),
    st.text("ab+=-"),
)
def test_reading_is_the_inverse_of_making(name: str, role: Role, detail: str) -> None:
    made = role_address(Address(name, "example.org"), role, detail)
    assert read_role(made.local) == (name, role, detail)
