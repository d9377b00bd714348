import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.policy.limits.token_buckets import TokenBuckets


def test_a_bucket_gives_its_number_at_once_and_then_one_by_one():
    buckets = TokenBuckets(3, 30)
    for _ in range(3):
        assert buckets.wait("a", 100) == 0
        buckets.take("a", 100)
    assert buckets.wait("a", 100) == 10
    assert buckets.wait("a", 109) == pytest.approx(1)
    assert buckets.wait("a", 110) == 0


def test_each_key_has_its_own():
    buckets = TokenBuckets(1, 60)
    buckets.take("a", 0)
    assert buckets.wait("a", 0) == 60
    assert buckets.wait("b", 0) == 0


def test_one_that_took_more_than_there_was_waits_longer():
    buckets = TokenBuckets(100, 100)
    buckets.take("a", 0, 250)
    assert buckets.wait("a", 0) == 151
    assert buckets.wait("a", 151) == 0


def test_there_are_never_more_than_the_bound():
    buckets = TokenBuckets(1, 60, most=10)
    for at in range(100):
        buckets.take(str(at), 0)
    assert len(buckets) == 10
    assert buckets.wait("99", 0) > 0
    assert buckets.wait("0", 0) == 0


def test_a_clock_that_goes_back_gives_nothing():
    buckets = TokenBuckets(1, 60)
    buckets.take("a", 100)
    assert buckets.wait("a", 0) == 60


@given(
    st.integers(1, 20),
    st.floats(1, 1000),
    st.lists(st.floats(0, 100), max_size=200),
)
def test_nobody_gets_more_than_the_bucket_and_what_flows_in(number, seconds, steps):
    buckets = TokenBuckets(number, seconds)
    now, taken = 0.0, 0
    for step in steps:
        now += step
        if buckets.wait("a", now) == 0:
            buckets.take("a", now)
            taken += 1
    assert taken <= number * (1 + now / seconds) + 0.01
