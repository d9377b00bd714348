from collections.abc import Iterator

import pytest

from tests.queue.reports.reporting import LUNCH, message
from twisted_mail.mail.message import Message
from twisted_mail.queue.reports.original import MAX_HEADER, read_original


def test_a_small_message_is_kept_whole() -> None:
    original = read_original(message(), len(LUNCH))
    assert original.content == LUNCH
    assert original.header == LUNCH.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert original.subject == "Lunch on Friday"
    assert original.references == ("<lunch@example.org>",)
    assert not original.is_automatic


def test_of_a_larger_one_only_the_header_is() -> None:
    original = read_original(message(LUNCH + b"x" * 300_000), len(LUNCH))
    assert original.content is None
    assert original.header == LUNCH.partition(b"\r\n\r\n")[0] + b"\r\n"


class EndlessBlob:
    """A header without an end, of which no more is to be read than is needed."""

    size = 10**9

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        for _ in range(3):
            yield b"X: y\r\n" * 10_000
        raise AssertionError("it reads on")

    def close(self) -> None:
        pass


def test_a_header_is_read_to_its_limit_and_cut_between_lines() -> None:
    original = read_original(Message(EndlessBlob()), 1000)
    assert MAX_HEADER - 10 < len(original.header) <= MAX_HEADER
    assert original.header.endswith(b"X: y\r\n")


def test_one_line_longer_than_the_limit_is_cut_in_it() -> None:
    original = read_original(message(b"x" * 100_000), 1000)
    assert original.header == b"x" * MAX_HEADER


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\nbody", b"\n\n"])
def test_a_message_without_header(data: bytes) -> None:
    original = read_original(message(data), 1000)
    assert (original.header, original.subject, original.references) == (b"", "", ())


def test_what_it_answers_stands_before_it() -> None:
    data = b"References: <a@x>\r\n <b@x>\r\nMessage-ID: <c@x> (mine)\r\n\r\n"
    assert read_original(message(data), 1000).references == ("<a@x>", "<b@x>", "<c@x>")


@pytest.mark.parametrize(
    "data",
    [b"Message-ID: none\r\n\r\n", b"References: <a@x>\r\n\r\n", b"Message-ID: <a b>\r\n\r\n"],
)
def test_without_an_id_of_its_own_there_is_nothing_to_refer_to(data: bytes) -> None:
    assert read_original(message(data), 1000).references == ()


def test_references_are_bounded() -> None:
    many = b" ".join(b"<%d@x>" % number for number in range(1000))
    data = b"References: " + many + b"\r\nMessage-ID: <own@x>\r\n\r\n"
    references = read_original(message(data), 50_000).references
    assert len(references) == 21
    assert references[-2:] == ("<999@x>", "<own@x>")


@pytest.mark.parametrize(
    ("field", "is_automatic"),
    [
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: No (really)", False),
        ("Auto-Submitted: auto-replied; owner=x", True),
        ("Precedence: bulk", True),
        ("Precedence: first-class", False),
        ("List-Id: <news.example.org>", True),
    ],
)
def test_mail_of_programs_and_lists_is_automatic(field: str, is_automatic: bool) -> None:
    original = read_original(message(f"{field}\r\n\r\n".encode()), 1000)
    assert original.is_automatic is is_automatic
