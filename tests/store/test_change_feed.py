import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.change import (
    Change,
    FlagsChanged,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
)
from twisted_mail.store.change_feed import ChangeFeed

ONE, TWO, THREE = MailboxCreated("one"), MailboxCreated("two"), MailboxCreated("three")


def test_every_watcher_hears_every_change_in_order():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: heard.append(("first", change)))
    bell.watch(lambda change: heard.append(("second", change)))
    bell.publish(ONE, TWO)
    assert heard == [("first", ONE), ("second", ONE), ("first", TWO), ("second", TWO)]


def test_watchers_of_the_account_and_of_a_mailbox_hear_in_the_order_they_began():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: heard.append("first"), "one")
    bell.watch(lambda change: heard.append("second"))
    bell.watch(lambda change: heard.append("third"), "one")
    bell.publish(ONE)
    assert heard == ["first", "second", "third"]


def test_a_watcher_of_a_mailbox_hears_of_no_other():
    bell, heard = ChangeFeed(), []
    bell.watch(heard.append, "one")
    bell.publish(ONE, TWO)
    assert heard == [ONE]


def test_one_function_may_watch_twice_and_end_once():
    bell, heard = ChangeFeed(), []
    bell.watch(heard.append)
    end = bell.watch(heard.append)
    bell.publish(ONE)
    end()
    bell.publish(TWO)
    assert heard == [ONE, ONE, TWO]


def test_ending_a_watch_twice_ends_no_other():
    bell, heard = ChangeFeed(), []
    end = bell.watch(heard.append)
    end()
    bell.watch(heard.append)
    end()
    bell.publish(ONE)
    assert heard == [ONE]


def test_a_watcher_may_end_its_own_watch_while_called():
    bell, heard = ChangeFeed(), []

    def hear(change: Change) -> None:
        heard.append(change)
        end()

    end = bell.watch(hear)
    bell.publish(ONE, TWO)
    assert heard == [ONE]


def test_a_watcher_whose_watch_another_ended_hears_nothing_more():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: end())
    end = bell.watch(heard.append)
    bell.publish(ONE)
    assert heard == []


def test_who_begins_to_watch_while_a_change_is_handed_out_hears_the_next_only():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: change == ONE and bell.watch(heard.append))
    bell.publish(ONE)
    bell.publish(TWO)
    assert heard == [TWO]


def test_a_change_made_by_a_watcher_is_heard_by_all_after_the_present_one():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: change == ONE and bell.publish(TWO))
    bell.watch(heard.append)
    bell.publish(ONE, THREE)
    assert heard == [ONE, THREE, TWO]


def test_the_others_hear_though_one_watcher_fails():
    bell, heard = ChangeFeed(), []
    bell.watch(lambda change: 1 // 0)
    bell.watch(heard.append)
    with pytest.raises(ZeroDivisionError):
        bell.publish(ONE)
    assert heard == [ONE]


def test_several_failures_are_raised_together():
    bell = ChangeFeed()
    bell.watch(lambda change: 1 // 0)
    bell.watch(lambda change: [].pop())
    with pytest.raises(ExceptionGroup) as caught:
        bell.publish(ONE)
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError, IndexError]


def test_failures_go_to_the_report_and_are_not_raised():
    reported = []
    bell = ChangeFeed(reported.append)
    bell.watch(lambda change: 1 // 0)
    bell.publish(ONE)
    assert [type(error) for error in reported] == [ZeroDivisionError]


def test_a_bell_rings_again_after_a_failure():
    bell, heard = ChangeFeed(), []
    end = bell.watch(lambda change: 1 // 0)
    bell.watch(heard.append)
    with pytest.raises(ZeroDivisionError):
        bell.publish(ONE)
    end()
    bell.publish(TWO)
    assert heard == [ONE, TWO]


def test_watchers_go_along_when_their_mailbox_is_renamed():
    bell, heard = ChangeFeed(), []
    bell.watch(heard.append, "one")
    marked = FlagsChanged("two", ())
    bell.publish(MailboxRenamed("one", "two"), marked, MailboxCreated("one"))
    assert heard == [MailboxRenamed("one", "two"), marked]


def test_a_watch_that_moved_with_its_mailbox_can_be_ended():
    bell, heard = ChangeFeed(), []
    end = bell.watch(heard.append, "one")
    bell.publish(MailboxRenamed("one", "two"))
    end()
    bell.publish(FlagsChanged("two", ()))
    assert heard == [MailboxRenamed("one", "two")]


def test_watchers_of_a_removed_mailbox_hear_nothing_of_its_successor():
    bell, heard = ChangeFeed(), []
    bell.watch(heard.append, "one")
    bell.publish(MailboxDeleted("one"), ONE)
    assert heard == [MailboxDeleted("one")]


def test_a_watch_of_a_removed_mailbox_can_be_ended():
    bell, heard = ChangeFeed(), []
    end = bell.watch(heard.append, "one")
    bell.publish(MailboxDeleted("one"))
    bell.watch(heard.append, "one")
    end()
    bell.publish(ONE)
    assert heard == [MailboxDeleted("one"), ONE]


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_all_hear_the_same_order_however_rings_nest(answers, first):
    bell, heard, other = ChangeFeed(), [], []
    left = list(answers)

    def answer(change: Change) -> None:
        for _ in range(left.pop() if left else 0):
            bell.publish(MailboxCreated(f"{len(left)}"))

    bell.watch(heard.append)
    bell.watch(answer)
    bell.watch(other.append)
    for name in first:
        bell.publish(MailboxCreated(name))
    assert heard == other
