"""Dialogue files, read into steps. The format is described in README.md beside this file."""

import ast
import base64
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_LINE = re.compile(r"([CS])(\d*)([:|]) ?(.*)")
_HOLE = re.compile(r"%\{([^}]*)\}")
PRELUDES = ("after", "selected", "examined")
_PASS = re.compile(r"\((\d+) seconds? pass(?:es)?\)")


@dataclass(frozen=True)
class Send:
    line: int
    connection: int
    text: str
    is_raw: bool = False

    def octets(self, bound: dict[str, str]) -> bytes:
        text = ast.literal_eval(self.text) if self.is_raw else self.text
        filled = _HOLE.sub(lambda hole: _fill(hole[1], bound), text)
        if self.is_raw:
            return filled.encode("latin-1")
        return filled.encode() + b"\r\n"


def _fill(hole: str, bound: dict[str, str]) -> str:
    if hole.startswith("base64:"):
        plain = hole.removeprefix("base64:").replace("\\0", "\0")
        return base64.b64encode(plain.encode()).decode()
    if hole.startswith("repeat:"):
        text, _, count = hole.removeprefix("repeat:").rpartition("*")
        return text * int(count)
    return bound[hole]


@dataclass(frozen=True)
class Expect:
    line: int
    connection: int
    text: str

    def matches(self, got: str, bound: dict[str, str]) -> bool:
        parts = _HOLE.split(self.text)
        pattern, names = re.escape(parts[0]), []
        for name, literal in zip(parts[1::2], parts[2::2], strict=True):
            if name == "*":
                pattern += ".*"
            elif name in bound or name in names:
                pattern += re.escape(bound[name]) if name in bound else f"(?P={name})"
            else:
                names.append(name)
                pattern += f"(?P<{name}>\\S+?)"
            pattern += re.escape(literal)
        match = re.fullmatch(pattern, got, re.DOTALL)
        if match:
            bound.update(match.groupdict())
        return match is not None


@dataclass(frozen=True)
class ExpectInAnyOrder:
    line: int
    connection: int
    expected: tuple[Expect, ...]


@dataclass(frozen=True)
class Untagged:
    """Any untagged lines of IMAP before the next line that is expected."""

    line: int
    connection: int


@dataclass(frozen=True)
class Closes:
    line: int
    connection: int
    by_server: bool


@dataclass(frozen=True)
class StartTls:
    line: int
    connection: int


@dataclass(frozen=True)
class TlsFails:
    """The server's side breaks the handshake off."""

    line: int
    connection: int


@dataclass(frozen=True)
class TimePasses:
    line: int
    seconds: float


Step = Send | Expect | ExpectInAnyOrder | Untagged | Closes | StartTls | TlsFails | TimePasses


@dataclass
class Dialogue:
    path: Path
    title: str = ""
    headings: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    addresses: dict[str, Any] = field(default_factory=dict)
    filters: list[dict[str, Any]] = field(default_factory=list)
    dns: list[str] = field(default_factory=list)
    quota: int | None = None
    sent: list[str] = field(default_factory=list)  # what the client of a dialogue hands on
    results: list[str] = field(default_factory=list)
    preludes: dict[int, list[tuple[str, str]]] = field(default_factory=dict)  # by connection
    steps: list[Step] = field(default_factory=list)

    def service(self, connection: int) -> str:
        return self.headings.get(f"service{connection}", self.headings["service"])

    @property
    def is_client(self) -> bool:
        """Say whether the roles are exchanged: our side is the client, and the file is the server."""
        return self.headings["service"] == "client"

    @property
    def supported_keywords(self) -> frozenset[str]:
        """What the queue behind SMTP keeps besides; there is such a queue only in memory."""
        return frozenset(self.headings.get("promises", "").split())

    def plays(self, way: str) -> bool:
        """Say whether the file may be played this way: whole, lines, bytes (in memory), tcp or tls."""
        is_made_up = bool(self.filters) or self.quota is not None
        if is_made_up and way in ("tcp", "tls"):
            return False  # there is no such client, nor such an account
        ways = self.headings.get("play", "memory" if self.supported_keywords else "").split()
        if "memory" in ways:
            ways = [
                *ways,
                *([] if {"whole", "lines", "bytes"} & set(ways) else ["whole", "lines", "bytes"]),
            ]
        return not ways or way in ways


def all_dialogues() -> list[Dialogue]:
    """Return the dialogues of our servers."""
    return [one for one in map(read, sorted(HERE.glob("*.txt"))) if not one.is_client]


def client_dialogues() -> list[Dialogue]:
    """Return the dialogues of our client."""
    return [one for one in map(read, sorted(HERE.glob("*.txt"))) if one.is_client]


def read(path: Path) -> Dialogue:
    dialogue = Dialogue(path)
    lines = path.read_text().splitlines()
    at = 0
    titles = []
    while at < len(lines) and lines[at].startswith("#"):
        titles.append(lines[at].lstrip("# "))
        at += 1
    dialogue.title = "; ".join(titles)
    while at < len(lines) and lines[at].strip():
        name, _, value = lines[at].partition(":")
        _heading(dialogue, name.strip(), value.strip())
        at += 1
    _steps(dialogue, lines, at)
    return dialogue


def _heading(dialogue: Dialogue, name: str, value: str) -> None:
    if name == "filter":
        dialogue.filters.append(tomllib.loads(f"filter = {{{value}}}")["filter"])
        return
    if name == "quota":
        dialogue.quota = int(value)
        return
    lists = {"dns": dialogue.dns, "send": dialogue.sent, "result": dialogue.results}
    if name in lists:
        lists[name].append(value)
        return
    kind = name.rstrip("0123456789")
    if kind in PRELUDES:
        connection = int(name.removeprefix(kind) or 1)
        dialogue.preludes.setdefault(connection, []).append((kind, value))
        return
    if name == "addresses":
        dialogue.addresses.update(tomllib.loads(value))
        return
    known = ("service", "tls", "cleartext", "given", "setting", "promises", "play", "ends")
    assert kind in known, f"{dialogue.path}: unknown heading {name}"
    if name == "given":
        dialogue.given.append(value)
    elif name == "setting":
        dialogue.settings.update(tomllib.loads(value))
    else:
        dialogue.headings[name] = value


def _steps(dialogue: Dialogue, lines: list[str], at: int) -> None:
    group: list[Expect] | None = None
    for number, text in enumerate(lines[at:], at + 1):
        if not text.strip() or text.startswith("#"):
            continue
        step = _step(dialogue.path, number, text, dialogue.is_client)
        if isinstance(step, Expect) and step.text == "{":
            group = []
        elif isinstance(step, Expect) and step.text == "}" and group is not None:
            dialogue.steps.append(ExpectInAnyOrder(number, step.connection, tuple(group)))
            group = None
        elif group is not None and isinstance(step, Expect):
            group.append(step)
        else:
            dialogue.steps.append(step)


def _step(path: Path, number: int, text: str, is_client: bool) -> Step:
    if passing := _PASS.fullmatch(text):
        return TimePasses(number, float(passing[1]))
    match = _LINE.fullmatch(text)
    assert match, f"{path}:{number}: not a line of a dialogue: {text!r}"
    side, connection, mark, rest = match[1], int(match[2] or 1), match[3], match[4]
    if rest == "(closes)":
        return Closes(number, connection, side == "S")
    if side == "S" and rest == "(anything untagged)":
        return Untagged(number, connection)
    if side == "C" and rest == "(starts TLS)":
        return StartTls(number, connection)
    if side == "S" and rest == "(breaks TLS off)":
        return TlsFails(number, connection)
    if side == ("S" if is_client else "C"):
        return Send(number, connection, rest, mark == "|")
    return Expect(number, connection, rest)
