"""What can be wrong with a configuration, and where."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KeyPath = tuple[str | int, ...]  # ("listener", 0, "tls"), counted from 0


@dataclass(frozen=True, slots=True)
class ConfigMistake:
    """One mistake: file, line (0 where it is not known), place, and what is wrong.

    ``place`` reads ``listener[2].tls`` for the second listener of all files together.
    """

    file: Path
    line: int
    place: str
    text: str

    def __str__(self) -> str:
        """Return the mistake as compilers write theirs, so that editors can jump to it."""
        line = f":{self.line}" if self.line else ""
        place = f"{self.place}: " if self.place else ""
        return f"{self.file}{line}: {place}{self.text}"


class ConfigError(Exception):
    """The configuration cannot be used; ``mistakes`` has every reason."""

    def __init__(self, mistakes: list[ConfigMistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def name_of(place: KeyPath) -> str:
    """Write a place for people, counted from 1."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += f".{step}" if text else step
    return text


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return words that lead from a misspelt name to the right one."""
    names = sorted(known)
    if meant := closest(word, names):
        return f"; did you mean {meant!r}?"
    return f"; known are {', '.join(names)}" if names else ""


def closest(word: str, known: Iterable[str]) -> str:
    """Return the name that a misspelt one most probably stands for, or an empty text."""
    names = sorted(known)
    if close := difflib.get_close_matches(word, names, 1):
        return close[0]
    plain = {name.replace("_", ""): name for name in names}  # "max-size" and "MaxSize" for max_size
    return plain.get(word.replace("-", "").replace("_", "").lower(), "")
