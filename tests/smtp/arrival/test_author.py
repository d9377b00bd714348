"""Who a submitted message may say it is from."""

import pytest

from tests.smtp.arrival.arrivals import ALICE, spooled, submit
from tests.smtp.fakes import HELLO, LOGIN, RCPT, FakeSubmitter, SmtpFixture, lines
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp.arrival import author
from twisted_mail.smtp.settings import SubmissionSettings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

NOT_YOURS = "550 5.7.1 {} may only have addresses that your account may send as"
UNREADABLE = (
    '550 5.1.7 {} is not of the form "Name <user@host>" of RFC 5322; a name with any of ()<>[]:;@,\\"'
    " has to be in quotes"
)
TWICE = "550 5.6.0 The header has {} more than once"


@pytest.mark.parametrize(
    "fields",
    [
        ["From: Alice <alice@example.org>"],
        ['From: "Bob <bob@example.org>" <alice@example.org>'],
        ['From: "bob@example.org" <alice@example.org>'],
        ["From: alice@example.org", "Sender: alice@EXAMPLE.org"],
        ["From: team: alice@example.org, Alice <alice@example.org>;"],
        ["From: alice@example.org", "Resent-From: alice@example.org"],
        [b"From: Andr\xe9 <alice@example.org>"],
        ["Subject: neither"],
    ],
)
def test_an_author_of_the_account_may_write(fields: list[str | bytes]) -> None:
    said, smtp = submit(*fields, "", "Hello")
    assert said.startswith("250 ")
    assert len(smtp.queue.accepted) == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (["From: Bob <bob@example.org>"], "From"),
        (["Subject: x", "To: y@example.org", "From: bob@example.org"], "From"),
        (["From: alice@example.org, bob@example.org"], "From"),
        (["From: alice@example.org", "Sender: bob@example.org"], "Sender"),
        (["from : bob@example.org"], "From"),
        (["from\x0b: bob@example.org"], "From"),
        (["FROM:", " bob@example.org"], "From"),
        (["From: alice@example.org", "sender: bob@example.org"], "Sender"),
        (["From: alice@example.org", "Resent-From: bob@example.org"], "Resent-From"),
        (["Resent-From: alice@example.org", "Resent-from: bob@example.org"], "Resent-From"),
        (["Resent-From: alice@example.org", "From: bob@example.org"], "From"),
        (["From: alice@example.org", "Resent-Sender: bob@example.org"], "Resent-Sender"),
    ],
)
def test_others_may_not_be_named_as_authors(fields: list[str], name: str) -> None:
    said, smtp = submit(*fields, "", "Hello")
    assert said == NOT_YOURS.format(name)
    assert smtp.queue.accepted == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (["From:"], "From"),
        (["From: nobody at all"], "From"),
        (["From: undisclosed:;"], "From"),
        (["From: alice@[not-an-address]"], "From"),
        ([b"From: \xff@example.org"], "From"),
        (["From: boss@example.org <alice@example.org>"], "From"),
        (["From: <@a:boss@example.org<alice@example.org>"], "From"),
        (["From: <alice@example.org>[<boss@example.org>["], "From"),
        (["From: alice@example.org", "Sender: alice@example.org, alice@example.org"], "Sender"),
        (
            ["From: alice@example.org", "Resent-Sender: alice@example.org, alice@example.org"],
            "Resent-Sender",
        ),
        (["From: alice@example.org", "Resent-From: alice@example.org;"], "Resent-From"),
    ],
)
def test_an_author_has_to_be_certain(fields: list[str | bytes], name: str) -> None:
    said, smtp = submit(*fields, "", "Hello")
    assert said == UNREADABLE.format(name)
    assert smtp.queue.accepted == []


@pytest.mark.parametrize("name", ["From", "Sender"])
def test_an_author_is_named_once(name: str) -> None:
    field = f"{name}: alice@example.org"
    assert submit(field, field, "", "Hello")[0] == TWICE.format(name)


@pytest.mark.parametrize(
    "header", [b"X: y\rFrom: bob@example.org\r\n", b"X: y\n\nFrom: bob@example.org\r\n"]
)
def test_no_line_of_a_binary_header_ends_for_some_readers_only(header: bytes) -> None:
    data = header + b"\r\nHello\r\n"
    mail = f"MAIL FROM:<{ALICE}> BODY=BINARYMIME"
    talk = lines(HELLO, LOGIN, mail, RCPT) + f"BDAT {len(data)} LAST\r\n".encode() + data
    smtp = SmtpFixture()
    said = smtp.hold(ScriptedWire([talk]), SubmissionSettings())
    assert said[-1].startswith("554 5.6.3 ")
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
    said, _ = submit("From: bob@example.org", "", "Hello", checks_author=False)
    assert said.startswith("250 ")


def test_a_report_names_its_author_truly_in_any_case() -> None:
    said, _ = submit("From: bob@example.org", "", "Hello", sender="", checks_author=False)
    assert said == NOT_YOURS.format("From")
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
