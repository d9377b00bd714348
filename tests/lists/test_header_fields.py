from email import message_from_bytes
from email.header import decode_header, make_header

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.lists.header_fields import (
    common_fields,
    mailto,
    member_fields,
    without_list_fields,
)
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    MailingList,
    Member,
    PostingPolicy,
)

ADDRESS = parse("News@example.org")
NEWS = MailingList("News@example.org", ADDRESS, "All the news")
MEMBER = Member(7, parse("alice@example.net"))
SIGNER = VerpSigner(b"secret")


def test_a_copy_has_the_fields_of_its_list() -> None:
    found = message_from_bytes(common_fields(NEWS))
    assert found["List-Id"] == '"All the news"\r\n\t<news.example.org>'
    assert found["List-Post"] == "<mailto:News@example.org>"
    assert found["List-Help"] == "<mailto:News-request@example.org?subject=help>"
    assert found["List-Subscribe"] == "<mailto:News-subscribe@example.org>"
    assert found["List-Owner"] == "<mailto:News-owner@example.org>"
    assert (found["X-Loop"], found["Precedence"]) == ("News@example.org", "list")


def test_fields_follow_the_rules_of_the_list() -> None:
    closed = MailingList(
        "n@x.example", parse("n@x.example"), "", PostingPolicy.OWNERS, JoiningPolicy.CLOSED
    )
    found = message_from_bytes(common_fields(closed))
    assert found["List-Post"] == "NO"
    assert found["List-Subscribe"] is None
    assert found["List-Id"] == "<n.x.example>"


def test_members_unsubscribe_by_mail_and_by_a_click_where_there_is_a_page() -> None:
    (field,) = member_fields(NEWS, MEMBER, SIGNER, "").decode().splitlines()
    assert field.startswith("List-Unsubscribe: <mailto:News-unsubscribe+alice%3Dexample.net%3D")
    found = message_from_bytes(member_fields(NEWS, MEMBER, SIGNER, "https://example.org/lists/"))
    assert found["List-Unsubscribe"].startswith("<https://example.org/lists/News@example.org/7/")
    assert ",\r\n\t<mailto:" in found["List-Unsubscribe"]
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_fields_of_another_list_are_taken_out() -> None:
    header = (
        b"Received: a\r\nLIST-ID: x\r\n <y>\r\nSubject: s\r\nPrecedence: bulk\r\n"
        b"X-Loop: x\r\nList-Unsubscribe-Post: z\r\n\r\n"
    )
    assert without_list_fields(header) == b"Received: a\r\nSubject: s\r\nX-Loop: x\r\n\r\n"


def test_signs_that_mean_something_in_a_uri_are_escaped() -> None:
    assert mailto(Address("a b=c&d?e%f/g", "example.org")) == (
        "mailto:a%20b%3Dc%26d%3Fe%25f%2Fg@example.org"
    )


@given(st.text(max_size=100).filter(str.isprintable))
def test_any_title_makes_a_field_that_reads_as_the_title(title: str) -> None:
    data = common_fields(MailingList("n@x.example", parse("n@x.example"), title))
    assert data.isascii()
    found = message_from_bytes(data)
    assert found["X-Loop"] == "n@x.example"
    shown = str(make_header(decode_header(found["List-Id"].replace("\r\n", ""))))
    if not title.isascii():
        assert "".join(title.split()) in "".join(shown.split())


@given(st.binary(max_size=200))
def test_taking_fields_out_never_fails_and_adds_nothing(header: bytes) -> None:
    assert len(without_list_fields(header)) <= len(header)
