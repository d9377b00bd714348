"""What is kept in memory of the attempts at sites that rest: there may be a hundred thousand of them.

A tuple of texts and numbers is nothing that the collection of garbage has to look through. With objects
it looked through a million, and nobody was served meanwhile.
"""

from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass

T = TypeVar("T")
Remembered = tuple[Any, ...]  # what was said, when, and names and values of what else is known

SHARED = 1_000  # values of which there is one, however many are equal

_APART = ("outcome", "at", "reply_class", "phases", "keywords")
_OTHERS = tuple((one.name, one.default) for one in fields(Attempt) if one.name not in _APART)


def remembered(attempt: Attempt) -> Remembered:
    """Return what is kept of an attempt: not the times of its phases, nor what the host offered."""
    outcome = attempt.outcome
    said = outcome.code, outcome.enhanced, outcome.text, attempt.reply_class.value
    kept: list[Any] = [shared(said), attempt.at]
    for name, default in _OTHERS:
        value = getattr(attempt, name)
        if value != default:
            kept += (name, value)
    return tuple(kept)


def recalled(kept: Remembered) -> Attempt:
    """Return the attempt of which this is kept."""
    (code, enhanced, text, reply_class), at, *others = kept
    known = dict(zip(others[::2], others[1::2], strict=True))
    return Attempt(Outcome(code, enhanced, text), at, ReplyClass(reply_class), **known)


@lru_cache(SHARED)
def shared(value: T) -> T:
    """Return an equal value, the same one for all who ask."""
    return value
