"""Where we read a message otherwise than Dovecot does, and what each of the two says.

Every case bears the name of its row in docs/reading-mail.md, which says why. It is about single
attributes, which are named as in ``attributes``; all others are the same on both sides.
"""

from dataclasses import dataclass, field

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Differing:
    """The values of one attribute that differ: Dovecot's, and ours in their place.

    Unless ``goes_on``, Dovecot says nothing more of what follows in the list.
    """

    theirs: tuple[object, ...]
    ours: tuple[object, ...]
    goes_on: bool = True

    def rewritten(self, ours: list[object]) -> list[object] | None:
        """Return what Dovecot says where we say this; None if we do not say what differs."""
        for at in range(len(ours) - len(self.ours) + 1):
            end = at + len(self.ours)
            if tuple(ours[at:end]) == self.ours:
                return [*ours[:at], *self.theirs, *(ours[end:] if self.goes_on else ())]
        return None

    def excused(self, ours: list[object]) -> int:
        """Return how many values it excuses."""
        if self.goes_on:
            return max(len(self.theirs), len(self.ours))
        return len(ours) - (len(self.rewritten(ours) or ours) - len(self.theirs))


@dataclass(frozen=True, slots=True)
class Case:
    """Octets that are read in two ways, and the attributes that differ, without the part's number.

    ``since`` and ``until`` are versions of Dovecot, the second no more meant.
    """

    row: str
    text: bytes
    differing: dict[str, Differing] = field(default_factory=dict)
    since: Version = (0, 0)
    until: Version = (9, 0)

    def concerns(self, version: Version) -> bool:
        """Return whether this version of Dovecot reads it otherwise."""
        return self.since <= version < self.until


def _address(
    row: str, text: bytes, theirs: list[object], ours: list[object], goes_on: bool = True
) -> Case:
    """Make a case of some addresses in a list."""
    return Case(row, text, {"": Differing(tuple(theirs), tuple(ours), goes_on)})


def _of(name: bytes | None, local: bytes, domain: bytes) -> tuple[bytes | None, ...]:
    return (name, None, local, domain)


def _ann(name: bytes) -> tuple[bytes | None, ...]:
    return _of(name, b"ann", b"b.example")


NOBODY = _of(None, b"", b"")
NEVER_CLOSED = "never-closed"
BROKEN = b"SYNTAX_ERROR"
ANN, BOB = _of(None, b"ann", b"b.example"), _of(None, b"bob", b"b.example")
NAMED = _of(b"Ann", b"ann", b"b.example")

ADDRESSES = (
    _address(
        "name-with-at",
        b"ann@b.example <ann@b.example>",
        [ANN],
        [_ann(b"ann@b.example")],
        False,
    ),
    _address(
        "name-with-at",
        b"Info @ Shop <ann@b.example>",
        [_of(None, b"Info", b"Shop")],
        [_ann(b"Info @ Shop")],
        False,
    ),
    _address(
        "brackets-in-name",
        b"[list] Ann <ann@b.example>",
        [NOBODY],
        [_ann(b"[list] Ann")],
        False,
    ),
    _address(
        "backslash-in-name",
        b'\\"Ann\\" <ann@b.example>',
        [NOBODY],
        [_ann(b'"Ann"')],
        False,
    ),
    _address(
        "dots-in-domain",
        b"ann@b..example",
        [_of(None, b"ann", b"")],
        [_of(None, b"ann", b"b..example")],
        False,
    ),
    _address(
        "dots-in-domain",
        b"ann@b.example.",
        [_of(None, b"ann", b"")],
        [_of(None, b"ann", b"b.example.")],
    ),
    _address("missing-angle", b"Ann <ann@b.example", [_of(b"Ann", b"ann", BROKEN)], [NAMED]),
    _address("missing-angle", b"Ann <<ann@b.example>>", [_of(b"Ann", b"", BROKEN)], [NAMED], False),
    _address("missing-angle", b"Ann <ann@b.example>>", [NAMED], [NAMED], False),
    _address(
        "name-without-angle", b"Ann ann@b.example", [_of(b"Ann ann", b"", b"")], [NAMED], False
    ),
    _address("semicolons", b"ann@b.example; bob@b.example", [ANN], [ANN, BOB], False),
    _address("missing-comma", b"ann@b.example bob@b.example", [ANN], [ANN, BOB], False),
    _address("missing-comma", b"Ann <ann@b.example> <bob@b.example>", [NAMED], [NAMED, BOB], False),
    _address("missing-comma", b"Ann <ann@b.example> more", [NAMED], [NAMED], False),
    _address(NEVER_CLOSED, b'"Ann <ann@b.example>', [NOBODY], [NAMED], False),
    _address(NEVER_CLOSED, b"Ann (c <ann@b.example>", [NOBODY], [_ann(b"Ann (c")], False),
    _address(
        NEVER_CLOSED,
        b"\x1b$B3E\x1b(B <ann@b.example>",
        [NOBODY],
        [_ann(b"\x1b$B3E\x1b(B")],
        False,
    ),
    _address("empty-elements", b"ann@b.example, , bob@b.example", [ANN, NOBODY, BOB], [ANN, BOB]),
    _address("empty-elements", b"ann@b.example,(c),bob@b.example", [ANN, NOBODY, BOB], [ANN, BOB]),
    _address("empty-elements", b'ann@b.example, ""', [ANN, _of(b"", b"", b"")], [ANN]),
    _address(
        "blanks-in-quotes",
        b'"Ann  Smith" <ann@b.example>',
        [_ann(b"Ann Smith")],
        [_ann(b"Ann  Smith")],
    ),
    _address(
        "several-ats",
        b"ann@x@b.example",
        [_of(None, b"ann", b"x")],
        [_of(None, b"ann", b"x@b.example")],
        False,
    ),
    _address(
        "several-ats",
        b"<ann@x@b.example>",
        [_of(None, b"ann", BROKEN)],
        [_of(None, b"ann", b"x@b.example")],
        False,
    ),
    _address(
        "words-in-angle",
        b"<ann lee@b.example>",
        [_of(None, b"ann", BROKEN)],
        [_of(None, b"ann lee", b"b.example")],
        False,
    ),
    _address(
        "words-in-angle",
        b"<mailto:ann@b.example>",
        [_of(None, b"mailto", BROKEN)],
        [_of(None, b"mailto:ann", b"b.example")],
        False,
    ),
    _address(
        "half-an-address",
        b"<@b.example>",
        [(None, b"INVALID_ROUTE", b"", b"")],
        [_of(None, b"", b"b.example")],
    ),
    _address(
        "half-an-address", b"<ann@>", [_of(None, b"ann", BROKEN)], [_of(None, b"ann", b"")], False
    ),
    _address(
        "dots-in-local-part",
        b'<"a"."b"@b.example>',
        [_of(None, b"a", BROKEN)],
        [_of(None, b"a.b", b"b.example")],
        False,
    ),
    _address(
        "dots-in-local-part",
        b"<a . b@b.example>",
        [_of(None, b"", BROKEN)],
        [_of(None, b"a.b", b"b.example")],
        False,
    ),
    _address(
        "dots-in-local-part",
        b"a . b@b.example",
        [_of(b"a. b", b"", b"")],
        [_of(None, b"a.b", b"b.example")],
        False,
    ),
    _address(
        "dot-before-name",
        b".Ann <ann@b.example>",
        [_of(None, b".Ann", b"")],
        [_ann(b".Ann")],
        False,
    ),
    _address("nul", b"An\0n <ann@b.example>", [_of(None, b"An", b"")], [_ann(b"An\x80n")], False),
)
