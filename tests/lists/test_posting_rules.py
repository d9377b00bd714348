import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.lists.posting_rules import check_post, read_post_header
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import MailingList, Member, PostingPolicy
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish

ALICE, BOB, BOSS = "alice@example.org", "bob@example.org", "boss@example.org"
NEWS = MailingList("news@example.org", parse("news@example.org"), owners=(parse(BOSS),))


class FakeRolls:
    async def member(self, name: str, who: Address) -> Member | None:
        return Member(1, who) if str(who).lower() == ALICE else None


def post(
    header: str = "", sender: str = "s@client.example", submitter: str = "", **rules: object
) -> str:
    is_junk = bool(rules.pop("junk", False))
    envelope = Envelope(
        "id1", parse(sender) if sender else NULL, (NEWS.address,), submitter, is_junk
    )
    to = dataclasses.replace(NEWS, **rules)  # type: ignore[arg-type]
    lines = header.replace("\n", "\r\n").encode()
    try:
        return finish(check_post(to, envelope, read_post_header(lines), FakeRolls()))  # type: ignore[arg-type]
    except Refused as refused:
        return f"{refused.outcome.code} {refused.outcome.enhanced}"


@pytest.mark.parametrize(
    "who",
    [
        {"sender": "Alice@example.org"},
        {"header": "From: A <alice@example.org>\n"},
        {"header": "From: x@b.example, alice@example.org\n"},
        {"submitter": ALICE},
        {"header": f"From: {BOSS}\n"},
    ],
)
def test_members_write_by_any_of_their_names(who: dict[str, str]) -> None:
    assert post(**who) == ""


def test_strangers_do_not_write() -> None:
    assert post() == "550 5.7.2"
    assert post("From: eve@b.example\n", submitter=BOB) == "550 5.7.2"
    assert post(posting=PostingPolicy.ANYONE) == ""


@pytest.mark.parametrize("name", ["Boss@example.org", '"boss"@example.org'])
def test_an_owner_is_known_in_any_spelling(name: str) -> None:
    written = (parse("BOSS@Example.org"),)
    assert post(owners=written, posting=PostingPolicy.OWNERS, submitter=name) == ""
    assert post(owners=written, header=f"From: {name}\n") == ""


def test_where_owners_write_a_name_is_not_enough() -> None:
    assert post(posting=PostingPolicy.OWNERS, header=f"From: {BOSS}\n", sender=BOSS) == "550 5.7.2"
    assert post(posting=PostingPolicy.OWNERS, sender=ALICE) == "550 5.7.2"
    assert post(posting=PostingPolicy.OWNERS, submitter="Boss@example.org") == ""


def test_a_moderated_list_holds_what_is_not_its_owners() -> None:
    assert post(is_moderated=True, sender=ALICE) == "the list is moderated"
    assert post(is_moderated=True) == "its author is no member"
    assert post(is_moderated=True, sender=BOSS) == "the list is moderated"
    assert post(is_moderated=True, sender=BOSS, submitter=BOSS) == ""


@pytest.mark.parametrize(
    "field",
    [
        "X-Loop: News@example.org",
        "List-Id: The news\n\t<news.example.org>",
        "LIST-ID: <NEWS.example.org>",
    ],
)
def test_what_has_been_here_is_a_loop(field: str) -> None:
    assert post(f"Subject: x\n{field}\n", sender=ALICE) == "554 5.4.6"
    assert post(f"{field}\n", submitter=BOSS) == "554 5.4.6"


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("", ""),
        ("Auto-Submitted: auto-replied (vacation)\n", ALICE),
        ("Precedence: junk\n", ALICE),
    ],
)
def test_answers_of_programs_and_reports_are_refused(header: str, sender: str) -> None:
    assert post(header, sender) == "550 5.7.1"


def test_what_programs_send_of_themselves_may_be_news() -> None:
    assert post("Auto-Submitted: auto-generated\nPrecedence: bulk\n", ALICE) == ""


def test_posts_of_other_lists_and_junk_are_held() -> None:
    assert post("List-Id: <other.example.org>\n", ALICE) == "it comes from another list"
    assert post(sender=ALICE, junk=True) == "a filter takes it for junk"


def test_automatic_mail_is_known_by_its_fields() -> None:
    assert read_post_header(b"Auto-Submitted: auto-generated\r\n").is_automatic
    assert read_post_header(b"Precedence: list\r\n").is_automatic
    assert not read_post_header(b"Auto-Submitted: no\r\n").is_automatic
    assert not read_post_header(b"Subject: x\r\n").is_automatic


@given(st.binary(max_size=300))
def test_any_header_is_read(header: bytes) -> None:
    read_post_header(header)
    read_post_header(b"From: " + header)
