"""Quotas and undeletion, as clients meet them."""

import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.whole.clients import hello, imap, send, subjects
from tests.whole.live import LiveServer, await_in_reactor
from twisted_mail.store.repair import undelete

pytestmark = pytest.mark.whole

BOB, ALICE = "bob@example.org", "alice@example.org"


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[LiveServer]:
    """A server whose accounts hold five messages."""
    live = LiveServer(tmp_path, "[store]\nquota_messages = 5\n")
    yield live
    live.stop()


def sent(server: LiveServer, subject: str, recipients: tuple[str, ...] = (BOB,)) -> bytes:
    """Send a message; return what the server answered of a recipient or message that it took not."""
    try:
        refused = send(server, subject, recipients)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPDataError as error:
        refused = {"": (error.smtp_code, error.smtp_error)}
    return b"".join(b"%d %s" % answer for answer in refused.values())


def test_a_full_account_is_told_to_senders_and_to_its_owner(narrow: LiveServer) -> None:
    for number in range(5):
        send(narrow, f"message {number}")
    assert sent(narrow, "one more").startswith(b"552 5.2.2 ")
    client = imap(narrow)
    client.select("INBOX")
    answer, [text] = client.append("Sent", "", "", hello().encode())
    assert (answer, text.split()[0]) == ("NO", b"[OVERQUOTA]")
    assert client.copy("1", "Sent")[1][0].startswith(b"[OVERQUOTA]")
    assert client.uid("MOVE", "1", "Trash")[0] == "OK"
    assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
    assert sent(narrow, "one more").startswith(b"552 5.2.2 ")
    client.expunge()
    assert sent(narrow, "one more") == b""


def test_only_the_account_that_is_full_goes_without(narrow: LiveServer) -> None:
    for number in range(5):
        send(narrow, f"message {number}")
    answer = sent(narrow, "to both", (BOB, ALICE))
    assert b"5.2.2" in answer
    assert subjects(narrow, ALICE) == ["to both"]


def test_deliveries_at_the_same_time_fill_an_account_and_no_more(narrow: LiveServer) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: sent(narrow, f"message {number}"), range(24)))
    assert len([answer for answer in answers if answer == b""]) == 5
    assert len(subjects(narrow)) == 5
    assert {answer[:9] for answer in answers} <= {b"", b"552 5.2.2", b"452 4.2.2"}


def test_a_client_sees_expunged_messages_come_back(server: LiveServer) -> None:
    for number in range(3):
        send(server, f"message {number}")
    client = imap(server)
    client.select("INBOX")
    client.store("1:2", "+FLAGS", "(\\Deleted \\Seen)")
    client.expunge()

    async def restore() -> None:
        account = await server.service.parts.store.account(BOB)
        found = await account.lane.perform_steps(undelete.list_expunged)
        assert [each.uid for each in found] == [1, 2]
        await account.lane.perform_steps(undelete.restore, found)

    await_in_reactor(restore())
    client.noop()
    assert client.response("EXISTS")[1][-1] == b"3"
    lines = client.fetch("1:*", "(FLAGS)")[1]
    assert [b"\\Seen" in line for line in lines] == [False, True, True]  # type: ignore[operator]
    assert b"\\Deleted" not in b"".join(lines)  # type: ignore[arg-type]
