"""Open mailboxes that are watched, with the kernel's own events and no reactor."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, draft, listen, mail
from tests.store.watched_maildir import WatchedMaildir
from twisted_mail.interfaces import FolderEvent
from twisted_mail.mail.mailbox.change import (
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
    SubscriptionChanged,
)
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.format.keywords import AWAITED_SECONDS
from twisted_mail.store.work import apply_events
from twisted_mail.testing.doubles import finish


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[WatchedMaildir]:
    found = WatchedMaildir(tmp_path)
    yield found
    found.monitor.close()


def test_subscriptions_that_another_program_writes_are_told(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    heard = listen(alice.account)
    path = alice.maildir / "subscriptions.lock"
    path.write_bytes(b"V\t2\n\nINBOX\nSent\nDrafts\nJunk\nTrash\n")
    path.rename(alice.maildir / "subscriptions")
    alice.turn()
    assert heard == [SubscriptionChanged("Archive", False)]
    inbox.close()


def test_a_quiet_mailbox_is_refreshed_without_any_work(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    for _ in range(10):
        finish(inbox.refresh())
    assert alice.works == 0


def test_a_quiet_mailbox_is_looked_at_once_a_minute_all_the_same(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    alice.clock.seconds += 61
    finish(inbox.refresh())
    finish(inbox.refresh())
    assert alice.works == 1


def test_what_others_do_is_seen_by_the_next_refresh_without_a_listing(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    heard = listen(inbox)
    path = alice.drop("new/1.a")
    finish(inbox.refresh())
    path = path.rename(alice.maildir / "cur" / "1.a:2,S")
    finish(inbox.refresh())
    path = path.rename(alice.maildir / "cur" / "1.a:2,FS")
    finish(inbox.refresh())
    path.unlink()
    finish(inbox.refresh())
    assert [type(change) for change in heard] == [
        EntriesAdded,
        FlagsChanged,
        FlagsChanged,
        EntriesExpunged,
    ]
    assert alice.disk.listings == 0


def test_what_others_do_is_told_without_a_refresh(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    heard = listen(inbox)
    alice.drop("new/1.a")
    alice.turn()
    alice.turn()
    assert [type(change) for change in heard] == [EntriesAdded]


def test_own_alterations_start_no_look(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    finish(alice.account.append("INBOX", [draft(mail(text)) for text in ("one", "two", "three")]))
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    finish(inbox.copy([1, 2], "Sent"))
    finish(inbox.move([2], "Sent"))
    finish(inbox.expunge([3]))
    works = alice.works
    for _ in range(3):
        alice.turn()
        finish(inbox.refresh())
    assert alice.works == works
    assert alice.account._tree.own_events._recorded == set()


def test_a_delivery_costs_one_look(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    heard = listen(inbox)
    message = Message(MemoryBlob(mail("delivered")))
    assert finish(alice.store.deliver([ALICE], message)) == {ALICE: None}
    assert [type(change) for change in heard] == [EntriesAdded]
    works = alice.works
    for _ in range(3):
        alice.turn()
        finish(inbox.refresh())
    assert alice.works == works


def test_a_name_that_left_and_came_nowhere_is_looked_for_everywhere(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    path = alice.drop("cur/1.a:2,")
    finish(inbox.refresh())
    heard = listen(inbox)
    path.rename(alice.maildir / "1.a")
    finish(inbox.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged]
    assert alice.disk.listings > 0


def test_events_of_a_file_that_was_altered_here_meanwhile_change_nothing(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    path = alice.drop("cur/1.a:2,")
    finish(inbox.refresh())
    path.rename(alice.maildir / "cur" / "1.a:2,F")
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    finish(inbox.refresh())
    assert inbox.columns.flags[0] == normal(["\\Flagged", "\\Seen"])
    assert os.listdir(alice.maildir / "cur") == ["1.a:2,FS"]


def test_a_file_that_is_gone_when_its_event_is_looked_at_is_no_message(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    heard = listen(inbox)
    came = (b"cur", FolderEvent.CAME, b"1.a:2,T")  # and went before the lane got to it
    look = alice.account.lane.perform_on
    finish(look(inbox._folder, apply_events.look, [came], False))
    assert heard == []
    assert b"1.a" not in (alice.maildir / "dovecot-uidlist").read_bytes()


def test_two_files_of_one_base_name_become_two_messages(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    alice.drop("cur/1.a:2,", mail("one"))
    finish(inbox.refresh())
    alice.drop("cur/1.a:2,S", mail("two"))
    finish(inbox.refresh())
    assert len(inbox.columns) == 2


def test_a_file_of_a_strange_name_is_seen_too(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    alice.drop("new/1.\na")
    finish(inbox.refresh())
    alice.turn()
    alice.turn()
    finish(inbox.refresh())
    assert len(inbox.columns) == 1


def test_a_file_that_grew_after_it_was_seen_is_another_message(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    data = mail("written in place")
    with (alice.maildir / "new" / "1.a").open("wb", buffering=0) as file:
        file.write(data[:10])
        finish(inbox.refresh())
        assert list(inbox.columns.uids) == [1]
        file.write(data[10:])
    finish(inbox.refresh())
    assert list(inbox.columns.uids) == [2]
    assert finish(inbox.read([MessageRange(2, 0, len(data))])) == [data]


def test_after_lost_events_the_whole_mailbox_is_read(alice: WatchedMaildir) -> None:
    inbox = alice.open()
    watched = alice.account._open.watched("INBOX")
    assert watched is not None
    alice.drop("cur/1.a:2,")
    alice.monitor.catch_up()
    assert watched.on_event(bytes(alice.maildir / "cur"), FolderEvent.LOST, b"")
    finish(inbox.refresh())
    assert len(inbox.columns) == 1
    assert alice.disk.listings > 0


def test_what_happened_just_before_a_mailbox_was_closed_is_seen_when_it_is_opened(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    alice.drop("cur/1.a:2,")
    inbox.close()
    assert len(alice.open().columns) == 1


def test_a_closed_mailbox_is_not_watched(alice: WatchedMaildir) -> None:
    alice.open().close()
    assert alice.monitor._subscriptions == {}
    assert alice.account._tree.own_events.folders == frozenset()


def test_mailboxes_that_others_make_rename_and_remove_are_told(alice: WatchedMaildir) -> None:
    alice.open("Sent")
    heard: list[object] = []
    alice.account.watch(heard.append)
    for name in ("cur", "new", "tmp"):
        (alice.maildir / ".Work" / name).mkdir(parents=True)
    alice.turn()
    alice.turn()
    finish(alice.account.status("Work"))
    (alice.maildir / ".Work").rename(alice.maildir / ".Play")
    alice.turn()
    alice.turn()
    (alice.maildir / ".Play").rename(alice.maildir.parent / "elsewhere")
    alice.turn()
    alice.turn()
    assert heard == [MailboxCreated("Work"), MailboxRenamed("Work", "Play"), MailboxDeleted("Play")]


def test_own_mailboxes_are_told_once(alice: WatchedMaildir) -> None:
    alice.open("Sent")
    heard: list[object] = []
    alice.account.watch(heard.append)
    finish(alice.account.create("Work"))
    alice.turn()
    alice.turn()
    finish(alice.account.rename("Work", "Play"))
    finish(alice.account.delete("Play"))
    alice.turn()
    alice.turn()
    assert heard == [MailboxCreated("Work"), MailboxRenamed("Work", "Play"), MailboxDeleted("Play")]


def test_an_open_mailbox_that_another_program_renamed_stays_open(alice: WatchedMaildir) -> None:
    sent = alice.open("Sent")
    (alice.maildir / ".Sent").rename(alice.maildir / ".Posted")
    alice.turn()
    alice.turn()
    assert sent.name == "Posted"
    finish(alice.account.append("Posted", [draft(mail("one"))]))
    assert len(sent.columns) == 1
    alice.drop(".Posted/new/1.a")
    finish(sent.refresh())
    assert len(sent.columns) == 2


def test_a_mailbox_beyond_the_limit_of_watches_is_read_at_each_refresh(
    alice: WatchedMaildir,
) -> None:
    alice.monitor._max_watches = 0
    inbox = alice.open()
    alice.drop("new/1.a")
    finish(inbox.refresh())
    assert len(inbox.columns) == 1


def test_a_keyword_is_seen_though_its_name_is_written_after_its_letter(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    name = alice.drop("cur/1000000000.x.host:2,F")
    finish(inbox.refresh())
    name.rename(alice.maildir / "cur" / "1000000000.x.host:2,Fa")
    finish(inbox.refresh())
    assert list(inbox.columns.flags) == [normal(["\\Flagged"])]
    (alice.maildir / "dovecot-keywords").write_text("0 common\n")
    finish(inbox.refresh())
    assert list(inbox.columns.flags) == [normal(["\\Flagged", "common"])]


def test_a_letter_that_never_gets_a_keyword_is_not_looked_after_for_ever(
    alice: WatchedMaildir,
) -> None:
    inbox = alice.open()
    alice.drop("cur/1000000000.x.host:2,Fa")
    for _ in range(3):
        finish(inbox.refresh())
    assert alice.works == 3
    alice.turn()
    finish(alice.clock.sleep(AWAITED_SECONDS))
    alice.works = 0
    finish(inbox.refresh())
    assert alice.works == 0
