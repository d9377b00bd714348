"""Ids of messages: short, unique, in order of time, easy to read out and to search for."""

from collections.abc import Callable

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # base 32 without i, l, o, u
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BITS = 30
_GROUPS = range(70, -1, -10)  # 50 bits of milliseconds and 30 random ones, ten at a time


def make_id(now: float, random_bits: Callable[[int], int]) -> str:
    """Return 16 letters and digits: ten for the millisecond ``now``, six random ones.

    ``random_bits`` is a function such as ``random.getrandbits``; an id is no secret.
    """
    number = int(now * 1000) << _RANDOM_BITS | random_bits(_RANDOM_BITS)
    return "".join([_PAIRS[number >> shift & 1023] for shift in _GROUPS])


def moment_of(id: str) -> float:
    """Return when an id was made, in seconds since 1970; 0 for what is none of ours."""
    if len(id) != 16 or any(sign not in _ALPHABET for sign in id):
        return 0.0
    number = 0
    for sign in id:
        number = number << 5 | _ALPHABET.index(sign)
    return (number >> _RANDOM_BITS) / 1000
