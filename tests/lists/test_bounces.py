from pathlib import Path

import pytest

from tests.lists.list_server import ALICE, BOB, CAROL, NEWS, ListServer
from twisted_mail.mail.outcome import Refused


def bounce(server: ListServer, body: str = "", header: str = "") -> None:
    server.send(server.bounces(BOB), "", header, body)
    server.clock.seconds += 86400


DSN = 'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n'


def test_bounces_suspend_a_member_and_the_owners_are_notified(tmp_path: Path) -> None:
    server = ListServer(tmp_path, max_bounces=3).furnish()
    server.send(NEWS)
    for _ in range(3):
        assert server.editor.lists.all()[0].suspended == 0
        bounce(server, "--x\r\n\r\nAction: failed\r\n", DSN)
    assert server.editor.lists.all()[0].suspended == 1
    assert server.subjects(CAROL) == ["bob@example.org gets no more mail of news@example.org"]
    server.send(NEWS)
    assert (len(server.inbox(ALICE)), len(server.inbox(BOB))) == (2, 1)
    server.editor.lists.resume(NEWS, BOB)
    server.send(NEWS)
    assert len(server.inbox(BOB)) == 2


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (DSN, "--x\r\n\r\nAction: delayed\r\n"),
        ("Auto-Submitted: auto-replied (vacation)\r\n", "I am away"),
    ],
)
def test_delays_and_vacations_are_no_bounces(server: ListServer, header: str, body: str) -> None:
    server.send(NEWS)
    bounce(server, body, header)
    assert [row.bounces for row in server.editor.lists.members(NEWS)] == [0, 0]


def test_a_bounce_of_any_form_counts(server: ListServer) -> None:
    server.send(NEWS)
    bounce(server, "Hi. This is the qmail-send program.")
    assert [row.bounces for row in server.editor.lists.members(NEWS)] == [0, 1]


def test_invented_bounces_are_refused(server: ListServer) -> None:
    for detail in ("+bob=example.org=aaaaaaaa", "+=2=aaaaaaaa", "", "+x"):
        assert server.refusal(f"news-bounces{detail}@example.org", "") == "550 5.1.1"


def test_a_member_who_has_no_mailbox_here_has_bounced_at_once(server: ListServer) -> None:
    server.editor.accounts.add("gone@example.org", "secret")
    server.editor.lists.add_members(NEWS, ["gone@example.org"])
    server.editor.accounts.remove("gone@example.org")
    server.send(NEWS)
    assert [row.bounces for row in server.editor.lists.members(NEWS)] == [0, 0, 1]
    assert server.owed == []


def test_of_a_copy_that_fails_the_report_goes_to_the_members_own_address(
    server: ListServer,
) -> None:
    server.store.failures[BOB] = Refused("The mailbox is full")
    server.send(NEWS)
    [(_, failed)] = server.dispatch.failed
    assert str(failed.sender).startswith("news-bounces+bob=example.org=")
    server.send(str(failed.sender), "", DSN, "--x\r\n\r\nAction: failed\r\n")
    assert [row.bounces for row in server.editor.lists.members(NEWS)] == [0, 1]
