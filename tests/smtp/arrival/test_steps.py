"""The steps of a message's arrival: their order, and each alone, without a connection."""

from dataclasses import replace
from typing import Any

import pytest

from tests.smtp.arrival.arrivals import NotingBlob, arrival, spooled
from tests.smtp.arrival.test_filter_stages import Judge
from tests.smtp.fakes import FakeQueue, SmtpFixture
from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict, refuse
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages, steps, trace
from twisted_mail.smtp.arrival.added_steps import with_added
from twisted_mail.smtp.arrival.arrival import NO_MESSAGE, Arrival
from twisted_mail.smtp.arrival.steps import finish_message, lmtp_steps, smtp_steps
from twisted_mail.smtp.backend import AddedStep, ArrivalStep
from twisted_mail.smtp.settings import LmtpSettings, Settings, SubmissionSettings
from twisted_mail.testing.doubles import finish

FULL = Outcome(452, "4.3.1", "The disk is full")


def run(whole: Arrival, *made: ArrivalStep) -> str:
    """Take a message through steps; return what is answered, and its text."""
    session = whole.session
    session.backend = replace(session.backend, arrival=(*made, ArrivalStep("answer", steps.answer)))
    finish(finish_message(session, whole.transaction, whole.incoming))
    return session.wire.written.decode()  # type: ignore[attr-defined,no-any-return]


def names(made: tuple[ArrivalStep, ...]) -> str:
    return " ".join(step.name for step in made)


# ---------------------------------------------------------------- the order


def test_the_steps_of_each_service_stand_in_their_order() -> None:
    plain = "fault spool tls-required loop own-fields trace filters edits discard accept answer"
    assert names(smtp_steps(Settings())) == plain.replace("own-fields", "own-fields nul")
    assert names(lmtp_steps(LmtpSettings())) == plain
    assert names(smtp_steps(SubmissionSettings())) == plain.replace(
        "own-fields", "own-fields header author bcc encoding nul"
    )


def test_a_service_has_those_steps_of_submission_that_it_is_set_to() -> None:
    made = smtp_steps(Settings(removes_bcc=True))
    assert "loop own-fields header author bcc nul trace" in names(made)


def test_lmtp_ends_in_its_own_way() -> None:
    smtp, lmtp = smtp_steps(Settings()), lmtp_steps(LmtpSettings())
    assert names([one for one in smtp if one not in lmtp]) == "nul accept answer"


def test_nothing_is_done_after_the_step_that_ends_the_arrival() -> None:
    done = []

    def end(whole: Arrival) -> None:
        whole.outcome = FULL

    after = ArrivalStep("after", lambda whole: done.append(whole))
    assert run(arrival(), ArrivalStep("end", end), after) == "452 4.3.1 The disk is full\r\n"
    assert done == []


def test_a_message_is_accepted_when_no_step_ends_its_arrival() -> None:
    whole = arrival()
    assert run(whole) == f"250 2.0.0 Ok: queued as {whole.envelope.id}\r\n"
    assert whole.session.transaction is None


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (Unavailable(FULL), "452 4.3.1 The disk is full\r\n"),
        (RuntimeError("inside"), "451 4.3.0 Something went wrong here; try again later\r\n"),
    ],
)
def test_a_step_that_fails_is_answered_and_the_octets_are_given_up(
    error: Exception, reply: str
) -> None:
    async def fail(whole: Arrival) -> None:
        NotingBlob.closed = 0
        whole.message = Message(NotingBlob(b""))
        raise error

    assert run(arrival(), ArrivalStep("fail", fail)) == reply
    assert NotingBlob.closed == 1


def test_the_steps_for_filters_are_taken_only_where_a_filter_is_asked() -> None:
    done = []
    made = ArrivalStep("filters", lambda whole: done.append(whole), is_for_filters=True)
    run(arrival(), made)
    assert done == []
    whole = arrival(smtp=SmtpFixture(filters=[Judge()]))
    finish(filter_stages.at_connection(whole.session))
    run(whole, made)
    assert len(done) == 1


def test_a_step_about_fields_is_taken_only_where_the_header_has_one_of_them() -> None:
    done: list[Arrival] = []
    spool = ArrivalStep("spool", steps.spool)
    made = ArrivalStep("loop", done.append, fields=frozenset((b"received", b"date")))
    for header in (b"Subject: x\r\n", b"X-Date: y\r\n", b""):
        run(arrival(header), spool, made)
    assert not done
    run(arrival(b"Subject: x\r\nDATE : y\r\n"), spool, made)
    assert len(done) == 1


def test_judging_editing_and_dropping_a_message_are_for_filters() -> None:
    for made in (smtp_steps(Settings()), lmtp_steps(LmtpSettings())):
        assert names(tuple(step for step in made if step.is_for_filters)) == "filters edits discard"


# ---------------------------------------------------------------- the steps


def test_a_fault_ends_the_arrival() -> None:
    whole = arrival()
    steps.refuse_fault(whole)
    assert whole.outcome is None
    whole.incoming.reject_content(FULL)
    steps.refuse_fault(whole)
    assert whole.outcome == FULL


def test_a_message_in_a_loop_is_refused() -> None:
    header = b"Received: from a\r\n" * 3
    few, many = arrival(header, max_hops=3), arrival(header, max_hops=2)
    for whole in (few, many):
        trace.refuse_loop(whole)
    assert few.outcome is None
    assert many.outcome is not None
    assert many.outcome.code == 554


def test_tls_is_optional_where_the_queue_can_keep_that() -> None:
    header = b"TLS-Required: No\r\n"
    plain, kept = (
        arrival(header),
        arrival(header, smtp=SmtpFixture(queue=FakeQueue({"TLS-Required"}))),
    )
    for whole in (plain, kept):
        steps.read_tls_required(whole)
    assert (plain.envelope.is_tls_optional, kept.envelope.is_tls_optional) == (False, True)


def test_a_message_is_spooled_as_it_came() -> None:
    whole = arrival()
    finish(steps.spool(whole))
    assert b"".join(whole.message.pieces()) == b"Subject: x\r\n\r\nwords\r\n"


def test_trace_is_put_in_front() -> None:
    whole = spooled()
    trace.add_trace(whole)
    assert whole.message.prefix.startswith(b"Received: from client.example ([192.0.2.1])\r\n")
    assert b" with ESMTP id " in whole.message.prefix


@pytest.mark.parametrize("place", ["spool", "loop", "bcc", "encoding", "trace"])
def test_no_step_drops_what_an_added_one_put_in_front(place: str) -> None:
    def label(whole: Arrival) -> None:
        message = whole.message
        whole.message = replace(message, prefix=b"X-Label: a\r\n" + message.prefix)

    smtp = SmtpFixture()
    whole = arrival(b"Bcc: c@example.org\r\n\r\n\0\r\n", smtp, removes_bcc=True, makes_legal=True)
    made = smtp_steps(whole.session.settings)
    added = AddedStep(ArrivalStep("label", label), ["smtp"], after=place)
    run(whole, *with_added(made, [added], "smtp")[:-1])
    [(_, message)] = smtp.queue.accepted
    data = b"".join(message.pieces())
    assert data.count(b"\r\nReceived: ") + data.startswith(b"Received: ") == 1
    assert data.count(b"X-Label: a\r\n") == 1
    assert b"Bcc" not in data
    assert b"\0" not in data


def test_filters_are_asked_where_there_are_any() -> None:
    assert filter_stages.judge_message(spooled()) is None


def test_what_a_filter_refuses_ends_the_arrival() -> None:
    class Refusing:
        stages = (FilterStage.MESSAGE,)

        async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
            return refuse("a word in it")

    whole = spooled(smtp=SmtpFixture(filters=[Refusing()]))
    finish(filter_stages.at_connection(whole.session))
    waiting: Any = filter_stages.judge_message(whole)
    finish(waiting)
    assert whole.outcome is not None
    assert whole.outcome.code == 550


def test_what_filters_want_dropped_is_accepted_and_goes_nowhere() -> None:
    whole = spooled()
    whole.verdict = ACCEPT
    filter_stages.discard_message(whole)
    assert whole.outcome is None
    whole.verdict = Verdict(Decision.DISCARD)
    filter_stages.discard_message(whole)
    assert whole.outcome == replies.accepted(whole.envelope.id)


def test_the_queue_gets_the_message_and_owns_it() -> None:
    smtp = SmtpFixture()
    whole = spooled(smtp=smtp)
    finish(steps.accept(whole))
    assert [envelope for envelope, _ in smtp.queue.accepted] == [whole.envelope]
    assert whole.message is NO_MESSAGE
    assert [size for _, size in smtp.events("received")] == [21]


def test_what_the_queue_refuses_was_not_received() -> None:
    smtp = SmtpFixture()
    smtp.queue.trouble = Refused(FULL)
    with pytest.raises(Refused):
        finish(steps.accept(spooled(smtp=smtp)))
    assert smtp.events("received") == []
