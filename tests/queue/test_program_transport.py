import itertools
from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.delivery_result import Completion, DeliveryResult
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.program import UNKNOWN_PROGRAM, Program
from twisted_mail.queue.program_transport import ProgramTransport, environment, with_lf
from twisted_mail.testing.doubles import InlineBlocking, finish

TICKET = Program("ticket", ("/bin/ticket",))
TARGET = ProgramTarget("ticket", parse("tickets+7@example.org"), "7")
JOB = Job("0abc-1", 1.0, parse("a@b.example"), TARGET, submitter="a@b.example")


def test_a_program_gets_sender_recipient_and_detail_in_its_environment() -> None:
    values = environment(JOB, TARGET)
    assert values["SENDER"] == "a@b.example"
    assert values["RECIPIENT"] == "tickets+7@example.org"
    assert (values["LOCAL"], values["DOMAIN"]) == ("tickets+7", "example.org")
    assert (values["EXTENSION"], values["MESSAGE"]) == ("7", "0abc-1")


def test_nothing_that_means_something_to_a_shell_reaches_a_program() -> None:
    sender = Address("() { :;}; `id` $(id) \"'\\|&<>*?", "b.example")
    job = Job("x-1", 1.0, sender, TARGET)
    told = environment(job, ProgramTarget("ticket", Address("x;y\u202e", "example.org"), "$IFS"))
    assert not set("() {};`$'\"\\|&<>*?\u202e") & set("".join(told.values()))
    assert environment(Job("x-1", 1.0, NULL, TARGET), TARGET)["SENDER"] == ""


def test_the_message_has_the_last_trace_fields_and_lf() -> None:
    seen: list[bytes] = []

    def run(program: Program, told: Mapping[str, str], message: Iterable[bytes]) -> DeliveryResult:
        seen.append(b"".join(message))
        return DeliveryResult(Completion.DONE)

    errands = ProgramTransport([TICKET], run, InlineBlocking())
    blob = MemoryBlob(b"Subject: x\r\n\r\nbody\r\n")
    assert finish(errands.deliver(JOB, blob)).completion is Completion.DONE
    assert seen == [
        b"Return-Path: <a@b.example>\nDelivered-To: tickets+7@example.org\nSubject: x\n\nbody\n"
    ]
    other = Job("x-1", 1.0, NULL, ProgramTarget("other", TARGET.recipient))
    assert finish(errands.deliver(other, blob)) is UNKNOWN_PROGRAM


@given(st.text("a\r\n").map(str.encode), st.lists(st.integers(0, 20)))
def test_line_ends_are_the_same_for_any_split(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:stop] for start, stop in itertools.pairwise(places)]
    assert b"".join(with_lf(pieces)) == data.replace(b"\r\n", b"\n")
