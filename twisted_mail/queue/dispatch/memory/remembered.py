"""What is kept in memory of the attempts at sites that rest: there may be a hundred thousand of them.

A tuple of texts and numbers is nothing that the collection of garbage has to look through. With objects
it looked through a million, and nobody was served meanwhile.
"""

from dataclasses import fields
from functools import lru_cache
from sys import intern
from typing import Any, TypeVar

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass

T = TypeVar("T")
Remembered = tuple[Any, ...]  # texts and numbers

SHARED = 1_000  # values of which there is one, however many are equal

_NOT_PLAIN = ("outcome", "reply_class", "phases", "keywords")
_PLAIN = tuple(one.name for one in fields(Attempt) if one.name not in _NOT_PLAIN)


def remembered(attempt: Attempt) -> Remembered:
    """Return what is kept of an attempt: not the times of its phases, nor what the host offered."""
    outcome = attempt.outcome
    said = outcome.code, intern(outcome.enhanced), intern(outcome.text), attempt.reply_class.value
    return (*said, *(getattr(attempt, name) for name in _PLAIN))


def recalled(kept: Remembered) -> Attempt:
    """Return the attempt of which this is kept."""
    code, enhanced, text, reply_class, *others = kept
    plain = dict(zip(_PLAIN, others, strict=True))
    return Attempt(Outcome(code, enhanced, text), reply_class=ReplyClass(reply_class), **plain)


@lru_cache(SHARED)
def shared(value: T) -> T:
    """Return an equal value, the same one for all who ask."""
    return value
