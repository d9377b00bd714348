"""Messages with header fields and parts as odd as senders make them.

One may hold one case in which we and Dovecot differ, so that it is known what each of the two must say.
"""

import base64
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.whole.reading import cases, field_cases, part_cases
from tests.whole.reading import oddities as odd
from tests.whole.reading.cases import Case, Differing, Version

T = TypeVar("T")
DEEPEST = 60  # parts around a message; both servers look 100 deep

CRLF = b"\r\n"
PARAMETERS = (*field_cases.PARAMETERS, *field_cases.EXTENDED_PARAMETERS)
FIELDS = (*field_cases.FIELDS, *field_cases.EXTENDED_FIELDS)
CASES = (
    *(cases.ADDRESSES, PARAMETERS, FIELDS, part_cases.PARTS),
    *(part_cases.ROOTS, part_cases.MESSAGE_FIELDS),
)


@dataclass(slots=True)
class OddMessage:
    """A message, the attributes of it that are read in two ways, and the row that says why."""

    octets: bytes = b""
    excuses: dict[str, Differing] = field(default_factory=dict)
    row: str = ""


class Generator:
    """Makes messages, by what ``chance`` brings.

    ``with_cases`` is how likely one has a case, of those that concern a version of Dovecot.
    """

    def __init__(self, chance: random.Random, version: Version, with_cases: float = 0.0) -> None:
        self.chance = chance
        self.with_cases = with_cases
        self.cases = [one for some in CASES for one in some if one.concerns(version)]
        self.plain_parameters = [one.text for one in PARAMETERS if one.since > version]
        self.plain_fields = [one.text for one in FIELDS if one.since > version]
        self.number = 0
        self.case: Case | None = None  # one that is to be put in yet

    def message(self, case: Case | None = None) -> OddMessage:
        """Make one whole message, with a certain case or with what chance brings."""
        self.number += 1
        self.made = OddMessage()
        self.case = case
        if self.with_cases and self.some(self.with_cases):
            self.case = self.pick(self.cases)
        head = b"".join(self._fields())
        self.made.octets = self._spoiled(head + self._part("0"))
        return self.made

    def pick(self, of: Sequence[T]) -> T:
        return self.chance.choice(of)

    def some(self, likelihood: float = 0.5) -> bool:
        return self.chance.random() < likelihood

    def _spoiled(self, octets: bytes) -> bytes:
        """Do to a whole message what happens to some."""
        if self.case or self.made.excuses or not self.some(0.1):
            return octets
        what = self.pick(("lf", "cut", "no header", "mixed", "begins empty", "deep"))
        if what == "lf":
            return octets.replace(CRLF, b"\n")
        if what == "cut":
            return self._cut(octets)
        if what == "mixed":
            return octets.replace(b"\r\n\r\n", b"\n\n", 1)
        if what == "deep":
            return self._within(octets + CRLF, self.chance.randint(1, DEEPEST))
        return b"\r\n" + octets if what == "begins empty" else octets.partition(b"\r\n\r\n")[2]

    def _within(self, octets: bytes, levels: int) -> bytes:
        """Put a message into messages and multiparts, by turns."""
        for level in range(levels):
            if level % 2 == 0:
                octets = b"Content-Type: message/rfc822\r\n\r\n" + octets
            else:
                start = b"Content-Type: multipart/mixed; boundary=w%d-\r\n\r\n--w%d-\r\n"
                octets = start % (level, level) + octets + b"\r\n--w%d---\r\n" % level
        return octets

    def _cut(self, octets: bytes) -> bytes:
        """Leave the end out, from a line on that begins something new."""
        if b"message/rfc822" in octets:  # and its header would be cut
            return octets
        lines = octets.splitlines(keepends=True)
        ends = [at for at, line in enumerate(lines) if line[:1] not in b" \t"]
        return b"".join(lines[: self.pick([at for at in ends if at > lines.index(CRLF)] or [None])])

    # ------------------------------------------------------------ cases

    def _taken(self, among: Sequence[Case], number: str, name: str = "") -> bytes | None:
        """Return the text of the case, if it is one of these, and excuse what differs by it."""
        case = self.case
        if case is None or case not in among:
            return None
        self.case = None
        self.made.row = case.row
        for attribute, differing in case.differing.items():
            attribute = attribute or name
            glue = "" if attribute.startswith(".") else " "
            self.made.excuses[f"{number}{glue}{attribute}"] = differing
        return case.text

    # ------------------------------------------------------------ fields

    def _fields(self) -> list[bytes]:
        own = self._taken(part_cases.MESSAGE_FIELDS, "0") or b""
        fields = [own, *self._plain_fields(own)]
        for name in ("From", "To", "Cc", "Bcc", "Sender", "Reply-To"):
            fields += self._address_fields(name)
        for _ in range(self.pick((0, 0, 0, 1, 2))):
            fields.append(self.pick(odd.HEADERS))
        self.chance.shuffle(fields)
        if fields[0] == odd.HEADERS[0]:  # would be no header at all
            fields.reverse()
        return fields

    def _plain_fields(self, other: bytes) -> list[bytes]:
        subject, _ = self.pick(odd.SUBJECTS)
        made = [b"Subject: " + subject + CRLF, b"Date: " + self.pick(odd.DATES) + CRLF]
        for name in (b"Message-ID", b"In-Reply-To"):
            if self.some():
                made.append(name + b": " + self._numbered(self.pick(odd.IDS)) + CRLF)
        return [one for one in made if one.partition(b":")[0] != other.partition(b":")[0]]

    def _numbered(self, text: bytes) -> bytes:
        return text.replace(b"%d", b"%d" % self.number)

    def _address_fields(self, name: str) -> list[bytes]:
        case = self.case
        if case is None or name not in ("To", "Cc", "Bcc") or case not in cases.ADDRESSES:
            count = self.pick((0, 1, 1, 1, 2, 3))
            return [name.encode() + b": " + self._addresses() + CRLF for _ in range(count)]
        text = self._taken(cases.ADDRESSES, "0", "envelope " + name.lower()) or b""
        before = self._address() + b", " if self.some() else b""
        is_last = case.row == cases.NEVER_CLOSED  # or it would reach into what follows
        after = b", " + self._address() if not is_last and self.some(0.2) else b""
        return [name.encode() + b": " + before + text + after + CRLF]

    def _addresses(self) -> bytes:
        if self.some(0.2):
            return self.pick(odd.LONE)
        if self.some(0.4):
            return self._address()
        if self.some(0.03):
            return b", ".join([self._address() for _ in range(40)])
        return self.pick(odd.LISTS) % (self._address(), self._address())

    def _address(self) -> bytes:
        local, domain = self._numbered(self.pick(odd.LOCALS)), self.pick(odd.DOMAINS)
        if self.some(0.3):
            return self.pick(odd.BARE) % (local, domain)
        return self.pick(odd.ADDRESSES) % (self.pick(odd.NAMES), local, domain)

    # ------------------------------------------------------------ parts

    def _part(self, number: str, boundary: bytes = b"", in_message: bool = False) -> bytes:
        """Make a part; ``boundary`` is that of the multipart around it, if any."""
        depth = number.count(".")
        if self.case in part_cases.ROOTS:
            return self._taken(part_cases.ROOTS, number) or b""
        if self.case in part_cases.PARTS and depth and boundary:
            return self._taken(part_cases.PARTS, number) or b""
        kinds = "lllllmr" if depth else "mmmrl"
        if self.case is not None:
            kinds = "m" if not depth else "lr" if self.case in cases.ADDRESSES else "l"
        kind = self.pick(kinds) if depth < 4 or self.some(0.05) else "l"
        if kind == "m":
            return self._multipart(number, boundary, in_message)
        if kind == "r":
            return self._message(number)
        return self._leaf(number)

    def _multipart(self, number: str, around: bytes, in_message: bool) -> bytes:
        written, boundary = self.pick(odd.BOUNDARIES)
        boundary += b"%d-%d" % (self.number, self.chance.randrange(1000))
        written = written.replace(b"%b", boundary)
        kind = self.pick(odd.TYPES) % (b"multipart", self.pick(odd.SUBTYPES))
        octets = b"Content-Type: " + kind + written + CRLF + self._described() + CRLF
        octets += self.pick(odd.PREAMBLES)
        boundary = b"'" + boundary + b"'" if b"'" + boundary in written else boundary
        count = self.pick((0, 1, 1, 2, 3)) or (self.case is not None)
        for index in range(1, count + 1):
            octets += b"--" + boundary + self.pick((b"", b"", b"  ")) + CRLF
            octets += self._part(f"{number}.{index}", boundary) + CRLF
        end = b"--%b--\r\n" if self.made.excuses else self.pick(odd.ENDS)
        if in_message and end == b"--%b--":  # the row line-end-of-delimiter
            end += CRLF
        return octets + end.replace(b"%b", boundary)

    def _message(self, number: str) -> bytes:
        octets = b"Content-Type: message/rfc822" + self.pick((b"", b"; name=a.eml")) + CRLF
        octets += self.pick((b"", b"", b"Content-Transfer-Encoding: 8bit\r\n"))
        text = self._taken(cases.ADDRESSES, number + ".1", "envelope to")
        if text is None:
            text = self._addresses()
        subject = self.pick(odd.SUBJECTS)[0]
        inner = b"Subject: " + subject + b"\r\nTo: " + text + CRLF
        inner = self.pick((inner, inner, inner, b"", b"broken\r\n" + inner, inner + b"broken\r\n"))
        if self.made.excuses:
            inner = b"To: " + text + CRLF
        return octets + CRLF + inner + self._part(number + ".1", in_message=True)

    def _leaf(self, number: str) -> bytes:
        octets = b""
        if self.some(0.9) or self.case is not None:
            kind = self.pick(odd.TYPES) % self.pick(odd.MEDIA)
            octets += b"Content-Type: " + kind + self._parameters(number) + CRLF
            octets += self._taken_line(number) or self._described()
        text, encoding = self._text()
        if octets and encoding and b"Transfer" not in octets:
            octets += b"Content-Transfer-Encoding: " + encoding + CRLF
        return octets + CRLF + text

    def _taken_line(self, number: str) -> bytes:
        text = self._taken(FIELDS, number)
        return b"" if text is None else text + CRLF

    def _parameters(self, number: str) -> bytes:
        last = self._taken(PARAMETERS, number)
        if last is not None:
            return b"; charset=utf-8" + last
        if self.plain_parameters and self.some(0.2):
            return self.pick(self.plain_parameters)
        count = self.pick((0, 1, 1, 2))
        first = self.pick(odd.PARAMETERS) if count else b""
        second = self.pick(odd.PARAMETERS).replace(b"name", b"other") if count == 2 else b""
        is_twice = _names(first) & _names(second)  # the row repeated-parameters
        return first if is_twice else first + second

    def _text(self) -> tuple[bytes, bytes]:
        text = b"text %d\r\nof two lines" % self.number
        if self.some(0.2):
            return base64.encodebytes(text).replace(b"\n", CRLF), self.pick(odd.BASE64)
        return self.pick((text, text + CRLF, *odd.TEXTS)), self.pick((b"", *odd.ENCODINGS))

    def _described(self) -> bytes:
        octets, seen = b"", set()
        for text in odd.DESCRIPTIONS:
            name = text.partition(b":")[0]
            if name not in seen and self.some(0.05):
                octets += b"Content-" + text + CRLF
                seen.add(name)
        if self.plain_fields and b"Disposition" not in seen and self.some(0.1):
            octets += self.pick(self.plain_fields) + CRLF
        return octets


def _names(parameters: bytes) -> set[bytes]:
    return set(re.findall(rb"[a-z-]+(?= ?=)", parameters.lower()))
