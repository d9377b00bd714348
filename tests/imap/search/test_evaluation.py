from array import array
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SmallMailbox
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search import parser
from twisted_mail.imap.search.criteria import sent_day
from twisted_mail.imap.search.evaluation import SearchCandidates, SearchEvaluator, candidates_of
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, Contains, Entry, RenderedItems
from twisted_mail.testing.doubles import finish

DAY = 86400
KEYS = make_tables().search_keys


async def no_turn() -> None:
    pass


def mailbox_of_five() -> SmallMailbox:
    """Messages 1 to 5, with UIDs 10, 20, 30, 40, 50, one a day from 2 January 1970 on."""
    mailbox = SmallMailbox()
    mailbox.add(b"one", "\\Seen", uid=10, date=DAY)
    mailbox.add(b"two two", "\\Seen", "\\Deleted", uid=20, date=2 * DAY)
    mailbox.add(b"three three three", "$Junk", uid=30, date=3 * DAY)
    mailbox.add(b"Date: Tue, 1 Feb 1994 23:59:59 -0800\r\n\r\nfour", uid=40, date=4 * DAY - 1)
    mailbox.add(b"Date: rubbish\r\n\r\nfive", "\\Flagged", uid=50, date=4 * DAY)
    return mailbox


def chosen(
    text: bytes, mailbox: SmallMailbox, candidates: SearchCandidates | None = None
) -> list[int]:
    candidates = candidates or candidates_of(mailbox.columns.uids, mailbox.columns)
    chooser = SearchEvaluator(candidates, mailbox, lambda uid: uid == 50, 5 * DAY, no_turn)
    rows = finish(chooser.evaluate(parser.parse(Reader(text), KEYS)))
    return [candidates.numbers[row] for row in rows]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (b"ALL", [1, 2, 3, 4, 5]),
        (b"SEEN", [1, 2]),
        (b"SEEN UNDELETED", [1]),
        (b"UNSEEN", [3, 4, 5]),
        (b"KEYWORD $JUNK", [3]),
        (b"KEYWORD $unknown", []),
        (b"RECENT", [5]),
        (b"NEW", [5]),
        (b"OLD", [1, 2, 3, 4]),
        (b"2:3", [2, 3]),
        (b"4,2", [2, 4]),
        (b"4:99", [4, 5]),
        (b"*", [5]),
        (b"99:*", [5]),
        (b"UID 15:35", [2, 3]),
        (b"UID 60:*", [5]),
        (b"UID 1:9", []),
        (b"LARGER 3 SMALLER 17", [2]),
        (b"SMALLER 3", []),
        (b"ON 4-Jan-1970", [3, 4]),
        (b"BEFORE 3-Jan-1970", [1]),
        (b"SINCE 5-Jan-1970", [5]),
        (b"SENTON 1-Feb-1994", [4]),
        (b"SENTBEFORE 2-Feb-1994", [4]),
        (b"SENTSINCE 2-Feb-1994", []),
        (b"NOT SENTON 1-Feb-1994", [1, 2, 3, 5]),
        (b"YOUNGER 86400", [5]),
        (b"OLDER 86400", [1, 2, 3, 4, 5]),
        (b"OLDER 86401", [1, 2, 3, 4]),
        (b"TEXT five", [5]),
        (b"OR SEEN TEXT four", [1, 2, 4]),
        (b"OR OR 1 2 OR 4 5", [1, 2, 4, 5]),
        (b"NOT (SEEN DELETED)", [1, 3, 4, 5]),
        (b"NOT ALL", []),
        (b"NOT NOT 1", [1]),
        (b"OR NOT SEEN 1", [1, 3, 4, 5]),
    ],
)
def test_criteria_choose_messages(text, numbers):
    assert chosen(text, mailbox_of_five()) == numbers


def test_text_is_looked_for_only_where_cheaper_keys_leave_a_doubt():
    mailbox = mailbox_of_five()
    chosen(b"TEXT two SEEN OR 1 TEXT two", mailbox)
    texts = [call[1] for call in mailbox.calls if call[0] == "matching"]
    assert texts == [[20], [20]] or texts == [[10, 20], [20]]


def test_no_text_is_looked_for_when_nothing_is_left():
    mailbox = mailbox_of_five()
    assert chosen(b"TEXT two KEYWORD $unknown", mailbox) == []
    assert mailbox.calls == []


def test_header_fields_are_asked_for_by_name():
    mailbox = mailbox_of_five()
    chosen(b"1 SUBJECT foo", mailbox)
    assert mailbox.calls == [("matching", [10], Contains("header", "foo", "Subject"))]


def test_days_of_date_fields_are_read_once():
    mailbox = mailbox_of_five()
    chosen(b"OR SENTON 1-Feb-1994 SENTSINCE 3-Feb-1994", mailbox)
    assert [call[0] for call in mailbox.calls] == ["items"]


def test_messages_that_only_one_side_knows_are_no_candidates():
    mailbox = mailbox_of_five()
    view = array("Q", [10, 15, 20, 40])
    candidates = candidates_of(view, mailbox.columns)
    assert list(candidates.numbers) == [1, 3, 4]
    assert list(candidates.uids) == [10, 20, 40]
    assert chosen(b"*", mailbox, candidates) == [4]
    assert chosen(b"2:3", mailbox, candidates) == [3]
    assert chosen(b"UID 15:99", mailbox, candidates) == [3, 4]


class UnmeasuredMailbox(SmallMailbox):
    """Learns dates and sizes when it is asked to; the files of some messages are gone by then."""

    async def measure(self, uids):
        self._note("measure", list(uids))
        self.columns.measure([(uid, DAY * (uid // 10), uid) for uid in uids])
        self.columns.remove([20])


def test_what_is_not_measured_yet_is_measured_first():
    mailbox = UnmeasuredMailbox()
    for uid in (10, 20, 30):
        mailbox.add(uid=uid, date=UNKNOWN_DATE)
    assert chosen(b"SINCE 4-Jan-1970", mailbox) == [3]
    assert mailbox.calls == [("measure", [10, 20, 30])]


def test_an_empty_mailbox_has_no_candidates():
    mailbox = SmallMailbox()
    assert chosen(b"OR 1:* TEXT foo", mailbox) == []
    assert mailbox.calls == []


def test_the_answer_is_about_the_moment_of_the_question():
    mailbox = mailbox_of_five()
    mailbox.before = lambda name: mailbox.columns.mark([(10, frozenset(), 9)])
    assert chosen(b"OR TEXT nothing NOT UNSEEN", mailbox) == [1, 2]


@pytest.mark.parametrize(
    "program",
    [b"NOT TEXT two", b"NOT (TEXT two ALL)", b"NOT OR TEXT two TEXT three", b"TEXT o ALL"],
)
def test_a_message_that_goes_away_in_the_meantime_is_not_found(program):
    mailbox = mailbox_of_five()
    mailbox.before = lambda name: mailbox.columns.remove([20, 40])
    assert not {2, 4} & set(chosen(program, mailbox))


@pytest.mark.parametrize(
    ("envelope", "day"),
    [
        (b'("Tue, 1 Feb 1994 23:59:59 -0800" NIL)', date(1994, 2, 1).toordinal()),
        (b"({30}\r\nTue, 1 Feb 1994 00:30:00 +0900 NIL)", date(1994, 2, 1).toordinal()),
        (b'("" NIL)', None),
        (b"(NIL NIL)", None),
    ],
)
def test_the_day_of_sending_is_the_one_that_the_field_names(envelope, day):
    assert sent_day(RenderedItems(envelope, b"", b"", 0)) == day


# Programs as text, each with what it means for a message: its number from 1, its UID and the mailbox.
Meaning = Callable[[int, Entry, SmallMailbox], bool]


def has(flag: str) -> Meaning:
    return lambda number, entry, mailbox: flag in entry.flags


LEAVES: list[tuple[bytes, Meaning]] = [
    (b"ALL", lambda number, entry, mailbox: True),
    (b"SEEN", has("\\Seen")),
    (b"KEYWORD $junk", has("$Junk")),
    (b"UNFLAGGED", lambda number, entry, mailbox: "\\Flagged" not in entry.flags),
    (b"2:3", lambda number, entry, mailbox: number in (2, 3)),
    (b"UID 15:30", lambda number, entry, mailbox: 15 <= entry.uid <= 30),
    (b"LARGER 9", lambda number, entry, mailbox: entry.size > 9),
    (b"SINCE 4-Jan-1970", lambda number, entry, mailbox: entry.date >= 3 * DAY),
    (b"TEXT two", lambda number, entry, mailbox: b"two" in mailbox.bodies[entry.uid]),
    (b"SENTON 1-Feb-1994", lambda number, entry, mailbox: entry.uid == 40),
]


def negated(inner: tuple[bytes, Meaning]) -> tuple[bytes, Meaning]:
    return b"NOT " + inner[0], lambda *message: not inner[1](*message)


def both(one: tuple[bytes, Meaning], two: tuple[bytes, Meaning]) -> tuple[bytes, Meaning]:
    return (
        b"(%b %b)" % (one[0], two[0]),
        lambda *message: one[1](*message) and two[1](*message),
    )


def one_of(one: tuple[bytes, Meaning], two: tuple[bytes, Meaning]) -> tuple[bytes, Meaning]:
    return (
        b"OR %b %b" % (one[0], two[0]),
        lambda *message: one[1](*message) or two[1](*message),
    )


PROGRAMS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds(negated, inner) | st.builds(both, inner, inner) | st.builds(one_of, inner, inner)
    ),
    max_leaves=12,
)


@given(PROGRAMS)
def test_programs_mean_what_they_say(wanted):
    text, means = wanted
    mailbox = mailbox_of_five()
    entries = [mailbox.columns[row] for row in range(5)]
    expected = [n for n, entry in enumerate(entries, 1) if means(n, entry, mailbox)]
    assert chosen(text, mailbox) == expected


def test_others_have_their_turn_while_thousands_of_sets_of_flags_are_looked_at() -> None:
    mailbox = SmallMailbox()
    for number in range(1000):
        mailbox.add(b"", f"K{number}", "Odd" if number % 2 else "even")
    turns: list[None] = []

    async def turn() -> None:
        turns.append(None)

    candidates = candidates_of(mailbox.columns.uids, mailbox.columns)
    chooser = SearchEvaluator(candidates, mailbox, lambda uid: False, 0, turn)
    rows = finish(chooser.evaluate(parser.parse(Reader(b"KEYWORD odd"), KEYS)))
    assert list(rows) == list(range(1, 1000, 2))
    assert len(turns) == 1 + 10  # a hundred sets of flags at a time
    finish(chooser.evaluate(parser.parse(Reader(b"KEYWORD even"), KEYS)))
    assert len(turns) == 1 + 10 + 1  # they are known by now


def test_two_spellings_of_a_keyword_are_found() -> None:
    mailbox = SmallMailbox()
    mailbox.columns.add(
        [Entry(uid, frozenset({name}), 1, 0, 0) for uid, name in ((1, "a"), (2, "A"))]
    )
    assert chosen(b"KEYWORD a", mailbox) == [1, 2]
