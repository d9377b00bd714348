"""Who a submitted message may say it is from."""

import pytest

from tests.smtp.arrival.arrivals import ALICE, spooled, submit
from tests.smtp.fakes import HELLO, LOGIN, RCPT, FakeSubmitter, SmtpFixture, lines
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp.arrival import author
from twisted_mail.smtp.settings import SubmissionSettings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

NOT_YOURS = "550 5.7.1 From and Sender have to be addresses of your account"


@pytest.mark.parametrize(
    "fields",
    [
        ["From: Alice <alice@example.org>"],
        ['From: "Bob <bob@example.org>" <alice@example.org>'],
        ["From: alice@example.org", "Sender: alice@EXAMPLE.org"],
        ["From: team: alice@example.org, Alice <alice@example.org>;"],
        ["Subject: neither"],
    ],
)
def test_an_author_of_the_account_may_write(fields: list[str]) -> None:
    said, smtp = submit(*fields, "", "Hello", checks_author=True)
    assert said.startswith("250 ")
    assert len(smtp.queue.accepted) == 1


@pytest.mark.parametrize(
    "fields",
    [
        ["From: Bob <bob@example.org>"],
        ["From: alice@example.org, bob@example.org"],
        ["From: alice@example.org", "From: alice@example.org"],
        ["From: alice@example.org", "Sender: bob@example.org"],
        ["from : bob@example.org"],
        ["FROM:", " bob@example.org"],
        ["From: alice@example.org", "sender: bob@example.org"],
        ["From:"],
        ["From: nobody at all"],
        ["From: undisclosed:;"],
        ["From: alice@[not-an-address]"],
        [b"From: \xff@example.org"],
    ],
)
def test_others_may_not_be_named_as_authors(fields: list[str | bytes]) -> None:
    said, smtp = submit(*fields, "", "Hello", checks_author=True)
    assert said == NOT_YOURS
    assert smtp.queue.accepted == []


def test_while_many_authors_are_looked_at_others_have_their_turn() -> None:
    def turns(authors: int) -> int:
        field = f"From: {', '.join([ALICE] * authors)}"
        talk = lines(HELLO, LOGIN, f"MAIL FROM:<{ALICE}>", RCPT, "DATA", field, "", ".")
        wire = ScriptedWire([talk])
        said = SmtpFixture().hold(wire, SubmissionSettings(checks_author=True))
        assert said[-1].startswith("250 ")
        return wire.turns

    assert turns(500) >= turns(1) + 499


def test_authors_are_free_unless_they_are_checked() -> None:
    assert submit("From: bob@example.org", "", "Hello")[0].startswith("250 ")


def test_a_report_names_its_author_truly_in_any_case() -> None:
    assert submit("From: bob@example.org", "", "Hello", sender="")[0] == NOT_YOURS
    assert submit("From: alice@example.org", "", "Hello", sender="")[0].startswith("250 ")


def test_reports_may_be_forbidden() -> None:
    smtp = SmtpFixture()
    talk = lines(HELLO, LOGIN, "MAIL FROM:<>")
    said = smtp.hold(ScriptedWire([talk]), SubmissionSettings(takes_null_sender=False))
    assert said[-1] == "553 5.7.1 This sender address does not belong to your account"


def test_an_author_is_looked_at_where_somebody_has_logged_in() -> None:
    whole = spooled(header=b"From: bob@example.org\r\n", checks_author=True)
    finish(author.check_author(whole))
    whole.session.submitter = FakeSubmitter()
    with pytest.raises(Refused):
        finish(author.check_author(whole))
