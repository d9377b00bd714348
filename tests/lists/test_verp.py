import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.lists.verp import VerpSigner, parse_member_detail
from twisted_mail.mail.address import PORTABLE_LOCAL, Address, parse
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member, parse_role

NEWS = MailingList("news@example.org", parse("news@example.org"))
SIGNER = VerpSigner(b"secret")
LOCALS = st.text("ab=+.-_%\"' é", min_size=1, max_size=70)


def test_an_address_for_bounces_names_the_member() -> None:
    member = Member(42, parse("alice@example.net"))
    tag = SIGNER.member_tag(NEWS, 42, ListRole.BOUNCES)
    address = SIGNER.member_address(NEWS, member, ListRole.BOUNCES)
    assert str(address) == f"news-bounces+alice=example.net={tag}@example.org"
    assert SIGNER.is_valid(tag.upper(), "bounces", "News@example.org", "42")


@pytest.mark.parametrize(
    "about",
    [
        ("bounces", "news@example.org", "43"),
        ("unsubscribe", "news@example.org", "42"),
        ("bounces", "other@example.org", "42"),
    ],
)
def test_a_tag_is_for_one_member_list_and_purpose(about: tuple[str, ...]) -> None:
    assert not SIGNER.is_valid(SIGNER.member_tag(NEWS, 42, ListRole.BOUNCES), *about)
    assert not VerpSigner(b"other").is_valid(
        SIGNER.member_tag(NEWS, 42, ListRole.BOUNCES), "bounces", NEWS.name, "42"
    )


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "=",
        "==",
        "alice",
        "alice=example.net",
        "=x=tag",
        "=²=tag",
        "= =tag",
        "=" + "9" * 99 + "=t",
    ],
)
def test_what_names_nobody_is_none(detail: str) -> None:
    assert parse_member_detail(detail) is None


@given(LOCALS, st.sampled_from(["example.net", "a" * 50 + ".example"]), st.integers(1, 2**31))
def test_every_member_is_known_again_and_every_address_is_short_enough(
    local: str, domain: str, number: int
) -> None:
    member = Member(number, Address(local, domain))
    address = SIGNER.member_address(NEWS, member, ListRole.BOUNCES)
    assert len(address.local) <= PORTABLE_LOCAL
    assert parse(str(address)) == address
    read = parse_role(address.local)
    assert read is not None
    assert read[:2] == ("news", ListRole.BOUNCES)
    who = parse_member_detail(read[2])
    assert who is not None
    assert who[0] in (number, member.address)
    assert SIGNER.is_valid(who[1], "bounces", NEWS.name, str(number))
