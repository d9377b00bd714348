"""Messages put into mailboxes, and what can be read of them."""

import contextlib
from collections.abc import Callable

import pytest

from tests.contracts.ground import (
    ALICE,
    BOB,
    HELLO,
    BrokenBlob,
    FakeRenderer,
    Ground,
    NotedBlob,
    draft,
    entry,
    listen,
    mail,
    refused,
    rows,
)
from tests.support import StillClock
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.change import Added
from twisted_mail.mail.entry import Contains, Draft, Entry, Piece
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Refused, Unavailable


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
        assert seen == [(Added("INBOX", tuple(rows(inbox))), rows(inbox))]

    def test_the_account_hears_it_too(self, account: Account, inbox: Mailbox):
        heard = listen(account)
        self.put(account, "inbox", draft(mail("one")))
        assert heard == [Added("INBOX", tuple(rows(inbox)))]

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
        [uid] = self.put(account, "INBOX", Draft(message))
        assert self.whole(inbox, uid) == b"Return-Path: <>\r\n" + HELLO
        assert entry(inbox, uid).size == len(HELLO) + 17

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n",
            b"no header, no line end",
            b"\0\xff\x80" * 1000,
            bytes(range(256)).replace(b"\n", b"").replace(b"\r", b"") + b"\r\n",
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
            drafts = [Draft(Message(NotedBlob(f"{name} {n}".encode()))) for n in range(2)]
            with contextlib.suppress(Refused):
                self.run(account.append(name, drafts))
        expected = {b"INBOX 0", b"INBOX 1", b"nothing 0", b"nothing 1"}
        assert {*NotedBlob.closed} == expected

    def test_if_one_cannot_be_read_none_is_appended(self, account: Account, inbox: Mailbox):
        NotedBlob.closed.clear()
        heard = listen(account)
        drafts = [draft(HELLO), Draft(Message(BrokenBlob(b"broken"))), draft(HELLO)]
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
        assert heard == account_heard == [Added("INBOX", tuple(rows(inbox)))]

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

    def test_the_blob_of_a_delivery_is_closed(self, store: Store):
        NotedBlob.closed.clear()
        self.run(store.deliver([ALICE, BOB], Message(NotedBlob(HELLO))))
        assert NotedBlob.closed == [HELLO]

    def test_a_message_that_cannot_be_read_is_delivered_to_nobody(self, store: Store):
        NotedBlob.closed.clear()
        answers = self.run(store.deliver([ALICE, BOB], Message(BrokenBlob(b"broken"))))
        assert [type(answers[name]) for name in (ALICE, BOB)] == [Unavailable, Unavailable]
        assert NotedBlob.closed == [b"broken"]
        for name in (ALICE, BOB):
            account = self.run(store.account(name))
            assert self.run(account.status("INBOX")).messages == 0

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


class ReadContract(Ground):
    """What can be read."""

    def test_ranges_are_those_of_the_wire(self, inbox: Mailbox, account: Account):
        [uid] = self.put(account, "INBOX", draft(HELLO))
        pieces = [
            Piece(uid),
            Piece(uid, 6),
            Piece(uid, 0, 4),
            Piece(uid, 10, 10),
            Piece(uid, 50, 1000),
            Piece(uid, 53),
            Piece(uid, 1000),
            Piece(uid, 1000, 2000),
            Piece(uid, 20, 10),
        ]
        expected = [HELLO[piece.start : piece.stop] for piece in pieces]
        assert list(self.run(inbox.read(pieces))) == expected

    def test_a_range_may_span_the_prefix(self, inbox: Mailbox, account: Account):
        [uid] = self.put(account, "INBOX", Draft(Message(MemoryBlob(HELLO), b"X: y\r\n")))
        assert self.run(inbox.read([Piece(uid, 3, 9)])) == [b"y\r\nFro"]

    def test_a_large_message_is_read_in_ranges(self, inbox: Mailbox, account: Account):
        data = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000
        [uid] = self.put(account, "INBOX", draft(data))
        starts = range(0, len(data), PIECE)
        found = [self.run(inbox.read([Piece(uid, at, at + PIECE)]))[0] for at in starts]
        assert b"".join(piece or b"" for piece in found) == data

    def test_answers_come_in_the_order_asked(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, _ = three
        answers = self.run(inbox.read([Piece(two, 0, 12), Piece(one, 0, 12), Piece(two, 9, 12)]))
        assert list(answers) == [b"Subject: two", b"Subject: one", b"two"]

    def test_messages_that_are_gone_read_as_none(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, _ = three
        self.run(inbox.expunge([one]))
        assert list(self.run(inbox.read([Piece(one), Piece(two), Piece(9999)]))) == [
            None,
            mail("two"),
            None,
        ]
        items = self.run(inbox.items([9999, two, one]))
        assert [item and item.header_size for item in items] == [None, 16, None]

    def test_nothing_asked_is_nothing_answered(self, inbox: Mailbox):
        assert list(self.run(inbox.read([]))) == []
        assert list(self.run(inbox.items([]))) == []

    def test_items_are_what_the_renderer_made(
        self, inbox: Mailbox, three: tuple[int, ...], render: FakeRenderer
    ):
        expected = [render(mail("three")), render(mail("one"))]
        assert list(self.run(inbox.items([three[2], three[0]]))) == expected

    def test_items_are_rendered_once(
        self, inbox: Mailbox, three: tuple[int, ...], render: FakeRenderer
    ):
        first = list(self.run(inbox.items(three)))
        made = len(render.rendered)
        assert list(self.run(inbox.items(three))) == first
        assert len(render.rendered) == made

    def test_no_item_is_rendered_on_the_delivery_path(
        self, store: Store, account: Account, render: FakeRenderer
    ):
        self.put(account, "INBOX", draft(HELLO))
        self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO))))
        assert render.rendered == []

    def test_messages_that_hold_a_substring_are_found(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, three_ = three
        asked = [
            (Contains("text", "THIS IS T"), {two, three_}),
            (Contains("body", "subject"), set()),
            (Contains("body", "this is one"), {one}),
            (Contains("header", "WO", "subject"), {two}),
            (Contains("header", "", "Subject"), {one, two, three_}),
            (Contains("header", "", "X-None"), set()),
        ]
        for what, expected in asked:
            assert self.run(inbox.matching(three, what)) == expected

    def test_only_messages_asked_for_are_found(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, _ = three
        self.run(inbox.expunge([two]))
        found = self.run(inbox.matching([9999, two, one], Contains("text", "this is")))
        assert found == {one}

    def test_two_who_have_a_mailbox_open_see_the_same_columns(
        self, account: Account, inbox: Mailbox
    ):
        other = self.run(account.open("inbox"))
        self.put(account, "INBOX", draft(HELLO))
        assert other.columns is inbox.columns
        assert other.uidvalidity == inbox.uidvalidity
        assert rows(other) == rows(inbox)
        other.close()
        assert len(inbox.columns) == 1

    def test_a_mailbox_opened_later_sees_what_is_there(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.mark(three[:1], "add", frozenset({"\\Seen", "$Work"})))
        before = rows(inbox), inbox.uidvalidity, inbox.columns.uidnext
        highest = inbox.columns.highest_modseq
        inbox.close()
        again = self.run(account.open("INBOX"))
        assert (rows(again), again.uidvalidity, again.columns.uidnext) == before
        assert again.columns.highest_modseq == highest
        assert [self.whole(again, uid) for uid in three] == [
            mail("one"),
            mail("two"),
            mail("three"),
        ]

    def test_closing_ends_the_watches_of_this_opener_only(self, account: Account, inbox: Mailbox):
        other = self.run(account.open("INBOX"))
        mine, others = listen(inbox), listen(other)
        inbox.close()
        inbox.close()
        self.put(account, "INBOX", draft(HELLO))
        assert (len(mine), len(others)) == (0, 1)

    def test_a_watch_that_was_ended_hears_nothing(self, account: Account, inbox: Mailbox):
        heard = []
        end = inbox.watch(heard.append)
        self.put(account, "INBOX", draft(HELLO))
        end()
        end()
        self.put(account, "INBOX", draft(HELLO))
        assert len(heard) == 1

    def test_refresh_finds_nothing_where_nobody_else_came(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        heard, before = listen(inbox), rows(inbox)
        self.run(inbox.refresh())
        assert (heard, rows(inbox)) == ([], before)


class StatusContract(Ground):
    r"""The counts, and what is ``\Recent``."""

    def test_status_counts(self, account: Account, inbox: Mailbox):
        self.put(
            account,
            "INBOX",
            draft(mail("one"), "\\Seen"),
            draft(mail("two"), "\\Deleted"),
            draft(mail("three"), "\\Seen", "\\Deleted", "$Work"),
            draft(mail("four")),
        )
        status = self.run(account.status("INBOX"))
        assert (status.messages, status.unseen, status.deleted) == (4, 2, 2)
        assert status.size == sum(inbox.columns.sizes)
        assert (status.uidnext, status.uidvalidity) == (5, inbox.uidvalidity)
        assert status.highest_modseq == inbox.columns.highest_modseq

    def test_status_follows_what_happens(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.mark(three[:2], "add", frozenset({"\\Seen", "\\Deleted"})))
        status = self.run(account.status("INBOX"))
        assert (status.messages, status.unseen, status.deleted) == (3, 1, 2)
        self.run(inbox.expunge(three[:2]))
        status = self.run(account.status("INBOX"))
        assert (status.messages, status.unseen, status.deleted) == (1, 1, 0)
        assert status.size == len(mail("three"))
        assert status.uidnext == 4
        assert status.highest_modseq == inbox.columns.highest_modseq

    def test_status_is_the_same_open_or_not(self, account: Account):
        self.put(account, "Sent", draft(mail("one")), draft(mail("two"), "\\Seen"))
        before = self.run(account.status("Sent"))
        mailbox = self.run(account.open("Sent"))
        assert self.run(account.status("Sent")) == before
        mailbox.close()
        assert self.run(account.status("Sent")) == before

    def test_new_messages_are_recent_until_claimed(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        assert self.run(account.status("INBOX")).recent == 3
        assert inbox.claim_recent() <= three[0]
        assert self.run(account.status("INBOX")).recent == 0

    def test_only_one_session_is_told_of_a_recent_message(self, account: Account, inbox: Mailbox):
        other = self.run(account.open("INBOX"))
        self.put(account, "INBOX", draft(HELLO))
        assert inbox.claim_recent() <= 1
        assert other.claim_recent() == 2
        [uid] = self.put(account, "INBOX", draft(HELLO))
        assert self.run(account.status("INBOX")).recent == 1
        assert other.claim_recent() == uid
        assert inbox.claim_recent() == uid + 1

    def test_status_claims_nothing(self, account: Account, inbox: Mailbox):
        self.put(account, "INBOX", draft(HELLO))
        self.run(account.status("INBOX"))
        assert inbox.claim_recent() <= 1

    def test_an_expunged_message_is_not_recent(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.expunge(three[1:]))
        assert self.run(account.status("INBOX")).recent == 1

    def test_copies_are_recent(self, account: Account, inbox: Mailbox, three: tuple[int, ...]):
        inbox.claim_recent()
        self.run(inbox.copy(three[:2], "Sent"))
        assert self.run(account.status("Sent")).recent == 2
