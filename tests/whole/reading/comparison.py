"""Compares what two servers say of messages, value by value."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.whole.reading import sections
from tests.whole.reading.attributes import Attributes
from tests.whole.reading.both import Both
from tests.whole.reading.cases import Differing
from tests.whole.reading.messages import OddMessage
from tests.whole.reading.searches import Key


@dataclass(slots=True)
class Comparison:
    """How many values were compared, which rows of the document excuse how many, and what is wrong."""

    values: int = 0
    rows: Counter[str] = field(
        default_factory=Counter
    )  # of the document: how many values each excuses
    wrong: list[str] = field(default_factory=list)

    @property
    def excused(self) -> int:
        """Return in how many values the two differ as the document says."""
        return self.rows.total()

    def __str__(self) -> str:
        share = 100 * self.excused / max(self.values, 1)
        listed = ", ".join([f"{row} {count}" for row, count in sorted(self.rows.items())])
        return f"{self.values} values, {self.excused} excused ({share:.1f} %): {listed}"

    def attributes(self, messages: Iterable[OddMessage], both: Both) -> None:
        """Compare ENVELOPE and BODYSTRUCTURE of all messages."""
        for message, (theirs, ours) in zip(messages, both.attributes(), strict=True):
            excuses = message.excuses
            for name in dict.fromkeys([*ours, *theirs, *excuses]):
                self._attribute(message, name, theirs, ours, excuses)

    def _attribute(
        self,
        message: OddMessage,
        name: str,
        theirs: Attributes,
        ours: Attributes,
        excuses: Mapping[str, Differing],
    ) -> None:
        their, our = theirs.get(name, []), ours.get(name, [])
        expected: list[object] | None = our
        self.values += max(len(their), len(our))
        if name in excuses:
            expected = _in_order(name, excuses[name].rewritten(our))
            self.rows[message.row] += excuses[name].excused(our)
        if their != expected:
            self._note(name, their, our, message)

    def sections(self, number: int, message: OddMessage, both: Both, names: list[bytes]) -> None:
        """Compare sections of one message; ``names`` has the whole ones before parts of them."""
        excused: set[bytes] = set()
        for name, their, our in both.sections(number, names):
            if name.partition(b"<")[0] in excused:
                continue
            self.values += 1
            if row := sections.row_of(name, their, our):
                self.rows[row] += 1
                excused.add(name)
            elif their != our:
                self._note(repr(name), their, our, message)

    def search(self, key: Key, messages: list[OddMessage], both: Both) -> None:
        """Compare which messages a search finds: those that one of the two finds are the values.

        Messages in which the two differ anyhow are left out.
        """
        plain = {number for number, one in enumerate(messages, 1) if not one.excuses}
        theirs, ours = [found & plain for found in both.search(key.text)]
        self.values += len(theirs | ours)
        for number in theirs ^ ours:
            message = messages[number - 1]
            if key.is_excused(message.octets, by_us=number in ours):
                self.rows[key.row] += 1
            else:
                self._note(repr(key.text), number in theirs, number in ours, message)

    def _note(self, name: str, their: object, our: object, message: OddMessage) -> None:
        self.wrong.append(f"{name}: Dovecot {their}, we {our}, of {message.octets!r}")


def _in_order(name: str, values: list[object] | None) -> list[object] | None:
    return sorted(values, key=str) if values and name.endswith("parameters") else values
