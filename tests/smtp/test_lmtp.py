"""LMTP: a reply for each recipient, whatever happens."""

import dataclasses
from typing import Any

from tests.smtp.fakes import SmtpFixture, lines
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.smtp.arrival.steps import lmtp_steps
from twisted_mail.smtp.lmtp import LMTP_COMMANDS, LmtpLoop
from twisted_mail.smtp.session import Phase
from twisted_mail.smtp.settings import LmtpSettings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

ALICE, BOB = "RCPT TO:<alice@example.org>", "RCPT TO:<bob@example.org>"
MESSAGE = ("DATA", "Subject: x", "", "Blah", ".")
START = ("LHLO foo.edu", "MAIL FROM:<a@client.example>")


class FakeDelivery:
    def __init__(self, **answers: Outcome) -> None:
        self.answers = {parse(f"{name}@example.org"): answer for name, answer in answers.items()}
        self.trouble: Exception | None = None
        self.envelopes: list[Any] = []

    async def deliver_each(self, envelope: Any, message: Any) -> Any:
        message.blob.close()
        if self.trouble is not None:
            raise self.trouble
        self.envelopes.append(envelope)
        return {one: self.answers.get(one) for one in envelope.recipients}


def say(
    *texts: str, delivery: FakeDelivery, smtp: SmtpFixture | None = None, **settings: Any
) -> Any:
    smtp = smtp or SmtpFixture()
    wire = ScriptedWire([lines(*texts)])
    lmtp = LmtpSettings(**settings)
    doors = dataclasses.replace(
        smtp.doors(),
        delivery=delivery,  # type: ignore[arg-type]
        arrival=lmtp_steps(lmtp),
    )
    finish(LmtpLoop(wire, lmtp, doors).run())
    greeting, *said = wire.written.decode().split("\r\n")[:-1]
    assert greeting == "220 mail.example.org LMTP twisted_mail ready"
    return [line for line in said if not line.startswith("250-")][1:]


def test_each_recipient_has_an_answer_of_its_own() -> None:
    busy = Outcome(452, "4.3.1", "The disk is full")
    smtp, delivery = SmtpFixture(), FakeDelivery(bob=busy)
    said = say(*START, BOB, ALICE, BOB, *MESSAGE, delivery=delivery, smtp=smtp)
    assert said[-3] == "452 4.3.1 <bob@example.org> The disk is full"
    assert said[-2].startswith("250 2.0.0 <alice@example.org> Ok: queued as ")
    assert said[-1] == said[-3]
    assert delivery.envelopes[0].client_host == "192.0.2.1"
    told = "from=<a@client.example> to=<bob@example.org> 452 4.3.1 The disk is full"
    assert smtp.events("refused")[0][3] == told
    assert [str(one) for one in delivery.envelopes[0].recipients] == [
        "bob@example.org",
        "alice@example.org",
    ]


def test_a_message_that_nobody_got_is_answered_so() -> None:
    full = Outcome(552, "5.2.2", "Full")
    said = say(*START, BOB, *MESSAGE, delivery=FakeDelivery(bob=full))
    assert said[-1] == "552 5.2.2 <bob@example.org> Full"


def test_a_failure_of_the_whole_is_told_to_each() -> None:
    delivery = FakeDelivery()
    delivery.trouble = Unavailable(Outcome(451, "4.3.0", "not now"))
    said = say(*START, ALICE, BOB, *MESSAGE, "NOOP", delivery=delivery)
    assert said[-3:] == [
        "451 4.3.0 <alice@example.org> not now",
        "451 4.3.0 <bob@example.org> not now",
        "250 2.0.0 Ok",
    ]


def test_a_bug_is_told_to_each_and_the_conversation_goes_on() -> None:
    smtp, delivery = SmtpFixture(), FakeDelivery()
    delivery.trouble = RuntimeError("secret inside")
    said = say(*START, ALICE, BOB, *MESSAGE, "NOOP", delivery=delivery, smtp=smtp)
    assert [line[:3] for line in said[-3:]] == ["451", "451", "250"]
    assert smtp.events("failed")
    assert "secret" not in "".join(said)


def test_recipients_that_repeat_are_not_endless() -> None:
    said = say(*START, *[ALICE] * 12, "QUIT", delivery=FakeDelivery(), max_recipients=10)
    assert [line[:3] for line in said[1:-1]] == ["250"] * 10 + ["452"] * 2


def test_the_queue_is_not_asked() -> None:
    smtp = SmtpFixture()
    say(*START, ALICE, *MESSAGE, delivery=FakeDelivery(), smtp=smtp)
    assert smtp.queue.accepted == []


def test_every_command_but_the_greeting_is_that_of_smtp() -> None:
    assert b"EHLO" not in LMTP_COMMANDS
    assert b"HELO" not in LMTP_COMMANDS
    assert all(
        b"LHLO" in command.refused[Phase.CONNECTED]
        for command in LMTP_COMMANDS.values()
        if Phase.CONNECTED in command.refused
    )
