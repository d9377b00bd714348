"""Whole SMTP conversations with a mail filter behind them."""

from tests.policy.connections import FakeConnector
from tests.policy.milter import filters as milter
from tests.policy.milter.filters import FakeFilter, packet, texts
from tests.smtp.fakes import SmtpFixture, lines
from twisted_mail.mail.address import parse
from twisted_mail.policy.milter.filter import MilterFilter
from twisted_mail.policy.milter.settings import MilterSettings
from twisted_mail.testing.doubles import InlineBlocking
from twisted_mail.testing.wire import ScriptedWire

MESSAGE = [
    "MAIL FROM:<a@client.example>",
    "RCPT TO:<alice@example.org>",
    "RCPT TO:<bob@example.org>",
    "DATA",
    "Subject: hello",
    "",
    "words",
    ".",
]


def held(other, *said):
    """Return the server's lines after EHLO, the fixture, and the connector."""
    connector = FakeConnector(lambda: other)
    asked = MilterFilter(MilterSettings(), "mail.example.org", connector, InlineBlocking())
    smtp = SmtpFixture(filters=[asked])
    found = smtp.hold(ScriptedWire([lines("EHLO client.example", *said, "QUIT")]))
    greeted = next(at for at, line in enumerate(found) if line.startswith("250 "))
    return found[greeted + 1 :], smtp, connector


def test_the_filter_alters_what_is_handed_on():
    said = [
        milter.add(b"X-End", b"1"),
        milter.insert(1, b"X-First", b"a;\n\tb"),
        milter.change(1, b"Subject", b"other"),
        packet(b"b", b"new\r\n"),
        packet(b"-", texts(b"<alice@example.org>")),
        packet(b"q", texts(b"odd")),
        milter.ACCEPT,
    ]
    found, smtp, _ = held(FakeFilter({b"E": b"".join(said)}), *MESSAGE)
    assert found[-2].startswith("250 2.0.0 Ok: queued as ")
    ((envelope, message),) = smtp.queue.accepted
    assert envelope.recipients == (parse("bob@example.org"),)
    assert envelope.is_quarantined
    whole = b"".join(message.pieces())
    assert whole.startswith(b"X-Verdict: quarantine (filter0: odd)\r\nReceived: ")
    assert whole.endswith(
        b"\r\nX-First: a;\r\n\tb\r\nSubject: other\r\nX-End: 1\r\n\r\nnew\r\n"
    )  # fmt: skip


def test_a_conversation_has_one_connection_and_takes_leave():
    other = FakeFilter(
        {b"R": [milter.CONTINUE, milter.reply(b"450 4.2.0 Later"), *[milter.CONTINUE] * 3]}
    )
    found, smtp, connector = held(other, *MESSAGE, *MESSAGE[:2], "RSET", *MESSAGE[:3])
    assert found[2] == "450 4.2.0 Later"
    assert len(smtp.queue.accepted) == len(connector.lines) == 1
    assert other.kinds == b"OCHMRRTLNBEMRAMRRQ"
    assert not connector.lines[0].is_open


def test_a_filter_that_is_not_there_costs_no_mail():
    found, smtp, connector = held(None, *MESSAGE)
    assert found[-2].startswith("250 2.0.0 Ok: queued as ")
    assert smtp.prefix.startswith(b"X-Verdict: accept (filter0: could not be asked:")
    assert len(connector.dialed) == 1


def test_a_refused_client_is_told_at_mail_each_time():
    found, _, connector = held(
        FakeFilter({b"C": milter.reply(b"554 5.7.1 Never")}), *MESSAGE[:1] * 2
    )
    assert found[:2] == ["554 5.7.1 Never"] * 2
    assert len(connector.lines) == 1
