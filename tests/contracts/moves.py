"""Messages copied, moved and expunged."""

from collections.abc import Callable

import pytest

from tests.contracts.ground import (
    ALICE,
    HELLO,
    Ground,
    draft,
    entry,
    flags_of,
    listen,
    mail,
    refused,
    rows,
)
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.testing.doubles import StillClock


class CopyContract(Ground):
    """What is copied."""

    def test_copies_have_new_uids_told_pairwise(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.put(account, "Sent", draft(HELLO))
        copied = self.run(inbox.copy([three[2], three[0]], "Sent"))
        assert copied.uidvalidity == self.run(account.status("Sent")).uidvalidity
        assert copied.sources == (three[0], three[2])
        assert copied.targets == (2, 3)
        assert self.subjects(account, "Sent")[1:] == ["one", "three"]
        assert self.subjects(account, "INBOX") == ["one", "two", "three"]

    def test_copies_keep_flags_and_date(self, account: Account, inbox: Mailbox, clock: StillClock):
        self.put(account, "INBOX", draft(HELLO, "\\Seen", "\\Deleted", date=123456))
        clock.seconds += 1000
        self.run(inbox.copy([1], "Sent"))
        [copy] = rows(self.run(account.open("Sent")))
        assert (copy.flags, copy.date, copy.size) == ({"\\Seen", "\\Deleted"}, 123456, len(HELLO))

    def test_a_copy_is_rung_for_the_target_only(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        heard, before = listen(account), rows(inbox)
        self.run(inbox.copy(three, "Sent"))
        sent = self.run(account.open("Sent"))
        assert heard == [EntriesAdded("Sent", tuple(rows(sent)))]
        assert rows(inbox) == before

    def test_who_has_the_target_open_hears_and_sees_it(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        sent = self.run(account.open("Sent"))
        heard = listen(sent)
        copied = self.run(inbox.copy(three, "Sent"))
        assert [*sent.columns.uids] == [*copied.targets]
        assert heard == [EntriesAdded("Sent", tuple(rows(sent)))]

    def test_the_copy_is_a_message_of_its_own(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.copy(three[:1], "Sent"))
        sent = self.run(account.open("Sent"))
        self.run(sent.mark([1], "add", normal(["\\Seen"])))
        assert flags_of(inbox) == [set()] * 3
        self.run(inbox.expunge(three[:1]))
        assert self.whole(sent, 1) == mail("one")

    def test_a_message_can_be_copied_within_its_mailbox(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        copied = self.run(inbox.copy(three[:2], "inbox"))
        assert copied.targets == (4, 5)
        assert [self.whole(inbox, uid) for uid in (4, 5)] == [mail("one"), mail("two")]

    def test_messages_that_are_gone_are_not_copied(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.expunge(three[:1]))
        copied = self.run(inbox.copy([*three[:2], 9999, three[1]], "Sent"))
        assert copied.sources == (three[1],)
        assert self.subjects(account, "Sent") == ["two"]

    def test_nothing_copied_changes_nothing(self, account: Account, inbox: Mailbox):
        heard = listen(account)
        for attempt in (inbox.copy, inbox.move):
            copied = self.run(attempt([9999], "Sent"))
            assert (copied.sources, copied.targets) == ((), ())
            assert copied.uidvalidity == self.run(account.status("Sent")).uidvalidity
        assert heard == []

    def test_an_unknown_target_asks_to_be_created(self, inbox: Mailbox, three: tuple[int, ...]):
        before = rows(inbox)
        for attempt in (inbox.copy, inbox.move):
            with refused("TRYCREATE"):
                self.run(attempt(three, "nothing"))
            with refused("CANNOT"):
                self.run(attempt(three, "no//thing"))
        assert rows(inbox) == before

    def test_over_quota_none_is_copied(self, make_store: Callable[..., Store]):
        if not self.has_quota:
            pytest.skip("this store has no quota")
        account = self.run(make_store(quota=3 * len(HELLO)).account(ALICE))
        uids = self.put(account, "INBOX", draft(HELLO), draft(HELLO))
        inbox = self.run(account.open("INBOX"))
        with refused("OVERQUOTA"):
            self.run(inbox.copy(uids, "Sent"))
        assert self.run(account.status("Sent")).messages == 0
        self.run(inbox.copy(uids[:1], "Sent"))
        assert self.run(inbox.move(uids, "Sent")).targets == (2, 3)

    def test_two_hundred_messages_are_copied_at_once(self, account: Account, inbox: Mailbox):
        uids = self.put(account, "INBOX", *(draft(mail(str(n))) for n in range(200)))
        assert len(self.run(inbox.copy(uids, "Sent")).targets) == 200
        assert self.subjects(account, "Sent") == [str(n) for n in range(200)]


class MoveContract(Ground):
    """What is moved (RFC 6851 §3)."""

    def test_moved_messages_are_there_and_not_here(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        moved = self.run(inbox.move([three[2], three[0]], "Trash"))
        assert (moved.sources, moved.targets) == ((three[0], three[2]), (1, 2))
        assert self.subjects(account, "Trash") == ["one", "three"]
        assert self.subjects(account, "INBOX") == ["two"]

    def test_moved_messages_keep_flags_and_date(
        self, account: Account, inbox: Mailbox, clock: StillClock
    ):
        self.put(account, "INBOX", draft(HELLO, "\\Flagged", "$Work", date=123456))
        clock.seconds += 1000
        self.run(inbox.move([1], "Sent"))
        [moved] = rows(self.run(account.open("Sent")))
        assert (moved.flags, moved.date) == ({"\\Flagged", "$Work"}, 123456)

    def test_the_target_is_rung_before_the_source(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        heard = listen(account)
        self.run(inbox.move(three[:2], "Trash"))
        trash = self.run(account.open("Trash"))
        gone = EntriesExpunged("INBOX", three[:2], inbox.columns.highest_modseq)
        assert heard == [EntriesAdded("Trash", tuple(rows(trash))), gone]

    def test_the_mod_sequence_of_the_source_rises(self, inbox: Mailbox, three: tuple[int, ...]):
        before = inbox.columns.highest_modseq
        self.run(inbox.move(three[:1], "Trash"))
        assert inbox.columns.highest_modseq > before

    def test_a_message_moved_within_its_mailbox_has_a_new_uid(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        heard = listen(inbox)
        moved = self.run(inbox.move(three[:1], "INBOX"))
        assert moved.targets == (4,)
        assert self.subjects(account, "INBOX") == ["two", "three", "one"]
        assert [type(change) for change in heard] == [EntriesAdded, EntriesExpunged]

    def test_a_moved_message_can_be_moved_back(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.move(three[:1], "Trash"))
        trash = self.run(account.open("Trash"))
        assert self.run(trash.move([1], "INBOX")).targets == (4,)
        assert self.subjects(account, "INBOX") == ["two", "three", "one"]
        assert self.run(account.status("Trash")).uidnext == 2


class ExpungeContract(Ground):
    """What is expunged."""

    def test_expunged_messages_are_gone(self, inbox: Mailbox, three: tuple[int, ...]):
        assert self.run(inbox.expunge([three[1]])) == (three[1],)
        assert [*inbox.columns.uids] == [three[0], three[2]]
        assert inbox.columns.row(three[1]) is None

    def test_it_matters_not_whether_they_are_deleted(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three[:1], "add", normal(["\\Deleted"])))
        self.run(inbox.expunge(three[1:]))
        assert [*inbox.columns.uids] == [three[0]]

    def test_it_is_rung_once_ascending_after_the_columns_are_altered(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        seen, before = [], inbox.columns.highest_modseq
        inbox.watch(lambda change: seen.append((change, [*inbox.columns.uids])))
        assert self.run(inbox.expunge([three[2], three[0], three[2]])) == (three[0], three[2])
        modseq = inbox.columns.highest_modseq
        assert modseq > before
        assert seen == [(EntriesExpunged("INBOX", (three[0], three[2]), modseq), [three[1]])]

    def test_the_others_keep_their_mod_sequence(self, inbox: Mailbox, three: tuple[int, ...]):
        before = entry(inbox, three[1])
        self.run(inbox.expunge(three[:1]))
        assert entry(inbox, three[1]) == before

    def test_messages_that_are_gone_are_not_expunged_again(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.expunge(three[:1]))
        heard, highest = listen(inbox), inbox.columns.highest_modseq
        assert self.run(inbox.expunge([three[0], 9999])) == ()
        assert self.run(inbox.expunge([])) == ()
        assert (heard, inbox.columns.highest_modseq) == ([], highest)

    def test_a_uid_is_never_used_again(self, account: Account, inbox: Mailbox):
        seen = []
        for _ in range(3):
            uids = self.put(account, "INBOX", draft(HELLO), draft(HELLO))
            seen += uids
            self.run(inbox.expunge(uids))
        inbox.close()
        again = self.run(account.open("INBOX"))
        seen += self.put(account, "INBOX", draft(HELLO))
        assert seen == [1, 2, 3, 4, 5, 6, 7]
        assert again.columns.uidnext == 8

    def test_all_of_many_are_expunged_at_once(self, account: Account, inbox: Mailbox):
        uids = self.put(account, "INBOX", *[draft(HELLO)] * 200)
        assert self.run(inbox.expunge(uids[::2])) == uids[::2]
        assert [*inbox.columns.uids] == [*uids[1::2]]
        assert [len(column) for column in (inbox.columns.flags, inbox.columns.sizes)] == [100, 100]

    def test_another_opener_sees_and_hears_what_is_gone(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        other = self.run(account.open("INBOX"))
        heard = listen(other)
        self.run(inbox.expunge(three[:1]))
        assert [*other.columns.uids] == [*three[1:]]
        assert [change.uids for change in heard] == [three[:1]]
