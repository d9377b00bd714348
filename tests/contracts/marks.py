"""Flags altered, conditions on their mod-sequence, and keywords."""

import pytest

from tests.contracts.ground import (
    HELLO,
    Ground,
    draft,
    entry,
    flags_of,
    listen,
    refused,
    rows,
)
from twisted_mail.interfaces import Account, Mailbox
from twisted_mail.mail.mailbox.change import FlagsChanged
from twisted_mail.mail.mailbox.flags import MAX_KEYWORDS, SYSTEM, normal

SEEN, FLAGGED, BOTH = (
    frozenset({"\\Seen"}),
    frozenset({"\\Flagged"}),
    frozenset({"\\Seen", "\\Flagged"}),
)


class MarkContract(Ground):
    """What is marked."""

    def test_flags_are_added_removed_and_set(self, inbox: Mailbox, three: tuple[int, ...]):
        one, two, last = three
        self.run(inbox.mark([one, two], "add", SEEN))
        self.run(inbox.mark([one], "add", FLAGGED))
        self.run(inbox.mark([two, last], "set", frozenset({"\\Draft"})))
        self.run(inbox.mark([one], "remove", SEEN))
        assert flags_of(inbox) == [{"\\Flagged"}, {"\\Draft"}, {"\\Draft"}]

    def test_every_system_flag_is_kept(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three, "set", frozenset(SYSTEM)))
        assert flags_of(inbox) == [{*SYSTEM}] * 3
        self.run(inbox.mark(three, "set", frozenset()))
        assert flags_of(inbox) == [set()] * 3

    def test_marks_are_rung_once_ascending_after_the_columns_are_altered(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        seen = []
        inbox.watch(lambda change: seen.append((change, flags_of(inbox))))
        before = inbox.columns.highest_modseq
        self.run(inbox.mark([three[2], three[0], three[2]], "add", SEEN))
        modseq = inbox.columns.highest_modseq
        assert modseq > before
        marks = ((three[0], SEEN, modseq), (three[2], SEEN, modseq))
        assert seen == [(FlagsChanged("INBOX", marks), [{"\\Seen"}, set(), {"\\Seen"}])]

    def test_a_mark_tells_all_flags_a_message_has_now(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three, "add", SEEN))
        heard = listen(inbox)
        self.run(inbox.mark(three[:1], "add", FLAGGED))
        assert [flags for _, flags, _ in heard[0].marks] == [BOTH]

    def test_marked_messages_have_the_new_mod_sequence_and_the_others_their_own(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        before = entry(inbox, three[2]).modseq
        self.run(inbox.mark(three[:2], "add", SEEN))
        highest = inbox.columns.highest_modseq
        assert [row.modseq for row in rows(inbox)] == [highest, highest, before]

    def test_what_is_so_already_is_not_altered_and_not_rung(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.mark(three, "set", SEEN))
        heard, before, highest = listen(inbox), rows(inbox), inbox.columns.highest_modseq
        for how, flags in (("add", SEEN), ("set", SEEN), ("remove", FLAGGED), ("add", frozenset())):
            assert self.run(inbox.mark(three, how, flags)) == ()
        assert (heard, rows(inbox), inbox.columns.highest_modseq) == ([], before, highest)

    def test_only_what_is_altered_is_rung(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three[:1], "add", SEEN))
        heard = listen(inbox)
        self.run(inbox.mark(three, "add", SEEN))
        assert [uid for uid, _, _ in heard[0].marks] == [*three[1:]]

    def test_messages_that_are_gone_are_not_marked(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.expunge(three[:1]))
        heard = listen(inbox)
        assert self.run(inbox.mark([*three[:2], 9999], "add", SEEN)) == ()
        assert [uid for uid, _, _ in heard[0].marks] == [three[1]]
        assert self.run(inbox.mark([three[0], 9999], "add", FLAGGED)) == ()
        assert len(heard) == 1

    def test_no_message_no_mark(self, inbox: Mailbox):
        heard = listen(inbox)
        assert self.run(inbox.mark([], "set", SEEN)) == ()
        assert heard == []

    def test_recent_cannot_be_marked(self, inbox: Mailbox, three: tuple[int, ...]):
        heard = listen(inbox)
        self.run(inbox.mark(three, "add", frozenset({"\\Recent"})))
        assert (flags_of(inbox), heard) == ([set()] * 3, [])
        self.run(inbox.mark(three, "set", frozenset({"\\Recent", "\\Seen"})))
        assert flags_of(inbox) == [{"\\Seen"}] * 3

    @pytest.mark.parametrize("name", ["\\Nonsense", "two words", "(", "", "x" * 101, "ä", "a%"])
    def test_a_flag_that_no_message_can_have_is_refused(
        self, inbox: Mailbox, three: tuple[int, ...], name: str
    ):
        for how in ("add", "set"):
            with refused("CANNOT"):
                self.run(inbox.mark(three, how, frozenset({"\\Seen", name})))
        assert flags_of(inbox) == [set()] * 3

    def test_another_opener_sees_and_hears_marks(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        other = self.run(account.open("INBOX"))
        heard = listen(other)
        self.run(inbox.mark(three[:1], "add", SEEN))
        assert flags_of(other) == [{"\\Seen"}, set(), set()]
        assert [change.marks[0][:2] for change in heard] == [(three[0], SEEN)]

    def test_ten_thousand_messages_are_marked_at_once(self, account: Account, inbox: Mailbox):
        uids = self.put(account, "INBOX", *[draft(HELLO)] * 200)
        heard = listen(inbox)
        self.run(inbox.mark(range(1, 10_000), "add", SEEN))
        assert [uid for uid, _, _ in heard[0].marks] == [*uids]


class ConditionContract(Ground):
    """What is marked only if nobody changed it (RFC 7162 §3.1.3)."""

    def test_messages_changed_since_are_refused_and_the_others_marked(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        since = inbox.columns.highest_modseq
        self.run(inbox.mark(three[1:2], "add", SEEN))
        assert self.run(inbox.mark(three, "add", FLAGGED, since)) == (three[1],)
        assert flags_of(inbox) == [{"\\Flagged"}, {"\\Seen"}, {"\\Flagged"}]

    def test_refused_messages_come_ascending(self, inbox: Mailbox, three: tuple[int, ...]):
        assert self.run(inbox.mark(three[::-1], "add", SEEN, 0)) == three
        assert flags_of(inbox) == [set()] * 3

    def test_nothing_is_rung_when_all_are_refused(self, inbox: Mailbox, three: tuple[int, ...]):
        heard, before = listen(inbox), rows(inbox)
        self.run(inbox.mark(three, "add", SEEN, 0))
        assert (heard, rows(inbox)) == ([], before)

    def test_the_present_mod_sequence_passes(self, inbox: Mailbox, three: tuple[int, ...]):
        now = entry(inbox, three[0]).modseq
        assert self.run(inbox.mark(three[:1], "add", SEEN, now)) == ()
        assert self.run(inbox.mark(three[:1], "add", FLAGGED, now)) == (three[0],)
        later = entry(inbox, three[0]).modseq
        assert self.run(inbox.mark(three[:1], "add", FLAGGED, later)) == ()

    def test_a_very_large_number_passes(self, inbox: Mailbox, three: tuple[int, ...]):
        assert self.run(inbox.mark(three, "add", SEEN, 2**63 - 1)) == ()
        assert flags_of(inbox) == [{"\\Seen"}] * 3

    def test_messages_that_are_gone_are_not_refused(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.expunge(three[:1]))
        assert self.run(inbox.mark([three[0], 9999], "add", SEEN, 0)) == ()

    def test_what_is_so_already_is_refused_too_when_changed_since(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        since = inbox.columns.highest_modseq
        self.run(inbox.mark(three, "add", SEEN))
        assert self.run(inbox.mark(three, "add", SEEN, since)) == three


class KeywordContract(Ground):
    """Flags that people invent."""

    def test_keywords_are_kept_beside_system_flags(self, inbox: Mailbox, three: tuple[int, ...]):
        names = {"\\Seen", "$Junk", "NonJunk", "$label1", "a.b-c_d/e~f", "0", "x" * 100}
        self.run(inbox.mark(three[:1], "add", normal(names)))
        assert flags_of(inbox) == [names, set(), set()]

    def test_keywords_in_use_are_told(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three[:1], "add", normal(["$Junk", "\\Seen"])))
        self.run(inbox.mark(three[1:], "add", normal(["work"])))
        assert {*inbox.keywords} == {"$Junk", "work"}

    def test_keywords_of_appended_messages_are_told(self, account: Account, inbox: Mailbox):
        self.put(account, "INBOX", draft(HELLO, "$Forwarded"))
        assert "$Forwarded" in inbox.keywords

    def test_a_keyword_is_spelled_as_it_was_first(self, account: Account, inbox: Mailbox):
        [one] = self.put(account, "INBOX", draft(HELLO, "$Junk"))
        [two] = self.put(account, "INBOX", draft(HELLO, "$JUNK"))
        [last] = self.put(account, "INBOX", draft(HELLO))
        self.run(inbox.mark([last], "add", normal(["$junk"])))
        assert flags_of(inbox, [one, two, last]) == [{"$Junk"}] * 3
        assert list(inbox.keywords) == ["$Junk"]

    def test_a_keyword_is_removed_in_any_case(self, account: Account, inbox: Mailbox):
        self.put(account, "INBOX", draft(HELLO, "$Junk", "\\Seen"))
        self.run(inbox.mark([1], "remove", normal(["$jUNK"])))
        assert flags_of(inbox) == [{"\\Seen"}]

    def test_two_spellings_at_once_are_one_keyword(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.mark(three[:1], "set", normal(["work", "WORK", "Work"])))
        assert [len(flags) for flags in flags_of(inbox)] == [1, 0, 0]

    def test_removing_an_unknown_keyword_changes_nothing(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        heard = listen(inbox)
        self.run(inbox.mark(three, "remove", normal(["unknown"])))
        assert (heard, list(inbox.keywords)) == ([], [])

    def test_keywords_go_along_with_copies(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.run(inbox.mark(three[:1], "add", normal(["$Work"])))
        self.run(inbox.copy(three[:1], "Sent"))
        sent = self.run(account.open("Sent"))
        assert flags_of(sent) == [{"$Work"}]
        assert "$Work" in sent.keywords

    def test_the_target_spells_keywords_its_own_way(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self.put(account, "Sent", draft(HELLO, "$WORK"))
        self.run(inbox.mark(three[:1], "add", normal(["$Work"])))
        self.run(inbox.move(three[:1], "Sent"))
        assert flags_of(self.run(account.open("Sent"))) == [{"$WORK"}] * 2

    def test_there_is_room_for_keywords_at_first(self, inbox: Mailbox):
        assert inbox.may_add_keywords
        assert list(inbox.keywords) == []

    def test_a_keyword_too_many_is_refused_and_nothing_altered(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self._fill(account, inbox)
        assert not inbox.may_add_keywords
        before, heard = rows(inbox), listen(inbox)
        for how in ("add", "set"):
            with refused("LIMIT"):
                self.run(inbox.mark(three, how, normal(["one-too-many", "\\Seen"])))
        with refused("LIMIT"):
            self.put(account, "INBOX", draft(HELLO), draft(HELLO, "one-too-many"))
        assert (rows(inbox), heard) == (before, [])

    def test_known_keywords_are_taken_when_there_is_no_room_for_new_ones(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self._fill(account, inbox)
        self.run(inbox.mark(three[1:], "add", normal(["K1", "\\Seen"])))
        assert flags_of(inbox, three[1:]) == [{"k1", "\\Seen"}] * 2

    def test_a_copy_with_a_keyword_too_many_is_refused(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        self._fill(account, self.run(account.open("Sent")))
        there = self.run(account.status("Sent")).messages
        self.run(inbox.mark(three[:1], "add", normal(["one-too-many"])))
        for attempt in (inbox.copy, inbox.move):
            with refused("LIMIT"):
                self.run(attempt(three, "Sent"))
        assert self.run(account.status("Sent")).messages == there
        assert self.run(account.status("INBOX")).messages == 3

    def _fill(self, account: Account, mailbox: Mailbox) -> None:
        """Give messages, which come to the mailbox, as many keywords as it can have."""
        if self.keyword_limit is None:
            pytest.skip("this store has no known limit of keywords")
        names = [f"k{n}" for n in range(self.keyword_limit)]
        for start in range(0, len(names), MAX_KEYWORDS):
            part = names[start : start + MAX_KEYWORDS]
            self.put(account, mailbox.name, draft(HELLO, *part))

    def test_a_message_has_at_most_a_hundred_keywords(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        most = [f"k{n}" for n in range(MAX_KEYWORDS)]
        self.run(inbox.mark(three[:1], "set", normal([*most, *SYSTEM])))
        before, heard, known = rows(inbox), listen(inbox), list(inbox.keywords)
        with refused("LIMIT"):
            self.run(inbox.mark(three, "add", normal(["one-too-many"])))
        with refused("LIMIT"):
            self.run(inbox.mark(three[1:], "set", normal([*most, "one-too-many"])))
        with refused("LIMIT"):
            self.put(account, "INBOX", draft(HELLO), draft(HELLO, *most, "one-too-many"))
        assert (rows(inbox), heard, list(inbox.keywords)) == (before, [], known)

    def test_other_flags_of_a_message_with_a_hundred_keywords_can_be_altered(
        self, inbox: Mailbox, three: tuple[int, ...]
    ):
        most = normal([f"k{n}" for n in range(MAX_KEYWORDS)])
        self.run(inbox.mark(three[:1], "set", most))
        self.run(inbox.mark(three, "add", SEEN))
        self.run(inbox.mark(three, "add", normal(["K1"])))
        self.run(inbox.mark(three, "remove", normal(["k2", *[f"x{n}" for n in range(200)]])))
        self.run(inbox.mark(three, "add", normal(["another"])))
        assert flags_of(inbox, three[:1]) == [(most | SEEN | {"another"}) - {"k2"}]
