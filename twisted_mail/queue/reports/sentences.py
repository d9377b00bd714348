"""What reports say of each kind of failure, as it stands in ``sentences.toml``."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.queue.reports.places import unknown_places

PLACES = ("domain", "host", "command", "age", "until", "more")
_KINDS = frozenset(one.value for one in ReplyClass)
_CAUSE = frozenset(("happened", "advice"))
_HERE = "here"  # in place of a code: what failed here, and nobody else said anything
_CODE = re.compile(rf"[0-9]{{1,3}}\.[0-9]{{1,3}}|{_HERE}")

Section = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences by section and name: some have fixed names, the others are kinds of failure."""

    sections: Mapping[str, Section]

    def __getitem__(self, name: str) -> Section:
        return self.sections[name]

    def cause(self, attempt: Attempt | None) -> Section:
        """Return what happened, and what its sender can do, for a failed attempt."""
        if attempt is None:
            return self.sections[ReplyClass.NETWORK.value]
        kind = attempt.reply_class.value
        code = attempt.outcome.enhanced.partition(".")[2]
        if f"{kind} {code}" in self.sections:
            return self.sections[f"{kind} {code}"]
        if attempt.reply_class is ReplyClass.OTHER:
            for name, section in self.sections.items():
                if code and name.endswith(f" {code}"):
                    return section
        here = "" if attempt.is_reply else f"{kind} {_HERE}"
        return self.sections.get(here) or self.sections[kind]

    def with_changes(self, changes: Mapping[str, Section]) -> "Sentences":
        """Return the sentences with those of an operator in their places."""
        merged = {
            name: {**section, **changes.get(name, {})} for name, section in self.sections.items()
        }
        return Sentences(merged | {name: changes[name] for name in changes if name not in merged})


def sentence_mistakes(document: Mapping[str, Any], fixed: Mapping[str, Section]) -> Iterator[str]:
    """Yield what is wrong with sections that an operator wrote.

    ``fixed`` are the sections that have fixed names, with their sentences.
    """
    for name, section in document.items():
        kind, _, code = name.partition(" ")
        is_cause = kind in _KINDS and (not code or _CODE.fullmatch(code) is not None)
        if not isinstance(section, dict) or not (is_cause or name in fixed):
            yield f"[{name}] is no section of sentences"
            continue
        known = _CAUSE if is_cause else fixed[name].keys()
        for key, text in section.items():
            yield from (f"[{name}] {one}" for one in _text_mistakes(key, text, known))
        if code and section.keys() != _CAUSE:
            yield f"[{name}] needs both: happened and advice"


def _text_mistakes(key: str, text: object, known: Collection[str]) -> list[str]:
    if key not in known:
        return [f"has no sentence {key!r}"]
    if not isinstance(text, str):
        return [f"{key} is no text"]
    return [f"{key}: there is no {{{one}}}" for one in unknown_places(text, PLACES)]
