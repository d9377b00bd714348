from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from twisted_mail.lists.notices import ListNotices
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.mailing_list_definition import MailingList
from twisted_mail.mail.notice import Notice
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import StillClock, finish

ALICE, BOB = parse("alice@example.org"), parse("bob@example.org")
NEWS = MailingList(
    "news@example.org", parse("news@example.org"), title="All the news", owners=(ALICE, BOB)
)


class FakeMailer:
    """Keeps notices; some recipients cannot be reached, or not now."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.unreachable: set[Address] = set()
        self.busy: set[Address] = set()

    async def send(self, notice: Notice) -> bool:
        if notice.recipient in self.busy:
            raise Unavailable("The disk is full")
        if notice.recipient in self.unreachable:
            return False
        self.sent.append(notice)
        return True


class Scene:
    def __init__(self) -> None:
        self.mailer, self.clock = FakeMailer(), StillClock()
        mailer: Any = self.mailer
        self.notices = ListNotices(mailer, self.clock)


def test_a_text_is_filled_with_the_list_and_sent_from_its_requests_address() -> None:
    scene = Scene()
    result = finish(scene.notices.send(NEWS, BOB, "done subscribe"))
    (notice,) = scene.mailer.sent
    assert result == "done subscribe: sent"
    assert (notice.sender, notice.recipient) == (parse("news-request@example.org"), BOB)
    assert notice.subject == "You are on news@example.org"
    text = message_from_bytes(notice.content, policy=default).get_content()
    assert "<bob@example.org> is on the list All the news now." in text


def test_a_recipient_who_cannot_be_reached_ends_the_job() -> None:
    scene = Scene()
    scene.mailer.unreachable.add(BOB)
    assert "cannot be reached" in finish(scene.notices.send(NEWS, BOB, "help"))


def test_the_same_notice_goes_to_an_address_once_an_hour() -> None:
    scene = Scene()
    for _ in range(2):
        finish(scene.notices.send_hourly(NEWS, BOB, "help"))
    finish(scene.notices.send_hourly(NEWS, ALICE, "help"))
    finish(scene.notices.send_hourly(NEWS, BOB, "closed"))
    assert [notice.recipient for notice in scene.mailer.sent] == [BOB, ALICE, BOB]
    scene.clock.seconds += 3600
    finish(scene.notices.send_hourly(NEWS, BOB, "help"))
    assert len(scene.mailer.sent) == 4


def test_owners_who_cannot_be_reached_now_keep_no_other_owner_waiting() -> None:
    scene = Scene()
    scene.mailer.busy.add(ALICE)
    finish(scene.notices.send_to_owners(NEWS, "suspended", {"member": "x@example.org"}))
    assert [notice.recipient for notice in scene.mailer.sent] == [BOB]
    scene.mailer.busy.add(BOB)
    with pytest.raises(Unavailable):
        finish(scene.notices.send_to_owners(NEWS, "suspended", {"member": "x@example.org"}))
