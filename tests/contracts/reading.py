"""What can be read of messages, and the counts."""

from tests.contracts.ground import (
    ALICE,
    HELLO,
    FakeRenderer,
    Ground,
    draft,
    listen,
    mail,
    rows,
)
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.entry import Contains, MessageRange, NewMessage
from twisted_mail.mail.message import PIECE, MemoryBlob, Message


class ReadContract(Ground):
    """What can be read."""

    def test_ranges_are_those_of_the_wire(self, inbox: Mailbox, account: Account):
        [uid] = self.put(account, "INBOX", draft(HELLO))
        pieces = [
            MessageRange(uid),
            MessageRange(uid, 6),
            MessageRange(uid, 0, 4),
            MessageRange(uid, 10, 10),
            MessageRange(uid, 50, 1000),
            MessageRange(uid, 53),
            MessageRange(uid, 1000),
            MessageRange(uid, 1000, 2000),
            MessageRange(uid, 20, 10),
        ]
        expected = [HELLO[piece.start : piece.stop] for piece in pieces]
        assert list(self.run(inbox.read(pieces))) == expected

    def test_a_range_may_span_the_prefix(self, inbox: Mailbox, account: Account):
        [uid] = self.put(account, "INBOX", NewMessage(Message(MemoryBlob(HELLO), b"X: y\r\n")))
        assert self.run(inbox.read([MessageRange(uid, 3, 9)])) == [b"y\r\nFro"]

    def test_a_large_message_is_read_in_ranges(self, inbox: Mailbox, account: Account):
        data = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000
        [uid] = self.put(account, "INBOX", draft(data))
        starts = range(0, len(data), PIECE)
        found = [self.run(inbox.read([MessageRange(uid, at, at + PIECE)]))[0] for at in starts]
        assert b"".join(piece or b"" for piece in found) == data

    def test_answers_come_in_the_order_asked(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, _ = three
        answers = self.run(
            inbox.read(
                [MessageRange(two, 0, 12), MessageRange(one, 0, 12), MessageRange(two, 9, 12)]
            )
        )
        assert list(answers) == [b"Subject: two", b"Subject: one", b"two"]

    def test_messages_that_are_gone_read_as_none(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, _ = three
        self.run(inbox.expunge([one]))
        assert list(
            self.run(inbox.read([MessageRange(one), MessageRange(two), MessageRange(9999)]))
        ) == [
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
        for session in (inbox, other):
            self.run(session.take_recent())
        for _ in range(3):
            [uid] = self.put(account, "INBOX", draft(HELLO))
            assert {inbox.claim_recent(), other.claim_recent()} == {uid, uid + 1}

    def test_a_message_is_recent_until_a_session_is_told_of_it(
        self, account: Account, inbox: Mailbox
    ):
        [uid] = self.put(account, "INBOX", draft(HELLO))
        assert self.run(account.status("INBOX")).recent == 1
        assert self.run(inbox.take_recent()) <= uid
        other = self.run(account.open("INBOX"))
        assert self.run(other.take_recent()) == uid + 1
        assert self.run(account.status("INBOX")).recent == 0

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
