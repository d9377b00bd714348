"""RCPT."""

from dataclasses import dataclass, field

import pytest

from tests.smtp.fakes import HELLO, LOGIN, MAIL, RCPT, SUBMISSION, FakeRouter, SmtpFixture, say
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import RemoteRoute, Route
from twisted_mail.smtp.settings import Settings, SubmissionSettings

MAIL_ALICE = "MAIL FROM:<alice@example.org>"


def test_a_refusal_for_now_is_no_error_of_the_client() -> None:
    replies = say(HELLO, MAIL, *["RCPT TO:<later@example.org>"] * 30)
    assert {reply[:3] for reply in replies[2:]} == {"450"}


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("RCPT TO:<alice@example.org>", "250 2.1.5"),
        ("RCPT TO: <alice@example.org>", "250 2.1.5"),
        ("RCPT TO:<Postmaster>", "250 2.1.5"),
        ("RCPT TO:<@a.example,@b.example:alice@example.org>", "250 2.1.5"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("RCPT TO:<later@example.org>", "450 4.2.1"),
        ("RCPT TO:<someone@elsewhere.example>", "550 5.7.1"),
        ("RCPT TO:<away@example.org>", "250 2.1.5"),
        ("RCPT TO:<alice@broken.example.org>", "451 4.3.0"),
        ("RCPT TO:<alice@example.org> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<alice>", "501 5.1.3"),
        ("RCPT", "501 5.5.4"),
    ],
)
def test_rcpt(command: str, reply: str) -> None:
    assert say(HELLO, MAIL, command)[-1][:9] == reply


def test_a_refused_recipient_is_in_the_journal_in_the_words_it_was_told() -> None:
    smtp = SmtpFixture()
    reply = say(HELLO, MAIL, "RCPT TO:<nobody@example.org>", smtp=smtp)[-1]
    ((service, peer, _, reason),) = smtp.events("refused")
    assert (service, peer.host) == ("smtp", "192.0.2.1")
    assert reason == f"from=<sender@client.example> to=<nobody@example.org> {reply}"


def test_a_recipient_named_twice_gets_one_copy() -> None:
    smtp = SmtpFixture()
    say(HELLO, MAIL, RCPT, RCPT, "DATA", ".", smtp=smtp)
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.recipients == (parse("alice@example.org"),)


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    """The recipients that the router was asked for."""
    asked: list[Address] = []
    route = FakeRouter.route

    async def counted(router: FakeRouter, recipient: Address) -> Route:
        asked.append(recipient)
        return await route(router, recipient)

    monkeypatch.setattr(FakeRouter, "route", counted)
    return asked


def test_after_too_many_targets_nothing_is_looked_up(routed: list[Address]) -> None:
    settings = Settings(max_targets=1, max_recipients=9)
    replies = say(HELLO, MAIL, RCPT, *["RCPT TO:<bob@example.org>"] * 9, settings=settings)
    assert [reply[:3] for reply in replies[2:]] == ["250"] + ["452"] * 9
    assert len(routed) == 2


@pytest.mark.parametrize("number", [3, 4])
def test_recipients_beyond_too_many_targets_are_errors_after_as_many_again(number: int) -> None:
    settings = Settings(max_targets=1, max_recipients=2, hard_errors=1)
    wanted = [f"RCPT TO:<{name}@example.org>" for name in ("alice", "bob", "bob", "bob")]
    replies = say(HELLO, MAIL, *wanted[:number], "NOOP", settings=settings)
    assert [reply[:3] for reply in replies[2:6]] == ["250", "452", "452", "452"][:number] + (
        ["250"] if number == 3 else []
    )
    assert replies[-1].startswith("250 2.0.0" if number == 3 else "421 4.7.0")


def test_a_recipient_named_again_is_routed_once_and_counts(routed: list[Address]) -> None:
    replies = say(HELLO, MAIL, *[RCPT] * 9, settings=Settings(max_recipients=5))
    assert [reply[:3] for reply in replies[2:]] == ["250"] * 5 + ["452"] * 4
    assert len(routed) == 1


def test_targets_are_forgotten_when_a_message_is_accepted() -> None:
    settings = Settings(max_targets=1)
    message = [MAIL, RCPT, "DATA", "."]
    replies = say(HELLO, *message, *message, MAIL, RCPT, "RSET", MAIL, RCPT, settings=settings)
    assert [reply[:3] for reply in replies[1:]] == [
        *["250", "250", "354", "250"] * 2,
        *["250", "250", "250", "250", "452"],
    ]


def test_too_many_recipients_are_452_and_the_others_get_the_message() -> None:
    smtp = SmtpFixture()
    settings = Settings(max_recipients=2)
    tries = [f"RCPT TO:<{name}@example.org>" for name in ("alice", "bob", "carol")]
    replies = say(HELLO, MAIL, *tries, "DATA", ".", smtp=smtp, settings=settings)
    assert [reply[:9] for reply in replies[4:6]] == ["452 4.5.3", "354 End d"]
    assert len(smtp.queue.accepted[0][0].recipients) == 2


def test_recipients_far_beyond_the_limit_are_errors() -> None:
    replies = say(HELLO, MAIL, RCPT, *[RCPT] * 99, settings=Settings(max_recipients=1))
    assert len(replies) == 3 + 1 + 20 + 1
    assert replies[-1].startswith("421 4.7.0")


# ------------------------------------------------------------ other domains

ELSEWHERE = "RCPT TO:<a@b.example>"


@dataclass
class FakeDomainCheck:
    """Knows one domain that takes no mail; keeps what it was asked."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    async def refusal(self, domain: str, asker: str) -> Outcome | None:
        self.asked.append((domain, asker))
        is_typo = domain == "typo.example"
        return Outcome(550, "5.1.2", "The domain does not exist") if is_typo else None


def test_who_has_logged_in_may_send_to_other_domains() -> None:
    smtp = SmtpFixture()
    commands = ["EHLO c", LOGIN, MAIL_ALICE, ELSEWHERE, "DATA", "Subject: x", "", "."]
    reply = say(*commands, smtp=smtp, settings=SUBMISSION)[-1]
    assert reply.startswith("250 2.0.0")
    ((envelope, _),) = smtp.queue.accepted
    assert envelope.recipients == (parse("a@b.example"),)
    assert envelope.routes is not None
    assert envelope.routes.by_recipient == {
        parse("a@b.example"): RemoteRoute((parse("a@b.example"),))
    }


def test_strangers_may_not() -> None:
    smtp = SmtpFixture(domain_check=FakeDomainCheck())
    assert say(HELLO, MAIL, ELSEWHERE, smtp=smtp)[-1] == "550 5.7.1 Relaying denied"
    assert smtp.domain_check.asked == []


def test_an_alias_that_leads_away_is_for_everyone() -> None:
    smtp = SmtpFixture(domain_check=FakeDomainCheck())
    assert say(HELLO, MAIL, "RCPT TO:<away@example.org>", smtp=smtp)[-1].startswith("250 2.1.5")
    assert smtp.domain_check.asked == []


def test_a_typo_in_the_domain_is_answered_while_one_still_writes() -> None:
    smtp = SmtpFixture(domain_check=FakeDomainCheck())
    commands = ["EHLO c", LOGIN, MAIL_ALICE, "RCPT TO:<a@typo.example>", ELSEWHERE]
    replies = say(*commands, smtp=smtp, settings=SUBMISSION)
    assert replies[-2:] == ["550 5.1.2 The domain does not exist", "250 2.1.5 Recipient ok"]
    assert smtp.domain_check.asked == [
        ("typo.example", "alice@example.org"),
        ("b.example", "alice@example.org"),
    ]


def test_addresses_elsewhere_count_as_targets() -> None:
    settings = SubmissionSettings(max_targets=1)
    replies = say(
        "EHLO c", LOGIN, MAIL_ALICE, ELSEWHERE, "RCPT TO:<c@b.example>", settings=settings
    )
    assert [reply[:3] for reply in replies[-2:]] == ["250", "452"]
