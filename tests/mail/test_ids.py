import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.ids import make_id, moment_of

TIMES = st.floats(0, 2**34)


def test_an_id_has_ten_signs_of_time_and_six_of_chance() -> None:
    assert make_id(0.0, lambda bits: 0) == "0" * 16
    assert make_id(0.001, lambda bits: 1) == "0000000001000001"
    assert make_id(1.0, lambda bits: 0) == "00000000z8000000"  # 31 times 32, and 8 milliseconds
    assert make_id(0.0, lambda bits: 2**bits - 1) == "0" * 10 + "zzzzzz"


@given(TIMES)
def test_an_id_is_safe_wherever_a_word_is(now: float) -> None:
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{16}", make_id(now, random.getrandbits))


@given(TIMES, TIMES)
def test_ids_sort_by_time(one: float, other: float) -> None:
    first, second = sorted([one, other])
    assert make_id(first, lambda bits: 0) <= make_id(second, lambda bits: 0)


def test_ids_of_one_moment_differ() -> None:
    assert len({make_id(1e9, random.getrandbits) for _ in range(1000)}) == 1000


@given(TIMES)
def test_an_id_says_when_it_was_made(now: float) -> None:
    assert 0 <= now - moment_of(make_id(now, random.getrandbits)) < 0.002


@pytest.mark.parametrize("text", ["", "1a", "x@example.org", "O" * 16, "0" * 17, "é" * 16])
def test_what_is_no_id_has_no_time(text: str) -> None:
    assert moment_of(text) == 0.0
