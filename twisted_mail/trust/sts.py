"""The grammar of MTA-STS (RFC 8461 §3.1, §3.2): the TXT record, the policy, and which hosts it has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

MAX_POLICY = 64 * 1024  # octets (RFC 8461 §3.3)
MAX_AGE = 31_557_600  # seconds
MAX_PATTERNS = 1000  # hosts of one policy
RECORD_PREFIX = "_mta-sts."
HOST_PREFIX = "mta-sts."
PATH = "/.well-known/mta-sts.txt"

_VERSION = b"v=STSv1"
_ID = re.compile(rb"[A-Za-z0-9]{1,32}")
_EXTENSION = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+")
_NUMBER = re.compile(r"[0-9]{1,10}")
_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_BLANKS = " \t"


class StsMode(Enum):
    """What follows where a host does not meet a policy: it is passed over; nothing; there is none."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """What a domain says of its mail hosts. ``patterns`` are names, or ``*.`` and a name."""

    mode: StsMode
    max_age: int
    patterns: tuple[str, ...] = ()

    def has(self, host: str) -> bool:
        """Return whether a host is one of the policy's (RFC 8461 §4.1): ``*`` is for one label."""
        name = host.lower().removesuffix(".")
        label, _, parent = name.partition(".")
        return name in self.patterns or (bool(label) and f"*.{parent}" in self.patterns)

    @property
    def text(self) -> bytes:
        """Return the policy as ``read_policy`` reads it."""
        lines = ["version: STSv1", f"mode: {self.mode.value}", f"max_age: {self.max_age}"]
        return "".join(
            f"{one}\n" for one in [*lines, *(f"mx: {one}" for one in self.patterns)]
        ).encode()


def read_id(records: Iterable[bytes]) -> str | None:
    """Return the id of the policy that a domain publishes, by the TXT records; None if there is none."""
    ours = [one for one in records if re.match(rb"v=STSv1[ \t]*;", one)]
    if len(ours) != 1:
        return None
    fields = [part.strip(b" \t") for part in ours[0].split(b";")]
    if not fields[-1]:
        fields.pop()  # a delimiter may be the last
    if fields[0] != _VERSION or len(fields) < 2:
        return None
    if not all(_EXTENSION.fullmatch(one) for one in fields[1:]):
        return None
    ids = [one.removeprefix(b"id=") for one in fields[1:] if one.startswith(b"id=")]
    return ids[0].decode() if ids and _ID.fullmatch(ids[0]) else None


def read_policy(octets: bytes) -> StsPolicy:
    """Read a policy. Raises ValueError, with what is wrong.

    Of a field that is there twice the first counts, but for ``mx``; unknown ones are passed over.
    """
    if len(octets) > MAX_POLICY:
        raise ValueError("the policy is too long")
    fields, patterns = _fields(octets.decode("utf-8"))  # UnicodeDecodeError is a ValueError
    if fields.get("version") != "STSv1":
        raise ValueError("the policy is of no known version")
    mode, max_age = StsMode(fields.get("mode", "")), fields.get("max_age", "")
    if not _NUMBER.fullmatch(max_age):
        raise ValueError("the policy has no max_age")
    if not all(map(_PATTERN.fullmatch, patterns)) or len(patterns) > MAX_PATTERNS:
        raise ValueError("the policy has a host that can be none, or too many")
    if not patterns and mode is not StsMode.NONE:
        raise ValueError("the policy has no hosts")
    return StsPolicy(mode, min(int(max_age), MAX_AGE), tuple(patterns))


def _fields(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the fields by name, and the hosts. Raises ValueError."""
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in filter(str.strip, text.split("\n")):
        name, colon, value = line.removesuffix("\r").partition(":")
        if not colon or not _FIELD_NAME.fullmatch(name):
            raise ValueError("the policy has a line that is no field")
        value = value.strip(_BLANKS)
        if name == "mx":
            patterns.append(value.lower())
        else:
            fields.setdefault(name, value)
    return fields, patterns
