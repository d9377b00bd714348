"""Messages put into mailboxes, by clients and by delivery."""

import contextlib
from collections.abc import Callable

import pytest

from tests.contracts.ground import (
    ALICE,
    BOB,
    HELLO,
    BrokenBlob,
    Ground,
    NotedBlob,
    draft,
    entry,
    listen,
    mail,
    refused,
    rows,
)
from twisted_mail.delivery.quarantine import quarantine
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.change import EntriesAdded
from twisted_mail.mail.mailbox.entry import Entry, NewMessage
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import StillClock


class AppendContract(Ground):
    """What is appended and delivered."""

    def test_an_appended_message_is_there(self, account: Account, inbox: Mailbox):
        copied = self.run(account.append("INBOX", [draft(HELLO)]))
        assert copied.uidvalidity == inbox.uidvalidity
        assert copied.sources == ()
        assert list(inbox.columns.uids) == list(copied.targets)
        assert self.whole(inbox, copied.targets[0]) == HELLO

    def test_uids_begin_at_one_and_follow_the_order_of_the_drafts(
        self, account: Account, inbox: Mailbox
    ):
        uids = self.put(account, "INBOX", *(draft(mail(str(n))) for n in range(5)))
        assert uids == (1, 2, 3, 4, 5)
        assert [self.whole(inbox, uid) for uid in uids] == [mail(str(n)) for n in range(5)]

    def test_what_is_appended_is_rung_once_after_the_columns_are_altered(
        self, account: Account, inbox: Mailbox
    ):
        seen = []
        inbox.watch(lambda change: seen.append((change, rows(inbox))))
        self.put(account, "INBOX", draft(mail("one"), "\\Seen"), draft(mail("two")))
        assert seen == [(EntriesAdded("INBOX", tuple(rows(inbox))), rows(inbox))]

    def test_the_account_hears_it_too(self, account: Account, inbox: Mailbox):
        heard = listen(account)
        self.put(account, "inbox", draft(mail("one")))
        assert heard == [EntriesAdded("INBOX", tuple(rows(inbox)))]

    def test_who_watches_another_mailbox_does_not_hear_it(self, account: Account):
        heard = listen(self.run(account.open("Sent")))
        self.put(account, "INBOX", draft(mail("one")))
        assert heard == []

    def test_an_entry_says_flags_date_and_size(self, account: Account, inbox: Mailbox):
        [uid] = self.put(account, "INBOX", draft(HELLO, "\\seen", "$Work", date=1234567890))
        found = entry(inbox, uid)
        assert found == Entry(uid, frozenset({"\\Seen", "$Work"}), found.modseq, 1234567890, 53)

    def test_a_date_before_1970_is_kept(self, account: Account, inbox: Mailbox):
        [uid] = self.put(account, "INBOX", draft(HELLO, date=-86400))
        assert entry(inbox, uid).date == -86400

    def test_without_a_date_it_is_now(self, account: Account, inbox: Mailbox, clock: StillClock):
        clock.seconds = 1_200_000_000.75
        [uid] = self.put(account, "INBOX", draft(HELLO))
        assert entry(inbox, uid).date == 1_200_000_000

    def test_recent_is_not_stored(self, account: Account, inbox: Mailbox):
        [uid] = self.put(account, "INBOX", draft(HELLO, "\\Recent", "\\Draft"))
        assert entry(inbox, uid).flags == {"\\Draft"}

    def test_the_prefix_comes_first_and_counts(self, account: Account, inbox: Mailbox):
        message = Message(MemoryBlob(HELLO), b"Return-Path: <>\r\n")
        [uid] = self.put(account, "INBOX", NewMessage(message))
        assert self.whole(inbox, uid) == b"Return-Path: <>\r\n" + HELLO
        assert entry(inbox, uid).size == len(HELLO) + 17

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n",
            b"no header, no line end",
            b"\x01\xff\x80" * 1000,
            bytes(range(1, 256)).replace(b"\n", b"").replace(b"\r", b"") + b"\r\n",
            b"x" * (PIECE + 1) + b"\r\n",
            b"From someone\r\n\r\n.\r\n..\r\n",
            b"Subject: x\r\n\r\n" + b"line\r\n" * 10_000,
        ],
        ids=["empty", "CRLF", "text", "binary", "octets", "long line", "dots", "lines"],
    )
    def test_bytes_are_kept_as_they_came(self, account: Account, inbox: Mailbox, data: bytes):
        [uid] = self.put(account, "INBOX", draft(data))
        assert self.whole(inbox, uid) == data
        assert entry(inbox, uid).size == len(data)

    def test_nul_is_served_as_another_octet(self, account: Account, inbox: Mailbox):
        [uid] = self.put(account, "INBOX", draft(b"Subject: \0\r\n\r\n\0\0x\r\n"))
        expected = b"Subject: \x80\r\n\r\n\x80\x80x\r\n"
        assert self.whole(inbox, uid) == expected
        assert entry(inbox, uid).size == len(expected)

    def test_the_same_bytes_twice_are_two_messages(self, account: Account, inbox: Mailbox):
        uids = self.put(account, "INBOX", draft(HELLO), draft(HELLO))
        self.run(inbox.expunge(uids[:1]))
        assert self.whole(inbox, uids[1]) == HELLO

    def test_nothing_appended_changes_nothing(self, account: Account, inbox: Mailbox):
        heard, before = listen(inbox), inbox.columns.highest_modseq
        copied = self.run(account.append("INBOX", []))
        assert (copied.targets, heard) == ((), [])
        assert inbox.columns.highest_modseq == before

    def test_the_mod_sequence_rises_with_each_call(self, account: Account, inbox: Mailbox):
        seen = [inbox.columns.highest_modseq]
        for _ in range(3):
            [uid] = self.put(account, "INBOX", draft(HELLO))
            assert entry(inbox, uid).modseq == inbox.columns.highest_modseq
            seen.append(inbox.columns.highest_modseq)
        assert seen == sorted({*seen})

    def test_an_unknown_mailbox_asks_to_be_created(self, account: Account):
        with refused("TRYCREATE"):
            self.put(account, "nothing", draft(HELLO))

    def test_a_mailbox_that_cannot_be_does_not_ask_to_be_created(self, account: Account):
        for name in ("", "a//b", "a\0"):
            with refused("CANNOT"):
                self.put(account, name, draft(HELLO))

    def test_a_flag_that_no_message_can_have_is_not_appended(
        self, account: Account, inbox: Mailbox
    ):
        with refused("CANNOT"):
            self.put(account, "INBOX", draft(HELLO), draft(HELLO, "\\Nonsense"))
        assert len(inbox.columns) == 0

    def test_blobs_are_closed_whatever_happens(self, account: Account):
        NotedBlob.closed.clear()
        for name in ("INBOX", "nothing"):
            drafts = [NewMessage(Message(NotedBlob(f"{name} {n}".encode()))) for n in range(2)]
            with contextlib.suppress(Refused):
                self.run(account.append(name, drafts))
        expected = {b"INBOX 0", b"INBOX 1", b"nothing 0", b"nothing 1"}
        assert {*NotedBlob.closed} == expected

    def test_if_one_cannot_be_read_none_is_appended(self, account: Account, inbox: Mailbox):
        NotedBlob.closed.clear()
        heard = listen(account)
        drafts = [draft(HELLO), NewMessage(Message(BrokenBlob(b"broken"))), draft(HELLO)]
        with pytest.raises(Unavailable):
            self.run(account.append("INBOX", drafts))
        assert (rows(inbox), heard, NotedBlob.closed) == ([], [], [b"broken"])
        assert self.put(account, "INBOX", draft(HELLO))
        assert len(inbox.columns) == 1

    def test_over_quota_none_is_appended(self, make_store: Callable[..., Store]):
        account = self._narrow(make_store)
        heard = listen(account)
        with refused("OVERQUOTA"):
            self.put(account, "INBOX", *[draft(HELLO)] * 4)
        assert self.run(account.status("INBOX")).messages == 0
        assert heard == []

    def test_what_fits_the_quota_is_appended(self, make_store: Callable[..., Store]):
        account = self._narrow(make_store)
        self.put(account, "INBOX", *[draft(HELLO)] * 2)
        self.put(account, "Sent", draft(HELLO))
        with refused("OVERQUOTA"):
            self.put(account, "Sent", draft(HELLO))

    def test_what_is_expunged_or_deleted_is_room_again(self, make_store: Callable[..., Store]):
        account = self._narrow(make_store)
        uids = self.put(account, "INBOX", *[draft(HELLO)] * 2)
        self.put(account, "Sent", draft(HELLO))
        self.run(self.run(account.open("INBOX")).expunge(uids[:1]))
        self.put(account, "INBOX", draft(HELLO))
        self.run(account.delete("Sent"))
        self.put(account, "INBOX", draft(HELLO))

    def _narrow(self, make_store: Callable[..., Store]) -> Account:
        """Return an account that has room for three messages."""
        if not self.has_quota:
            pytest.skip("this store has no quota")
        return self.run(make_store(quota=3 * len(HELLO)).account(ALICE))

    def test_a_message_is_delivered_to_several_inboxes(self, store: Store):
        message = Message(MemoryBlob(HELLO), b"Return-Path: <>\r\n")
        assert self.run(store.deliver([ALICE, BOB], message)) == {ALICE: None, BOB: None}
        for name in (ALICE, BOB):
            inbox = self.run(self.run(store.account(name)).open("INBOX"))
            assert [self.whole(inbox, uid) for uid in inbox.columns.uids] == [
                b"Return-Path: <>\r\n" + HELLO
            ]
            assert [row.flags for row in rows(inbox)] == [frozenset()]

    def test_a_delivery_is_rung(self, store: Store, account: Account, inbox: Mailbox):
        heard, account_heard = listen(inbox), listen(account)
        self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO))))
        assert heard == account_heard == [EntriesAdded("INBOX", tuple(rows(inbox)))]

    def test_an_inbox_named_twice_gets_one_copy(self, store: Store, inbox: Mailbox):
        assert self.run(store.deliver([ALICE, ALICE], Message(MemoryBlob(HELLO)))) == {ALICE: None}
        assert len(inbox.columns) == 1

    def test_the_copies_are_independent(self, store: Store, inbox: Mailbox):
        self.run(store.deliver([ALICE, BOB], Message(MemoryBlob(HELLO))))
        self.run(inbox.mark(inbox.columns.uids, "add", frozenset({"\\Seen"})))
        self.run(inbox.expunge(inbox.columns.uids))
        other = self.run(self.run(store.account(BOB)).open("INBOX"))
        assert self.whole(other, other.columns.uids[0]) == HELLO
        assert rows(other)[0].flags == frozenset()

    def test_a_delivery_is_dated_now(self, store: Store, inbox: Mailbox, clock: StillClock):
        clock.seconds = 1_200_000_000
        self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO))))
        assert rows(inbox)[0].date == 1_200_000_000

    def test_the_blob_of_a_delivery_stays_open(self, store: Store):
        NotedBlob.closed.clear()
        self.run(store.deliver([ALICE, BOB], Message(NotedBlob(HELLO))))
        assert NotedBlob.closed == []

    def test_a_message_that_cannot_be_read_is_delivered_to_nobody(self, store: Store):
        answers = self.run(store.deliver([ALICE, BOB], Message(BrokenBlob(b"broken"))))
        assert [type(answers[name]) for name in (ALICE, BOB)] == [Unavailable, Unavailable]
        for name in (ALICE, BOB):
            account = self.run(store.account(name))
            assert self.run(account.status("INBOX")).messages == 0

    def test_what_is_quarantined_goes_where_junk_lies(self, store: Store, account: Account):
        NotedBlob.closed.clear()
        message = Message(NotedBlob(HELLO), b"X-Verdict: quarantine (x: y)\r\n")
        self.run(account.rename("Junk", "Filtered"))
        heard = listen(account)
        assert self.run(quarantine(store, [ALICE, BOB, ALICE], message)) == {ALICE: None, BOB: None}
        for name, mailbox in ((ALICE, "Filtered"), (BOB, "Junk")):
            box = self.run(self.run(store.account(name)).open(mailbox))
            assert [self.whole(box, uid) for uid in box.columns.uids] == [
                b"X-Verdict: quarantine (x: y)\r\n" + HELLO
            ]
        assert [change.mailbox for change in heard] == ["Filtered"]
        assert NotedBlob.closed == []

    def test_without_such_a_mailbox_it_goes_into_the_inbox(self, store: Store, account: Account):
        self.run(account.delete("Junk"))
        assert self.run(quarantine(store, [ALICE], Message(MemoryBlob(HELLO)))) == {ALICE: None}
        assert self.run(account.status("INBOX")).messages == 1

    def test_a_full_account_gets_no_junk(self, make_store: Callable[..., Store]):
        self._narrow(make_store)
        store = make_store(quota=3 * len(HELLO))
        self.put(self.run(store.account(ALICE)), "INBOX", *[draft(HELLO)] * 3)
        answers = self.run(quarantine(store, [ALICE, BOB], Message(MemoryBlob(HELLO))))
        assert answers[BOB] is None
        assert isinstance(answers[ALICE], Refused)

    def test_a_message_that_cannot_be_read_is_no_junk_either(self, store: Store):
        answers = self.run(quarantine(store, [ALICE, BOB], Message(BrokenBlob(b"broken"))))
        assert [type(answers[name]) for name in (ALICE, BOB)] == [Unavailable, Unavailable]

    def test_room_is_told_and_not_taken(self, make_store: Callable[..., Store]):
        self._narrow(make_store)
        store = make_store(quota=3 * len(HELLO))
        self.put(self.run(store.account(ALICE)), "Sent", *[draft(HELLO)] * 2)
        for _ in range(3):
            assert self.run(store.check_quota([ALICE, BOB], len(HELLO))) == {ALICE: None, BOB: None}
        answers = self.run(store.check_quota([ALICE, BOB], 2 * len(HELLO)))
        refusal = answers[ALICE]
        assert isinstance(refusal, Refused)
        assert refusal.outcome.enhanced.endswith(".2.2")
        assert answers[BOB] is None
        answers = self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO))))
        assert answers == {ALICE: None}

    def test_a_full_account_does_not_keep_the_others_from_their_mail(
        self, make_store: Callable[..., Store]
    ):
        full = self._narrow(make_store)
        store = make_store(quota=3 * len(HELLO))
        full = self.run(store.account(ALICE))
        self.put(full, "INBOX", *[draft(HELLO)] * 3)
        answers = self.run(store.deliver([ALICE, BOB], Message(MemoryBlob(HELLO))))
        assert answers[BOB] is None
        refusal = answers[ALICE]
        assert isinstance(refusal, Refused)
        assert refusal.condition == "OVERQUOTA"
        assert refusal.outcome.enhanced.endswith(".2.2")
