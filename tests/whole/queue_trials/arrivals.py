"""Copies of messages that arrived, with the time of each."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LARGE = "".join(f"line {number} of a large message\n" for number in range(2000))
SMALL = "Hello\n"
BODIES = (f"\n\n{SMALL}", f"\n\n{LARGE}")
SUBJECT = re.compile(r"^Subject: (sent-\S+)$", re.MULTILINE)
ID = re.compile(r"^Message-ID: <(\w+)@mail\.(\w+)\.example>$", re.MULTILINE)
TAKEN = re.compile(r"\n\tby mail\.\w+\.example with ESMTPS id (\w+)\n")
NAME_TIME = re.compile(r"(\d+)\.M(\d+)P")  # of a file in a maildir


@dataclass(frozen=True)
class Copy:
    """A message as one recipient got it: its job ``id``, at the server of that name, and when.

    ``subject`` is that of the message of which a report speaks; ``taken`` is the id under which
    a server took the message from another.
    """

    id: str
    server: str
    recipient: str
    subject: str
    time: float
    is_report: bool
    taken: str


def read_copy(text: str, recipient: str, time: float) -> Copy:
    """Return what a message says of itself. Raises AssertionError if it is not whole."""
    ids, subjects = ID.findall(text), SUBJECT.findall(text)
    assert ids, f"this is none of ours:\n{text}"
    assert subjects, f"this is none of ours:\n{text}"
    is_report = "multipart/report" in text
    assert is_report or text.endswith(BODIES), f"{subjects} is not whole:\n{text}"
    taken = TAKEN.search(text)
    return Copy(
        *ids[0], recipient, subjects[-1], time, is_report, "" if taken is None else taken[1]
    )


@dataclass
class Inbox:
    """The inbox of an account, each file of it read once; ``copies`` are in it now."""

    recipient: str
    folder: Path
    _seen: dict[str, Copy] = field(default_factory=dict)

    def look(self) -> None:
        names = set(os.listdir(self.folder)) if self.folder.exists() else set[str]()
        for name in names - self._seen.keys():
            seconds, micro = NAME_TIME.match(name).groups()  # type: ignore[union-attr]
            time = int(seconds) + int(micro) / 1e6
            text = (self.folder / name).read_text()
            self._seen[name] = read_copy(text, self.recipient, time)
        for name in self._seen.keys() - names:
            del self._seen[name]

    @property
    def copies(self) -> Iterator[Copy]:
        return iter(self._seen.values())
