from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    ListRole,
    PostingPolicy,
    parse_role,
    role_address,
)

NEWS = Address("news", "example.org")


def test_a_list_has_an_address_for_each_role() -> None:
    assert str(role_address(NEWS, ListRole.POST)) == "news@example.org"
    assert str(role_address(NEWS, ListRole.REQUEST)) == "news-request@example.org"
    assert str(role_address(NEWS, ListRole.BOUNCES, "a=b")) == "news-bounces+a=b@example.org"


def test_the_words_for_roles_and_rules_are_those_of_the_database_and_of_addresses() -> None:
    assert [one.value for one in ListRole] == (
        ["", "owner", "request", "subscribe", "unsubscribe", "confirm", "bounces"]
    )
    assert [one.value for one in PostingPolicy] == ["members", "owners", "anyone"]
    assert [one.value for one in JoiningPolicy] == ["confirmed", "closed"]


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
        assert parse_role(local) is None


def test_the_last_word_counts() -> None:
    assert parse_role("a-request-owner") == ("a-request", ListRole.OWNER, "")


@given(
    st.text("ab-", min_size=1),
    st.sampled_from([r for r in ListRole if r is not ListRole.POST]),
    st.text("ab+=-"),
)
def test_reading_is_the_inverse_of_making(name: str, role: ListRole, detail: str) -> None:
    made = role_address(Address(name, "example.org"), role, detail)
    assert parse_role(made.local) == (name, role, detail)
