"""How odd messages are read, next to Dovecot: ENVELOPE, BODYSTRUCTURE, sections and SEARCH.

The rules are in docs/reading-mail.md, and where we differ from Dovecot.
"""

import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.dovecot_config import dovecot_version
from tests.whole.live import needs
from tests.whole.reading import searches, sections
from tests.whole.reading.both import served
from tests.whole.reading.cases import Version
from tests.whole.reading.comparison import Comparison
from tests.whole.reading.messages import CASES, Generator, OddMessage
from tests.whole.reading.searches import keys
from tests.whole.reading.sections import names_of

pytestmark = pytest.mark.whole

Report = Callable[[Comparison], None]

MESSAGES = 400
FETCHED = 150  # messages all of whose sections are fetched
SEED = 5322
MOST_EXCUSED = 0.05  # of the values that are compared
DOCUMENT = Path(__file__).parents[2] / "docs" / "reading-mail.md"


@pytest.fixture
def version() -> Version:
    return dovecot_version(needs("dovecot"))


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Record how many values were compared, and fail if any is wrong."""

    def reported(found: Comparison) -> None:
        record_property("values", found.values)
        record_property("excused", found.excused)
        sys.stdout.write(f"{found}\n")
        assert not found.wrong, f"{len(found.wrong)} differ:\n" + "\n".join(found.wrong[:10])
        assert found.excused < MOST_EXCUSED * found.values

    return reported


def made(version: Version, number: int, with_cases: float = 0.0) -> list[OddMessage]:
    generator = Generator(random.Random(SEED), version, with_cases)
    return [generator.message() for _ in range(number)]


def octets_of(messages: list[OddMessage]) -> list[bytes]:
    return [message.octets for message in messages]


def test_odd_messages_are_read_as_dovecot_reads_them(version: Version, report: Report) -> None:
    messages = made(version, MESSAGES, with_cases=0.4)
    found = Comparison()
    with served(octets_of(messages)) as both:
        found.attributes(messages, both)
    report(found)


def test_sections_are_those_of_dovecot(version: Version, report: Report) -> None:
    messages = made(version, FETCHED)
    found = Comparison()
    with served(octets_of(messages)) as both:
        for number, structure in enumerate(both.structures(), 1):
            found.sections(number, messages[number - 1], both, names_of(structure))
    report(found)


def test_search_finds_what_dovecot_finds(version: Version, report: Report) -> None:
    messages = made(version, MESSAGES)
    found = Comparison()
    with served(octets_of(messages)) as both:
        for key in keys():
            found.search(key, messages, both)
    report(found)


def test_where_we_differ_from_dovecot_both_say_what_the_cases_say(version: Version) -> None:
    generator = Generator(random.Random(SEED), version)
    cases = [case for some in CASES for case in some if case.concerns(version)]
    messages = [generator.message(case) for case in cases]
    assert all(message.excuses for message in messages)
    found = Comparison()
    with served(octets_of(messages)) as both:
        found.attributes(messages, both)
    assert not found.wrong


def test_a_part_that_is_not_there_is_nil() -> None:
    parts = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"
    absent = [b"2]", b"99.MIME]", b"1.HEADER]", b"1.TEXT]"]
    with served([parts]) as both:
        assert {(their, our) for _, their, our in both.sections(1, absent)} == {(b"", None)}
        assert list(both.sections(1, [b"1.1]"])) == [(b"1.1", b"x", None)]


def test_every_row_of_the_document_has_a_case() -> None:
    documented = re.findall(r"^\| `([a-z0-9-]+)` ", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    rows = {case.row for some in CASES for case in some}
    assert sorted(documented) == sorted(rows | sections.ROWS | searches.ROWS)
