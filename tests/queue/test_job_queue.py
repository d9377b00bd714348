from pathlib import Path

import pytest

from tests.queue.mail_queue import ALICE, NEWS, TICKETS, MailQueue
from twisted_mail.mail.job import LISTS
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.queue.job_queue import _was_delivered_to


def test_mail_for_a_program_is_on_disk_before_it_is_taken(queue: MailQueue) -> None:
    queue.accept(TICKETS, prefix=b"Received: x\r\n")
    assert [job.id for job in queue.kept] == ["id1-1"]
    assert not queue.program.seen
    queue.work()
    assert queue.program.seen == [("id1-1", b"Received: x\r\nSubject: x\r\n\r\nbody\r\n")]
    assert not queue.kept


def test_accounts_get_their_copy_at_once_and_programs_theirs_later(queue: MailQueue) -> None:
    queue.accept(TICKETS, ALICE, NEWS)
    assert queue.store.delivered == [ALICE]
    queue.work()
    queue.work(LISTS)
    assert [seen[0] for seen in queue.program.seen + queue.list_transport.seen] == [
        "id1-1",
        "id1-2",
    ]


def test_when_an_account_cannot_take_it_no_program_gets_it(queue: MailQueue) -> None:
    queue.store.error = Unavailable("The disk is full")
    with pytest.raises(Unavailable):
        queue.accept(TICKETS, ALICE)
    queue.work()
    assert not queue.program.seen
    assert not queue.kept
    queue.store.error = None
    queue.accept(TICKETS, ALICE)  # the sender tries again
    queue.work()
    assert len(queue.program.seen) == len(queue.store.delivered) == 1


def test_when_the_job_cannot_be_written_no_account_gets_it(
    queue: MailQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(queue.folder, "prepare", full)
    with pytest.raises(Unavailable):
        queue.accept(TICKETS, ALICE)
    assert not queue.store.delivered


def test_what_a_list_refuses_nobody_gets(queue: MailQueue) -> None:
    queue.lists.answer = Refused(Outcome(550, "5.7.1", "Only members may write here"))
    with pytest.raises(Refused, match="Only members"):
        queue.accept(ALICE, TICKETS, NEWS)
    assert not queue.store.delivered
    assert not queue.kept


def test_what_a_list_drops_is_taken_and_gone(queue: MailQueue) -> None:
    queue.lists.answer = None
    queue.accept(NEWS)
    assert not queue.kept
    assert queue.lists.header == b"Subject: x\r\n"


def test_only_so_much_waits(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_parcels=1)
    queue.accept(TICKETS)
    with pytest.raises(Unavailable, match="Too much mail"):
        queue.accept(TICKETS)
    queue.accept(ALICE)


@pytest.mark.parametrize("name", [b"Delivered-To", b"Old-Delivered-To"])
def test_a_message_that_comes_back_to_a_program_is_refused(queue: MailQueue, name: bytes) -> None:
    with pytest.raises(Refused, match="has been at this address"):
        queue.accept(TICKETS, prefix=name + b": Tickets@example.org\r\n")


def test_addresses_in_unicode_are_known_again() -> None:
    header = "Delivered-To: \u00c4nne@Example.org\r\n".encode()
    assert _was_delivered_to(header, "\u00c4NNE@example.org")
    assert not _was_delivered_to(header, "anne@example.org")
