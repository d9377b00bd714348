"""Copies name the address they came for, and share their octets where that says nothing."""

from collections.abc import Mapping, Sequence

from twisted_mail.delivery.delivered_to import MAX_ADDRESSES, MAX_COPIED
from twisted_mail.delivery.delivered_to import by_fields as group
from twisted_mail.mail.address import parse
from twisted_mail.mail.route import LocalRoute

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"


def named(*texts: str) -> bytes:
    """Return the fields that name these recipients."""
    return b"".join(
        b"Delivered-To: %s\r\nX-Original-To: %s\r\n" % (text.encode(), text.encode())
        for text in texts
    )


def by_fields(named: Mapping[str, Sequence[str]], size: int) -> Mapping[bytes, Sequence[str]]:
    """Group accounts, each with the recipients that lead to it."""
    texts = dict.fromkeys(text for recipients in named.values() for text in recipients)
    leads_to = {text: [one for one in named if text in named[one]] for text in texts}
    routes = {parse(text): LocalRoute(tuple(accounts)) for text, accounts in leads_to.items()}
    return group(routes, named, size)


def to(*texts: str) -> Sequence[str]:
    return texts


def test_who_was_addressed_by_name_shares_a_copy_without_a_field() -> None:
    addressed = {ALICE: to(ALICE), BOB: to("team@example.org", "Bob@Example.org"), CAROL: to(CAROL)}
    assert by_fields(addressed, 10) == {b"": [ALICE, BOB, CAROL]}


def test_a_copy_names_the_alias_the_detail_and_the_other_domain() -> None:
    addressed = {
        ALICE: to("team@example.org"),
        BOB: to("Bob+lists@example.org", "bob@example.edu"),
        CAROL: to("team@example.org"),
    }
    assert by_fields(addressed, 10) == {
        named("team@example.org"): [ALICE, CAROL],
        named("Bob+lists@example.org", "bob@example.edu"): [BOB],
    }


def test_nobody_learns_of_other_recipients() -> None:
    copies = by_fields({ALICE: to("sales@example.org"), BOB: to("boss@example.org")}, 10)
    assert copies == {
        named("sales@example.org"): [ALICE],
        named("boss@example.org"): [BOB],
    }


def test_one_account_with_many_names_has_a_bounded_header() -> None:
    (fields,) = by_fields({ALICE: to(*(f"a{n}@example.org" for n in range(30)))}, 10)
    assert fields.count(b"Delivered-To: ") == MAX_ADDRESSES


def test_large_messages_are_not_written_again_without_end() -> None:
    addressed = {f"u{n}@example.org": to(f"alias{n}@example.org") for n in range(6)}
    copies = by_fields(addressed, MAX_COPIED // 3)
    assert [len(accounts) for accounts in copies.values()] == [1, 1, 1, 3]
    assert copies[b""] == ["u3@example.org", "u4@example.org", "u5@example.org"]


def test_a_single_copy_has_its_field_whatever_its_size() -> None:
    copies = by_fields({ALICE: to("sales@example.org")}, MAX_COPIED * 2)
    assert copies == {named("sales@example.org"): [ALICE]}
