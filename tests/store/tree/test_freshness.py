"""How current what is known of a mailbox is."""

import pytest

from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.freshness import DOUBT_SECONDS, RACY_SECONDS, Freshness
from twisted_mail.testing.doubles import StillClock

NOW = 2e9


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOW)


@pytest.fixture
def freshness(clock: StillClock) -> Freshness:
    return Freshness(clock)


def nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)


def test_a_time_just_gone_is_not_trusted(freshness: Freshness) -> None:
    young, old = nanoseconds(NOW - RACY_SECONDS / 2), nanoseconds(NOW - 2 * RACY_SECONDS)
    assert freshness.trusted_time(young) == 0
    assert freshness.trusted_time(old) == old


def test_own_renames_are_doubted_after_a_while(freshness: Freshness, clock: StillClock) -> None:
    freshness.see_all(1, 2)
    freshness.see_own_renames(3)
    assert freshness.seen == (1, 3)
    assert not freshness.is_doubtful
    clock.seconds += DOUBT_SECONDS + 1
    assert freshness.is_doubtful


def test_further_renames_do_not_put_the_doubt_off(freshness: Freshness, clock: StillClock) -> None:
    freshness.see_own_renames(3)
    clock.seconds += DOUBT_SECONDS
    freshness.see_own_renames(4)
    clock.seconds += 1
    assert freshness.is_doubtful


def test_a_whole_reading_ends_the_doubt(freshness: Freshness) -> None:
    freshness.doubt()
    assert freshness.is_doubtful
    freshness.see_new(5)
    assert freshness.is_doubtful
    freshness.see_all(5, 6)
    assert not freshness.is_doubtful


def test_a_watched_mailbox_is_not_doubted(freshness: Freshness) -> None:
    freshness.doubt()
    freshness.is_watched = True
    assert not freshness.is_doubtful


def test_what_is_seen_in_work_that_fails_is_taken_back(freshness: Freshness) -> None:
    freshness.see_all(1, 2)
    restore = freshness.restorer()
    freshness.see_own_renames(3)
    freshness.compare_list(UidList(7))
    restore()
    freshness.doubt()
    assert freshness.seen == (1, 2)
    assert freshness.listed is None


def test_messages_are_recent_to_one_session(freshness: Freshness) -> None:
    freshness.raise_recent(3)
    assert freshness.claim_recent(8) == 3
    assert freshness.claim_recent(8) == 8


def test_claimed_messages_wait_to_be_settled(freshness: Freshness) -> None:
    assert freshness.is_settled
    freshness.claim_recent(8)
    assert not freshness.is_settled
    freshness.settle(freshness.first_recent)
    assert freshness.is_settled


@pytest.mark.parametrize(
    ("row", "is_beyond"),
    [
        (MailboxRow(1, b"", 7, highest_modseq=9), True),
        (MailboxRow(1, b"", 7, highest_modseq=8), False),
        (MailboxRow(2, b"", 7, highest_modseq=9), False),
    ],
)
def test_another_process_went_beyond_the_row_that_is_known(
    freshness: Freshness, row: MailboxRow, is_beyond: bool
) -> None:
    freshness.reach(MailboxRow(1, b"", 7, uidnext=4, highest_modseq=8), (0, 5))
    last = freshness.row_before(row)
    assert (last is not None) == is_beyond
    freshness.lose_sync()
    assert freshness.row_before(row) is None


def test_what_was_claimed_for_sessions_is_left_to_the_first_that_is_sent_it(
    freshness: Freshness,
) -> None:
    freshness.raise_recent(3)
    freshness.grant_recent(3, 5)
    freshness.grant_recent(5, 7)
    assert freshness.claim_recent(4) == 3
    assert freshness.claim_recent(4) == 7
    assert freshness.claim_recent(6) == 4
    assert freshness.claim_recent(7) == 6
    assert freshness.claim_recent(7) == 7


def test_another_uidvalidity_takes_back_what_was_claimed(freshness: Freshness) -> None:
    freshness.grant_recent(3, 5)
    freshness.begin_anew()
    assert freshness.claim_recent(1) == 0
