"""Internationalised domain names as the DNS has them: A-labels (RFC 5890 §2.3.2.1).

The rules are those of IDNA2008 (RFC 5891, RFC 5892, RFC 5893), under which ``straße`` is not ``strasse``;
Python's own codec follows the older ones. Capital letters become small ones (RFC 5895 §2), and nothing
else is mapped: a character that is not allowed makes the name malformed.
"""

import unicodedata
from collections.abc import Callable

# RFC 5892 §2.6: against what their properties say.
_ALLOWED = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")
_DISALLOWED = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
_LETTERS_AND_DIGITS = frozenset(("Ll", "Lo", "Lm", "Mn", "Mc", "Nd"))
# RFC 5892 §2.3, §2.5, §2.9: ignorable ones, blocks that are ignored, old Hangul Jamo.
_IGNORED = (
    (0x034F, 0x034F),
    (0x1100, 0x11FF),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x20D0, 0x20FF),
    (0x3164, 0x3164),
    (0xA960, 0xA97F),
    (0xD7B0, 0xD7FF),
    (0xFE00, 0xFE0F),
    (0x1D100, 0x1D24F),
    (0xE0100, 0xE01EF),
)
_VIRAMA = 9  # a combining class
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_IN_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"))


def to_alabels(domain: str) -> str:
    """Return a domain with an A-label for each label that is not ASCII. Raises ValueError."""
    return ".".join(label if label.isascii() else to_alabel(label) for label in domain.split("."))


def to_alabel(label: str) -> str:
    """Return the A-label of a label that is not ASCII. Raises ValueError."""
    label = unicodedata.normalize("NFC", label.lower())
    if label[2:4] == "--" or unicodedata.category(label[0]).startswith("M"):
        raise ValueError("a label of the domain begins with what it must not")
    for at, char in enumerate(label):
        if not _is_valid(char) and not _fits(label, at):
            raise ValueError("the domain has characters that domains do not have")
    if not _reads_one_way(label):
        raise ValueError("the domain has a label that reads both ways")
    return "xn--" + label.encode("punycode").decode("ascii")


def _is_valid(char: str) -> bool:
    """Say whether a character is one of domains wherever it stands (RFC 5892 §3)."""
    if char.isascii():
        return char.isalnum() or char == "-"
    if char in _ALLOWED:
        return True
    if char in _DISALLOWED or "\u0660" <= char <= "\u0669" or "\u06f0" <= char <= "\u06f9":
        return False
    if unicodedata.category(char) not in _LETTERS_AND_DIGITS or _is_unstable(char):
        return False
    return not any(first <= ord(char) <= last for first, last in _IGNORED)


def _is_unstable(char: str) -> bool:
    folded = unicodedata.normalize("NFKC", char).casefold()
    return unicodedata.normalize("NFKC", folded) != char


def _fits(label: str, at: int) -> bool:
    """Say whether a character stands where it may, of those that have rules (RFC 5892 appendix A)."""
    rule = _RULES.get(label[at])
    return rule is not None and rule(label, at)


def _behind_virama(label: str, at: int) -> bool:
    return at > 0 and unicodedata.combining(label[at - 1]) == _VIRAMA


def _between_ls(label: str, at: int) -> bool:
    return label[at - 1 : at] == "l" == label[at + 1 : at + 2]


def _before_greek(label: str, at: int) -> bool:
    return _is_of(label[at + 1 : at + 2], "GREEK")


def _behind_hebrew(label: str, at: int) -> bool:
    return _is_of(label[at - 1 : at], "HEBREW")


def _among_japanese(label: str, at: int) -> bool:
    return any(_is_of(char, "HIRAGANA", "KATAKANA ", "CJK") for char in label)


def _is_of(char: str, *scripts: str) -> bool:
    return bool(char) and unicodedata.name(char, "").startswith(scripts) and char != "\u30fb"


def _without_eastern_digits(label: str, at: int) -> bool:
    return not any("\u06f0" <= char <= "\u06f9" for char in label)


def _without_arabic_digits(label: str, at: int) -> bool:
    return not any("\u0660" <= char <= "\u0669" for char in label)


_RULES: dict[str, Callable[[str, int], bool]] = {
    "\u200c": _behind_virama,
    "\u200d": _behind_virama,
    "\u00b7": _between_ls,
    "\u0375": _before_greek,
    "\u05f3": _behind_hebrew,
    "\u05f4": _behind_hebrew,
    "\u30fb": _among_japanese,
    **{chr(0x660 + digit): _without_eastern_digits for digit in range(10)},
    **{chr(0x6F0 + digit): _without_arabic_digits for digit in range(10)},
}


def _reads_one_way(label: str) -> bool:
    """Say whether a label keeps the rule for those that read from right to left (RFC 5893 §2)."""
    ways = [unicodedata.bidirectional(char) for char in label]
    if _RIGHT_TO_LEFT.isdisjoint(ways):
        return True
    while ways[-1] == "NSM" and len(ways) > 1:
        ways.pop()
    return (
        ways[0] in ("R", "AL")
        and _IN_RIGHT_TO_LEFT.issuperset(ways)
        and ways[-1] in ("R", "AL", "EN", "AN")
        and not {"EN", "AN"} <= set(ways)
    )
