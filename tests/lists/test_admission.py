from typing import Any

import pytest

from twisted_mail.lists.admission import MailingListAdmission
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member
from twisted_mail.mail.outcome import Refused
from twisted_mail.mail.route import ListTarget
from twisted_mail.testing.doubles import finish

NEWS = MailingList("news@example.org", parse("news@example.org"))
ALICE = Member(7, parse("alice@example.org"))
SIGNER = VerpSigner(b"secret")


class FakeLists:
    """One list with one member."""

    async def find(self, name: str) -> MailingList | None:
        return NEWS if name == NEWS.name else None

    async def member(self, name: str, who: object) -> Member | None:
        return ALICE if who in (ALICE.number, ALICE.address) else None

    async def secret(self) -> bytes:
        return SIGNER.secret


def admit(
    role: ListRole,
    detail: str = "",
    sender: str = "alice@example.org",
    header: bytes = b"Subject: x\r\n",
    name: str = NEWS.name,
) -> str | None:
    lists: Any = FakeLists()
    envelope = Envelope("id1", parse(sender) if sender else NULL, (NEWS.address,))
    target = ListTarget(name, role, detail)
    return finish(MailingListAdmission(lists).admit(envelope, target, header))


def bounce_detail() -> str:
    address = SIGNER.member_address(NEWS, ALICE, ListRole.BOUNCES)
    return address.local.partition("+")[2]


def test_a_post_of_a_member_is_admitted_and_one_of_others_is_refused() -> None:
    assert admit(ListRole.POST) == ""
    with pytest.raises(Refused, match="Only members"):
        admit(ListRole.POST, sender="eve@elsewhere.example")


def test_a_list_that_does_not_exist_takes_nothing() -> None:
    with pytest.raises(Refused, match="no such mailing list"):
        admit(ListRole.POST, name="other@example.org")


@pytest.mark.parametrize("role", [ListRole.REQUEST, ListRole.SUBSCRIBE, ListRole.CONFIRM])
def test_what_programs_send_is_dropped_where_a_notice_would_answer(role: ListRole) -> None:
    assert admit(role) == ""
    assert admit(role, sender="") is None
    assert admit(role, header=b"Auto-Submitted: auto-generated\r\n") is None
    assert admit(role, header=b"Precedence: bulk\r\n") is None


def test_a_report_for_a_member_is_admitted() -> None:
    assert admit(ListRole.BOUNCES, bounce_detail(), sender="") == ""


def test_what_is_no_report_is_dropped_at_the_address_for_bounces() -> None:
    assert admit(ListRole.BOUNCES, bounce_detail()) is None
    vacation = b"Auto-Submitted: auto-replied\r\n"
    assert admit(ListRole.BOUNCES, bounce_detail(), sender="", header=vacation) is None


@pytest.mark.parametrize("detail", ["", "alice=example.org=aaaaaaaa", "=7=aaaaaaaa", "=8=x"])
def test_a_report_with_an_invented_address_is_refused(detail: str) -> None:
    with pytest.raises(Refused, match="no such member"):
        admit(ListRole.BOUNCES, detail, sender="")
