"""What was said to a host and what it answered, until it is known whether that is to be kept.

Nothing is put into words before: nearly all attempts succeed, and cost some references.
"""

from collections.abc import Iterator
from random import getrandbits

from twisted_mail.interfaces import Clock, DialogueJournal
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.journey.dialogue import THEY, WE, Dialogue, Side, SpokenLine
from twisted_mail.smtp.dialogue.replies import Reply

MAX_PART = 32 * 1024  # octets of the opening, and of the part of one message
MAX_ANSWERED = 2000  # lines of one dialogue

_CUT = "(the rest is left out)"

Said = tuple[float, Side, bytes | Reply | str]  # a text is what happened


class SpokenPart:
    """A part of a dialogue: the opening, or what is about one message."""

    __slots__ = ("_left", "said")

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._left = MAX_PART

    def sent(self, at: float, data: bytes) -> None:
        """Note commands, with their ends."""
        self._add((at, WE, data), len(data))

    def heard(self, at: float, reply: Reply) -> None:
        """Note a reply."""
        self._add((at, THEY, reply), sum(map(len, reply.lines)))

    def happened(self, at: float, side: Side, text: str) -> None:
        """Note what was not said."""
        self._add((at, side, f"({text})"), len(text))

    def _add(self, said: Said, size: int) -> None:
        if self._left < 0:
            return
        self._left -= size
        self.said.append(said if self._left >= 0 else (said[0], said[1], _CUT))

    def lines(self, began: float) -> Iterator[SpokenLine]:
        """Yield all lines, with their times since the beginning."""
        for at, side, what in self.said:
            for text in _texts(what):
                yield SpokenLine(max(round(at - began, 3), 0.0), side, text)


def _texts(what: bytes | Reply | str) -> list[str]:
    if isinstance(what, str):
        return [what]
    if isinstance(what, bytes):
        return what.decode("utf-8", "surrogateescape").removesuffix("\r\n").split("\r\n")
    texts = [line.decode("utf-8", "surrogateescape") for line in what.lines]
    last = len(texts) - 1
    return [f"{what.code}{'-' if at < last else ' '}{one}" for at, one in enumerate(texts)]


class DialogueRecording:
    """The dialogues of one connection, a message after the other.

    An attempt that did not succeed is given the id of its dialogue, which is kept when the message's part
    has ended; with ``keeps_all`` the others, too.
    """

    __slots__ = ("_began", "_clock", "_ids", "_journal", "_kept", "_opened_at", "opening")

    def __init__(self, clock: Clock, journal: DialogueJournal) -> None:
        self._clock = clock
        self._journal = journal
        self._began = clock.monotonic()
        self._opened_at = clock.now()
        self._ids: dict[int, str] = {}
        self._kept: set[int] = set()
        self.opening = SpokenPart()

    def id(self, use: int, is_success: bool) -> str:
        """Return the id of the dialogue about the so-manieth message; empty if it is not to be kept."""
        if is_success and not self._journal.keeps_all:
            return ""
        found = self._ids.get(use)
        if found is None:
            found = self._ids[use] = make_id(self._clock.now(), getrandbits)
        return found

    def keep(
        self, use: int, part: SpokenPart, message: str, about: tuple[str, str, str, str]
    ) -> None:
        """Keep a dialogue if an attempt has its id. ``about``: host, address, source, TLS."""
        id = self._ids.get(use)
        if id is None or use in self._kept:
            return
        self._kept.add(use)
        lines = list(self.opening.lines(self._began))
        if part is not self.opening:
            lines += part.lines(self._began)
        kept = tuple(lines[:MAX_ANSWERED])
        self._journal.keep(Dialogue(id, message, self._opened_at, *about, use, kept))
