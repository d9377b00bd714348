"""What an error of the disk does to a distribution: it is reported, and the post is sent later."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.distribution import Distribution
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import parse
from twisted_mail.mail.delivery_result import Completion
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import MailingList, Member
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

NEWS = parse("news@example.org")
MEMBERS = (Member(1, parse("alice@example.org")), Member(2, parse("bob@example.org")))
POST = MemoryBlob(b"Subject: x\r\n\r\nhello\r\n")
FULL = OSError(28, "No space left on device")


class Lists:
    """The directory of lists: one with two members."""

    async def secret(self) -> bytes:
        return b"secret"

    async def members(self, name: str, after: int, most: int) -> Sequence[Member]:
        return [member for member in MEMBERS if member.number > after]


class Progress:
    """The notes of who has a copy; the disk may fail at either."""

    def __init__(self) -> None:
        self.noted: set[int] = set()
        self.error_of_reading: OSError | None = None
        self.error_of_writing: OSError | None = None

    def done(self, id: str) -> set[int]:
        if self.error_of_reading is not None:
            raise self.error_of_reading
        return set(self.noted)

    def note_done(self, id: str, numbers: Iterable[int]) -> None:
        if self.error_of_writing is not None:
            raise self.error_of_writing
        self.noted.update(numbers)


class Copies:
    """The queue: who has got a copy."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def accept(self, envelope: Envelope, message: Message) -> None:
        self.taken += [str(one) for one in envelope.recipients]


class Bench:
    """A distribution, and what it reports."""

    def __init__(self) -> None:
        self.progress, self.copies = Progress(), Copies()
        self.reports: list[tuple[str, Exception]] = []
        unused: Any = None
        doubles: dict[str, Any] = {
            "lists": Lists(),
            "queue": self.copies,
            "progress": self.progress,
            "blocking": InlineBlocking(),
        }
        backend = ListBackend(
            "mail.example.org",
            mailer=unused,
            held=unused,
            clock=StillClock(),
            journal=unused,
            settings=ListSettings(),
            report_fault=lambda where, error: self.reports.append((where, error)),
            **doubles,
        )
        self.distribution = Distribution(backend, unused)

    def send(self) -> Completion:
        job = Job("id1-1", 0.0, MEMBERS[0].address, target=None)  # type: ignore[arg-type]
        return finish(self.distribution.send(MailingList("news", NEWS), job, POST)).completion


def test_without_an_error_everybody_gets_a_copy_and_nothing_is_reported() -> None:
    bench = Bench()
    assert bench.send() is Completion.DONE
    assert bench.copies.taken == ["alice@example.org", "bob@example.org"]
    assert bench.progress.noted == {1, 2}
    assert bench.reports == []


def test_notes_that_cannot_be_read_are_reported_and_nobody_gets_a_copy_yet() -> None:
    bench = Bench()
    bench.progress.error_of_reading = FULL
    with pytest.raises(Unavailable, match="cannot be read"):
        bench.send()
    assert bench.reports == [("job id1-1", FULL)]
    assert bench.copies.taken == []


def test_notes_that_cannot_be_written_are_reported_and_the_post_goes_on_later() -> None:
    bench = Bench()
    bench.progress.error_of_writing = FULL
    with pytest.raises(Unavailable, match="cannot be kept"):
        bench.send()
    assert bench.reports == [("job id1-1", FULL)]
    bench.progress.error_of_writing = None
    assert bench.send() is Completion.DONE
    assert bench.progress.noted == {1, 2}
