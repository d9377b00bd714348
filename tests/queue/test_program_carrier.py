import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.queue.scripted_work import ScriptedWork
from twisted_mail.interfaces import Site, SiteLimits
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.program import (
    KILLED,
    UNKNOWN_PROGRAM,
    Program,
    ProgramEnd,
    outcome_of_exit_code,
)
from twisted_mail.queue.program_carrier import ProgramCarrier, environment, with_lf
from twisted_mail.testing.doubles import EPOCH, InlineBlocking, StillClock, finish

TICKET = Program("ticket", ("/bin/ticket",), max_running=3)
TARGET = ProgramTarget("ticket", parse("tickets+7@example.org"), "7")
OTHER = ProgramTarget("ticket", parse("help@example.org"))
MESSAGE = Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"), b"Received: x\r\n")


def transaction(*targets: ProgramTarget, sender: Address | None = None, **more: Any) -> Transaction:
    job = QueuedJob("0abc", 1.0, sender or parse("a@b.example"), submitter="a@b.example", **more)
    owed = tuple(OwedRecipient(number, one) for number, one in enumerate(targets, 1))
    return Transaction(job, owed, MESSAGE)


class Runs:
    """Runs of programs: what each got, and how it ends."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.seen: list[tuple[str, bytes]] = []

    def __call__(
        self, program: Program, values: Mapping[str, str], message: Iterable[bytes]
    ) -> ProgramEnd:
        self.seen.append((values["RECIPIENT"], b"".join(message)))
        code = self.codes.pop(0) if self.codes else 0
        return ProgramEnd(outcome_of_exit_code(code), "said")


def carrier(runs: Any) -> ProgramCarrier:
    return ProgramCarrier([TICKET], runs, InlineBlocking(), StillClock())


def serve(runs: Any, *transactions: Transaction) -> ScriptedWork:
    work = ScriptedWork(*transactions)
    finish(carrier(runs).serve(Site("program", "ticket"), work))
    return work


def test_a_program_gets_sender_recipient_and_detail_in_its_environment() -> None:
    values = environment(transaction(TARGET), TARGET)
    assert values["SENDER"] == "a@b.example"
    assert values["RECIPIENT"] == "tickets+7@example.org"
    assert (values["LOCAL"], values["DOMAIN"]) == ("tickets+7", "example.org")
    assert (values["EXTENSION"], values["MESSAGE"]) == ("7", "0abc")
    assert values["SUBMITTER"] == "a@b.example"


def test_nothing_that_means_something_to_a_shell_reaches_a_program() -> None:
    sender = Address("() { :;}; `id` $(id) \"'\\|&<>*?", "b.example")
    odd = ProgramTarget("ticket", Address("x;y\u202e", "example.org"), "$IFS")
    told = environment(transaction(odd, sender=sender), odd)
    assert not set("() {};`$'\"\\|&<>*?\u202e") & set("".join(told.values()))
    assert environment(transaction(TARGET, sender=NULL), TARGET)["SENDER"] == ""


def test_the_message_has_the_last_trace_fields_and_lf() -> None:
    runs = Runs()
    work = serve(runs, transaction(TARGET))
    trace = b"Return-Path: <a@b.example>\nDelivered-To: tickets+7@example.org\nReceived: x\n"
    assert runs.seen == [("tickets+7@example.org", trace + b"Subject: x\n\nbody\n")]
    assert work.attempts["0abc", 1] == Attempt(outcome_of_exit_code(0), EPOCH, output="said")


def test_octets_of_a_binary_message_stay_as_they_are() -> None:
    runs = Runs()
    serve(runs, transaction(TARGET, mail_parameters=MailParameters(body="BINARYMIME")))
    assert runs.seen[0][1].endswith(b"Received: x\r\nSubject: x\r\n\r\nbody\r\n")


def test_a_program_runs_for_each_recipient_and_each_ends_by_itself() -> None:
    runs = Runs(0, 75)
    work = serve(runs, transaction(TARGET, OTHER))
    assert [who for who, _ in runs.seen] == ["tickets+7@example.org", "help@example.org"]
    assert [one.code for one in work.outcomes] == [250, 451]


def test_a_program_is_a_site_that_runs_as_often_as_it_may() -> None:
    made = carrier(Runs())
    assert finish(made.site(Destination("program", "ticket"))) == Site(
        "program", "ticket", SiteLimits(3, 3)
    )
    unknown = finish(made.site(Destination("program", "gone")))
    assert isinstance(unknown, Attempt)
    assert unknown.outcome == UNKNOWN_PROGRAM
    assert unknown.outcome.is_temporary


def test_what_the_end_of_the_server_kills_is_not_noted() -> None:
    work = ScriptedWork(transaction(TARGET, OTHER))

    def killed(*_: object) -> ProgramEnd:
        made.stop()
        return ProgramEnd(KILLED)

    made = carrier(killed)
    finish(made.serve(Site("program", "ticket"), work))
    assert work.attempts == {}


def test_a_program_for_which_there_is_no_thread_is_tried_later() -> None:
    def stopped(*_: object) -> ProgramEnd:
        raise Unavailable("the server is stopping")

    assert serve(stopped, transaction(TARGET)).outcomes[0].is_temporary


@given(st.text("a\r\n").map(str.encode), st.lists(st.integers(0, 20)))
def test_line_ends_are_the_same_for_any_split(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:stop] for start, stop in itertools.pairwise(places)]
    assert b"".join(with_lf(pieces)) == data.replace(b"\r\n", b"\n")
