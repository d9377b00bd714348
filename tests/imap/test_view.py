from array import array

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.imap.talk import ImapFixture
from twisted_mail.imap.view import View
from twisted_mail.mail.mailbox import numbers
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.testing.doubles import finish

SEEN = normal(["\\Seen"])
FLAGGED = normal(["\\Flagged"])


class Ground:
    """A mailbox in memory, a view of it, and another session's hand on it."""

    def __init__(self, count: int = 3) -> None:
        self.imap = ImapFixture()
        for _ in range(count):
            self.imap.put()
        self.box = self.imap.box()
        self.view = View(self.box, self.box.claim_recent(), claims=True)
        self.other = self.imap.box()

    def mark(self, uids: list[int], flags: frozenset[str], how: str = "add") -> None:
        finish(self.other.mark(uids, how, flags))  # type: ignore[arg-type]

    def expunge(self, *uids: int) -> None:
        finish(self.other.expunge(uids))

    def select(self, text: str, is_uid: bool = False) -> list[int]:
        return self.view.select(numbers.parse(text), is_uid)


def test_a_view_begins_with_what_is_there() -> None:
    ground = Ground()
    assert len(ground.view) == 3
    assert ground.view.number(2) == 2
    assert ground.view.number(9) is None
    assert ground.view.recent_count == 3
    assert not ground.view.has_updates
    assert ground.view.updates(may_expunge=True) == []


def test_numbers_select_what_the_client_knows() -> None:
    ground = Ground(5)
    ground.expunge(1)
    assert ground.select("1,3:*") == [1, 3, 4, 5]
    assert ground.select("*:4,2") == [2, 4, 5]
    ground.view.updates(may_expunge=True)
    assert ground.select("1,4") == [2, 5]
    assert ground.select("1:3,99:*", is_uid=True) == [2, 3, 5]


@pytest.mark.parametrize("text", ["4", "1:4", "99"])
def test_numbers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        Ground().select(text)


def test_in_an_empty_mailbox_a_number_is_out_of_range_and_a_uid_is_only_unknown() -> None:
    ground = Ground(0)
    assert ground.select("1:*", is_uid=True) == []
    with pytest.raises(ProtocolError):
        ground.select("*")


def test_new_messages_are_sent_with_exists_and_recent() -> None:
    ground = Ground()
    ground.imap.put()
    assert ground.view.has_updates
    assert ground.view.updates(may_expunge=False) == [b"4 EXISTS", b"4 RECENT"]
    assert ground.view.updates(may_expunge=False) == []


def test_recent_belongs_to_the_first_session_alone() -> None:
    ground = Ground()
    later = View(ground.other, ground.other.claim_recent(), claims=True)
    assert later.recent_count == 0
    ground.imap.put()
    assert ground.view.is_recent(4)
    assert not later.is_recent(4)
    assert later.updates(may_expunge=True) == [b"4 EXISTS", b"0 RECENT"]
    ground.view.close()
    ground.imap.put()
    assert later.updates(may_expunge=True) == [b"5 EXISTS", b"1 RECENT"]


def test_who_only_looks_takes_recent_from_nobody() -> None:
    ground = Ground()
    looking = View(ground.other, 4, claims=False)
    ground.imap.put()
    assert looking.is_recent(4)
    assert ground.view.is_recent(4)


def test_expunged_messages_are_sent_highest_first() -> None:
    ground = Ground(4)
    ground.expunge(1, 3)
    assert ground.view.updates(may_expunge=False) == []
    assert ground.view.updates(may_expunge=True) == [b"3 EXPUNGE", b"1 EXPUNGE", b"2 RECENT"]
    assert ground.view.uids == array("Q", [2, 4])


def test_what_one_client_is_sent_leaves_the_mailbox_and_other_clients_alone() -> None:
    ground = Ground(4)
    other = View(ground.other, 9, claims=False)
    ground.mark([4], SEEN)
    ground.expunge(1, 3)
    ground.imap.put()
    ground.view.updates(may_expunge=True)
    assert list(ground.view.uids) == [2, 4, 5] == list(ground.box.columns.uids)
    assert list(other.uids) == [1, 2, 3, 4]
    assert other.updates(may_expunge=True)[:2] == [b"3 EXPUNGE", b"1 EXPUNGE"]


def test_many_expunged_messages_leave_the_others_in_order() -> None:
    ground = Ground(200)
    ground.expunge(*range(1, 200, 2))
    lines = ground.view.updates(may_expunge=True)
    assert lines[0] == b"199 EXPUNGE"
    assert len(lines) == 101
    assert list(ground.view.uids) == list(range(2, 201, 2))


def test_exists_before_an_expunge_counts_what_the_client_knows() -> None:
    ground = Ground()
    ground.expunge(1)
    ground.imap.put()
    assert ground.view.updates(may_expunge=False) == [b"4 EXISTS", b"4 RECENT"]
    assert ground.view.updates(may_expunge=True) == [b"1 EXPUNGE", b"3 RECENT"]


def test_a_message_that_came_and_went_is_never_sent() -> None:
    ground = Ground()
    ground.imap.put()
    ground.expunge(4)
    assert ground.view.updates(may_expunge=True) == []


def test_flags_altered_by_others_are_sent() -> None:
    ground = Ground()
    ground.mark([1, 3], SEEN)
    assert ground.view.updates(may_expunge=True) == [
        b"1 FETCH (UID 1 FLAGS (\\Seen \\Recent))",
        b"3 FETCH (UID 3 FLAGS (\\Seen \\Recent))",
    ]


def test_flags_that_are_as_they_were_are_not_sent() -> None:
    ground = Ground()
    ground.mark([1], SEEN)
    ground.mark([1], SEEN, "remove")
    assert ground.view.updates(may_expunge=True) == []


def test_numbers_in_flag_news_are_those_after_the_expunge() -> None:
    ground = Ground()
    ground.mark([1, 3], SEEN)
    ground.expunge(1)
    lines = ground.view.updates(may_expunge=True)
    assert lines == [b"1 EXPUNGE", b"2 RECENT", b"2 FETCH (UID 3 FLAGS (\\Seen \\Recent))"]


def test_flag_news_of_a_message_that_is_gone_is_dropped() -> None:
    ground = Ground()
    ground.mark([2], SEEN)
    ground.expunge(2)
    assert ground.view.updates(may_expunge=False) == []


def test_what_a_command_sent_is_not_sent_again() -> None:
    ground = Ground()
    ground.mark([1], SEEN)
    ground.view.note_flags_sent([1, 2])
    assert ground.view.updates(may_expunge=True) == []
    ground.mark([1], SEEN, "remove")
    assert ground.view.updates(may_expunge=True) == [b"1 FETCH (UID 1 FLAGS (\\Recent))"]


def test_of_what_commands_sent_the_rest_is_still_sent() -> None:
    ground = Ground(5)
    ground.mark([1, 2, 3, 4, 5], SEEN)
    ground.expunge(3)
    ground.view.note_flags_sent([1, 2])
    ground.view.note_flags_sent([3, 4])
    assert ground.view.updates(may_expunge=True)[2:] == [
        b"4 FETCH (UID 5 FLAGS (\\Seen \\Recent))",
    ]


def test_a_silent_store_is_not_sent() -> None:
    for how in ("add", "set", "remove"):
        ground = Ground()
        ground.mark([1], SEEN if how == "remove" else FLAGGED)
        ground.view.updates(may_expunge=True)
        ground.mark([1], SEEN, how)
        ground.view.note_silent_store([1], how, SEEN)
        assert ground.view.updates(may_expunge=True) == []


def test_a_silent_store_does_not_hide_what_others_did() -> None:
    ground = Ground()
    ground.mark([1], FLAGGED)
    ground.mark([1], SEEN)
    ground.view.note_silent_store([1, 9], "add", SEEN)
    [line] = ground.view.updates(may_expunge=True)
    assert line == b"1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent))"


def test_new_keywords_are_sent_before_they_are_used() -> None:
    ground = Ground(1)
    ground.mark([1], normal(["$Junk"]))
    lines = ground.view.updates(may_expunge=True)
    assert lines[0] == b"FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Junk)"
    assert lines[1].startswith(b"OK [PERMANENTFLAGS (\\Answered")
    assert lines[2] == b"1 FETCH (UID 1 FLAGS (\\Recent $Junk))"


def test_a_reader_is_sent_new_keywords_and_may_not_set_them() -> None:
    ground = Ground(1)
    looking = View(ground.other, 2, claims=False)
    ground.mark([1], normal(["$Junk"]))
    assert len(looking.updates(may_expunge=True)) == 2


def test_the_flags_of_a_message_that_is_gone_are_those_the_client_knows() -> None:
    ground = Ground()
    ground.mark([1], SEEN)
    ground.view.updates(may_expunge=True)
    ground.expunge(1)
    assert ground.view.flags(1) == b"(\\Seen \\Recent)"
    assert ground.view.flags(99) == b"()"


def test_a_deleted_mailbox_is_noticed() -> None:
    ground = Ground()
    finish(ground.imap.account.create("x"))
    box = ground.imap.box("x")
    view = View(box, 1, claims=True)
    finish(ground.imap.account.delete("x"))
    assert view.is_removed


def test_a_closed_view_hears_nothing() -> None:
    ground = Ground()
    ground.view.close()
    ground.imap.put()
    assert not ground.view.has_updates


class Client(RuleBasedStateMachine):
    """A client that believes what it is sent, next to another that does as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.ground = Ground(3)
        self.known: list[str] = ["()"] * 3

    @rule()
    def somebody_delivers(self) -> None:
        self.ground.imap.put()

    @rule(data=st.data(), how=st.sampled_from(["add", "remove", "set"]))
    def somebody_marks(self, data: st.DataObject, how: str) -> None:
        flags = data.draw(st.sets(st.sampled_from(["\\Seen", "\\Flagged", "foo"])))
        self.ground.mark(self.some_uids(data), normal(flags), how)

    @rule(data=st.data())
    def somebody_expunges(self, data: st.DataObject) -> None:
        self.ground.expunge(*self.some_uids(data))

    def some_uids(self, data: st.DataObject) -> list[int]:
        there = list(self.ground.box.columns.uids)
        return sorted(data.draw(st.sets(st.sampled_from(there)))) if there else []

    @rule(may_expunge=st.booleans())
    def the_client_asks(self, may_expunge: bool) -> None:
        for line in self.ground.view.updates(may_expunge):
            word = line.split()[1]
            if word == b"EXPUNGE":
                assert may_expunge
                del self.known[int(line.split()[0]) - 1]
            elif word == b"EXISTS":
                new = range(len(self.known), int(line.split()[0]))
                uids = [self.ground.view.uids[row] for row in new]
                self.known += [self.now(uid) for uid in uids]  # a client fetches those
            elif word == b"FETCH":
                flags = line.decode().split("FLAGS ")[1][:-1]
                self.known[int(line.split()[0]) - 1] = flags.replace("\\Recent", "").strip()
        if may_expunge:
            self.check_all()

    def now(self, uid: int) -> str:
        return self.ground.view.flags(uid).decode().replace("\\Recent", "").strip()

    def check_all(self) -> None:
        assert list(self.ground.view.uids) == list(self.ground.box.columns.uids)
        sent = [sorted(flags.strip("()").split()) for flags in self.known]
        kept = [sorted(self.now(uid).strip("()").split()) for uid in self.ground.box.columns.uids]
        assert sent == kept

    @invariant()
    def the_client_counts_as_the_view_does(self) -> None:
        assert len(self.known) == len(self.ground.view)


Client.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestClient = Client.TestCase
