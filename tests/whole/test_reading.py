"""ENVELOPE, BODYSTRUCTURE and SEARCH of odd messages, next to Dovecot's.

The rules are in docs/reading-mail.md, and where we differ from Dovecot.
"""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole import nasty_messages
from tests.whole.dovecot_config import dovecot_version
from tests.whole.imap_values import Value, fetched, replies
from tests.whole.live import needs
from tests.whole.nasty_messages import EXTENDED, REPEATED, Generator, NastyMessage, Odd
from tests.whole.peers import give
from tests.whole.reading_rows import MESSAGES as ROWS
from tests.whole.shared_maildir import SharedMaildir, done, shared_maildir

pytestmark = pytest.mark.whole

MESSAGES = 400
SEED = 5322
MEMBERS = (
    *("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc"),
    *("in-reply-to", "message-id"),
)
PLACEHOLDERS = (b"MISSING_MAILBOX", b"MISSING_DOMAIN")  # of Dovecot
DOCUMENT = Path(__file__).parents[2] / "docs" / "reading-mail.md"


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedMaildir]:
    with shared_maildir(monkeypatch) as found:
        yield found


def absent_rows() -> set[str]:
    """Return the rows of the document that do not concern the Dovecot that is installed."""
    return {EXTENDED, REPEATED} if dovecot_version(needs("dovecot")) < (2, 4) else set()


def put(maildir: Path, messages: list[bytes]) -> None:
    """Write messages into a maildir, as another program would."""
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir()
        give(maildir / name)
    for number, octets in enumerate(messages, 1):
        path = maildir / "cur" / f"{1_700_000_000 + number}.M{number}.host:2,S"
        path.write_bytes(octets)
        give(path)


# ---------------------------------------------------------------- what is the same on both sides


def one_space(value: Value) -> Value:
    """Leave one space of any white space, none at the ends, and nothing for NIL."""
    return b" ".join(value.split()) if isinstance(value, bytes) else value or b""


def plain_envelope(envelope: Value) -> dict[str, Value]:
    """Return an envelope by its members' names, without Dovecot's placeholders for what is missing."""
    assert isinstance(envelope, list)
    assert len(envelope) == len(MEMBERS)
    found = {}
    for name, value in zip(MEMBERS, envelope, strict=True):
        found[name] = plain_addresses(value) if isinstance(value, list) else one_space(value)
    return found


def plain_addresses(value: list[Value]) -> list[Value]:
    found: list[Value] = []
    for one in value:
        assert isinstance(one, list)
        parts = [b"" if part in PLACEHOLDERS else one_space(part) for part in one[:3]]
        domain = b"" if one[3] in PLACEHOLDERS else one[3]
        if any(parts) or domain is None or domain:
            found.append([*parts, domain])
    return found


def plain_structure(value: Value) -> Value:
    """Return a body structure with names in lower case, and the default charset where Dovecot has it."""
    assert isinstance(value, list)
    if isinstance(value[0], list):
        count = next(at for at, part in enumerate(value) if not isinstance(part, list))
        parts = [plain_structure(part) for part in value[:count]]
        return [
            parts,
            lower(value[count]),
            parameters(value[count + 1]),
            *extension(value[count + 2 :]),
        ]
    kind, subtype = lower(value[0]), lower(value[1])
    shown = parameters(value[2])
    if kind == b"text" and not any(name == b"charset" for name, _ in shown):
        shown = sorted([*shown, (b"charset", b"us-ascii")], key=str)
    basic = [
        kind,
        subtype,
        shown,
        one_space(value[3]),
        one_space(value[4]),
        lower(value[5]),
        value[6],
    ]
    rest = value[7:]
    if kind == b"message" and isinstance(rest[0], list):
        basic += [plain_envelope(rest[0]), plain_structure(rest[1]), rest[2]]
        rest = rest[3:]
    elif kind == b"text":
        basic.append(rest.pop(0))
    return [*basic, one_space(rest[0]), *extension(rest[1:])]


def lower(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value.lower()


def parameters(value: Value) -> list[tuple[Value, Value]]:
    pairs = value or []
    assert isinstance(pairs, list)
    names = map(lower, pairs[::2])
    return sorted(zip(names, map(one_space, pairs[1::2]), strict=True), key=str)


def extension(value: list[Value]) -> list[object]:
    how, languages, location = value
    shown: object = None
    if isinstance(how, list):
        shown = lower(how[0]), parameters(how[1])
    return [shown, languages or [], one_space(location)]


# ---------------------------------------------------------------- the tests


class Both:
    """A mailbox of messages as Dovecot shows it, and as we do."""

    def __init__(self, theirs: imaplib.IMAP4, ours: imaplib.IMAP4) -> None:
        self.clients = theirs, ours
        for client in self.clients:
            done(client.select("INBOX", readonly=True))

    def envelopes(self) -> Iterator[tuple[dict[str, Value], dict[str, Value]]]:
        """Return both envelopes of each message."""
        shown = [map(plain_envelope, fetched(client, b"ENVELOPE")) for client in self.clients]
        return zip(*shown, strict=True)

    def structures(self) -> Iterator[tuple[Value, Value]]:
        """Return both structures of each message."""
        shown = [map(plain_structure, fetched(client, b"BODYSTRUCTURE")) for client in self.clients]
        return zip(*shown, strict=True)

    def find(self, command: bytes) -> list[bool]:
        """Return whether Dovecot finds anything, and whether we do."""
        answers = [replies(client, command) for client in self.clients]
        return [any(re.search(rb"SEARCH.*\d", one) for one in answer) for answer in answers]


@contextmanager
def served(ground: SharedMaildir, octets: list[bytes]) -> Iterator[Both]:
    put(ground.maildir, octets)
    with ground.dovecot_serves() as (theirs, _), ground.live_serves() as (ours, _):
        yield Both(theirs, ours)


def test_odd_messages_are_read_as_dovecot_reads_them(ground: SharedMaildir) -> None:
    generator = Generator(SEED)
    messages = [generator.message() for _ in range(MESSAGES)]
    with served(ground, [message.octets for message in messages]) as both:
        wrong = [
            *different_envelopes(messages, both),
            *different_structures(messages, both),
            *different_searches(messages, both),
        ]
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:10])


def different_envelopes(messages: list[NastyMessage], both: Both) -> Iterator[str]:
    for message, (their, our) in zip(messages, both.envelopes(), strict=True):
        for name in MEMBERS:
            rows = set(message.rows.get(name, ()))
            if name in ("sender", "reply-to"):  # From may stand in for them
                rows |= message.rows.get("from", set())
            if their[name] != our[name] and not rows:
                yield f"{name}: Dovecot {their[name]}, we {our[name]}, of {message.octets!r}"


def different_structures(messages: list[NastyMessage], both: Both) -> Iterator[str]:
    absent = absent_rows()
    for message, (their, our) in zip(messages, both.structures(), strict=True):
        if their != our and not message.rows.get("body", set()) - absent:
            yield f"structure: Dovecot {their}\nwe {our}\nof {message.octets!r}"


def different_searches(messages: list[NastyMessage], both: Both) -> Iterator[str]:
    """Yield what we do not find, and what Dovecot does not but for a row that explains it."""
    for number, message in enumerate(messages, 1):
        for name, key in message.searches:
            their, our = both.find(b"SEARCH %d %b" % (number, key))
            if not our or not (their or message.rows.get(name)):
                yield f"{key!r}: Dovecot {their}, we {our}, in {message.octets!r}"


def test_where_we_differ_from_dovecot_the_document_says_so(ground: SharedMaildir) -> None:
    rows = {name: octets for name, octets in ROWS.items() if name not in absent_rows()}
    with served(ground, list(rows.values())) as both:
        shown = zip(rows, both.envelopes(), both.structures(), strict=True)
        same = [
            name
            for name, envelopes, structures in shown
            if envelopes[0] == envelopes[1] and structures[0] == structures[1]
        ]
    assert not same


def test_every_row_of_the_document_has_a_message() -> None:
    documented = re.findall(r"^\| `([a-z0-9-]+)` ", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(ROWS)
    tables = [table for table in vars(nasty_messages).values() if isinstance(table, tuple)]
    odds = [odd for table in tables for odd in table if isinstance(odd, Odd)]
    assert {odd.row for odd in odds if odd.row} <= set(ROWS)
