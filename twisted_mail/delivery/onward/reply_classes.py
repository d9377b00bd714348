"""What a reply is about, from its code, its enhanced code and its words.

The table is ``reply_classes.toml``: rules, the first that fits counts. The class decides pauses and
words; it never makes a refusal a retry.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass

TABLE = Path(__file__).with_name("reply_classes.toml")
MAX_TEXT = 2000  # characters of a reply that are looked at


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """One rule: all that it names must fit.

    ``codes`` are reply codes, or their beginnings; ``enhanced`` enhanced codes without their first digit,
    or beginnings of these that end with a dot. One of the ``words`` must be in the text, in small letters
    and single spaces, and none of those in ``without``.
    """

    reply_class: ReplyClass
    codes: tuple[str, ...] = ()
    enhanced: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def fits(self, code: str, enhanced: str, text: str) -> bool:
        """Return whether it is for such a reply."""
        if self.codes and not code.startswith(self.codes):
            return False
        if self.enhanced and not _has_enhanced(enhanced, self.enhanced):
            return False
        if self.words and not any(word in text for word in self.words):
            return False
        return not any(word in text for word in self.without)


def _has_enhanced(enhanced: str, wanted: Sequence[str]) -> bool:
    detail = enhanced.partition(".")[2]  # without the class, which repeats the code
    return any(
        detail.startswith(one) if one.endswith(".") else detail == one for one in wanted if detail
    )


def classify(outcome: Outcome) -> ReplyClass:
    """Return what a reply is about."""
    text = " ".join(outcome.text[:MAX_TEXT].lower().split())
    code = str(outcome.code)
    for rule in rules():
        if rule.fits(code, outcome.enhanced, text):
            return rule.reply_class
    return ReplyClass.OTHER


@cache
def rules() -> tuple[ReplyRule, ...]:
    """Return the rules of the table."""
    return tuple(map(_rule, tomllib.loads(TABLE.read_text("utf-8"))["rule"]))


def _rule(table: dict[str, Any]) -> ReplyRule:
    lists = {name: tuple(value) for name, value in table.items() if name != "class"}
    return ReplyRule(ReplyClass(table["class"]), **lists)
