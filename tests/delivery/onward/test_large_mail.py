"""Mail that is too large for a host, as it is given to others."""

from tests.delivery.onward.fakes import FakeWork, attempt, transaction
from twisted_mail.delivery.onward.large_mail import LargeMail, is_too_large, size_of

LARGE = attempt("552 5.3.4 Too large")


def test_only_what_was_not_even_offered_is_too_large() -> None:
    assert is_too_large({1: LARGE, 2: LARGE})
    assert not is_too_large({})
    assert not is_too_large({1: LARGE, 2: attempt()})
    assert not is_too_large({1: attempt("552 5.3.4 Too large", is_reply=True)})


def test_what_no_host_takes_fails_by_the_word_of_the_last() -> None:
    work, last = FakeWork(), attempt("552 5.3.4 Here, too")
    one, other = transaction("bob@there.example"), transaction("bob@there.example", id="b")
    large = LargeMail(work, [(one, {1: LARGE}), (other, {1: LARGE})])
    assert large.turn()
    assert (large.next(), large.smallest) == (one, size_of(other))
    large.done(one, {1: last})
    assert (large.next(), large.next()) == (other, None)
    large.done(other, {1: attempt()})
    assert large.smallest == size_of(one)
    large.end()
    assert work.ended == [(other, {1: attempt()}), (one, {1: last})]
    assert not large.turn()


def test_who_was_not_answered_is_as_before() -> None:
    work, one = FakeWork(), transaction("bob@there.example")
    large = LargeMail(work, [(one, {1: LARGE})])
    assert large.next() is one
    large.end()
    assert work.ended == []
