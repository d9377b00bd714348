from dataclasses import replace

import pytest

from tests.smtp.fakes import HELLO, LOGIN, SmtpFixture, lines, say
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

OPEN = Settings(offers_login=True, vrfy_for="authenticated", expn_for="authenticated")
EVERYONE = Settings(vrfy_for="everyone", expn_for="everyone")


@pytest.mark.parametrize("command", ["VRFY alice@example.org", "EXPN team@example.org", "VRFY x"])
@pytest.mark.parametrize("settings", [Settings(), OPEN])
def test_strangers_learn_nothing(command: str, settings: Settings) -> None:
    assert say(HELLO, command, settings=settings)[-1].startswith("252 2.5.2")


@pytest.mark.parametrize("command", ["VRFY", "EXPN"])
def test_an_enquiry_needs_an_address(command: str) -> None:
    assert say(command)[0].startswith("501 5.5.4")


@pytest.mark.parametrize(
    ("command", "replies"),
    [
        ("VRFY alice@example.org", ["250 2.1.5 <alice@example.org>"]),
        ("VRFY <alice@example.org>", ["250 2.1.5 <alice@example.org>"]),
        ("VRFY nobody@example.org", ["550 5.1.1 There is no such mailbox here"]),
        ("VRFY a@b.example", ["252 2.5.2 Not verified here; send mail and see"]),
        ("EXPN alice@example.org", ["250 2.1.5 <alice@example.org>"]),
        (
            "EXPN team@example.org",
            ["250-2.1.5 <alice@example.org>", "250 2.1.5 <bob@example.org>"],
        ),
        ("EXPN nobody@example.org", ["550 5.1.1 There is no such list"]),
    ],
)
def test_those_who_logged_in_learn_what_the_settings_allow(
    command: str, replies: list[str]
) -> None:
    assert say(HELLO, LOGIN, command, settings=OPEN)[2:] == replies


def test_everyone_may_be_told() -> None:
    assert say(HELLO, "VRFY alice@example.org", settings=EVERYONE)[-1].startswith("250 2.1.5")
    assert say(HELLO, "EXPN alice@example.org", settings=EVERYONE)[-1].startswith("250 2.1.5")


def test_a_name_alone_is_looked_for_in_the_domains_of_this_host() -> None:
    assert say(HELLO, "VRFY alice", settings=EVERYONE)[-1] == "250 2.1.5 <alice@example.org>"
    assert say(HELLO, "VRFY nobody", settings=EVERYONE)[-1].startswith("550 5.1.1")
    assert say(HELLO, "VRFY Postmaster", settings=EVERYONE)[-1].startswith("250 2.1.5")


def test_a_name_alone_is_none_where_no_domain_is_ours() -> None:
    smtp = SmtpFixture()
    doors = replace(smtp.doors(), hostname="mx.elsewhere.example")
    wire = ScriptedWire([lines("VRFY alice")])
    finish(SmtpLoop(wire, EVERYONE, doors).run())
    assert b"\r\n501 5.1.3 " in wire.written


def test_an_answer_in_utf8_is_for_those_who_ask_for_it() -> None:
    wire = ScriptedWire([lines(HELLO, "EXPN utf8@example.org", "EXPN utf8@example.org SMTPUTF8")])
    finish(SmtpLoop(wire, EVERYONE, SmtpFixture().doors()).run())
    first, second = wire.written.decode().split("\r\n")[2:4]
    assert first.startswith("252 2.6.8")
    assert second == "250 2.1.5 <jos\xe9@example.org>"


def test_addresses_that_are_none_are_501() -> None:
    assert say(HELLO, LOGIN, "VRFY a b", settings=OPEN)[-1].startswith("501 5.1.3")
    assert say(HELLO, LOGIN, b"VRFY \xff", settings=OPEN)[-1].startswith("501 5.1.3")


def test_enquiries_do_not_disturb_a_transaction() -> None:
    smtp = SmtpFixture()
    mail = ("MAIL FROM:<>", "RCPT TO:<alice@example.org>")
    say(HELLO, *mail, "VRFY alice", "EXPN staff", "NOOP", "HELP", "DATA", ".", smtp=smtp)
    assert len(smtp.queue.accepted) == 1


@pytest.mark.parametrize("command", ["VRFY nobody@example.org", "EXPN nobody@example.org"])
def test_who_asks_for_many_that_are_not_here_is_sent_away(command: str) -> None:
    settings = replace(EVERYONE, max_unknown=2)
    replies = say(HELLO, *[command] * 9, settings=settings)[1:]
    assert [reply[:9] for reply in replies] == ["550 5.1.1"] * 3 + ["421 4.7.0"]
    assert replies[-1] == "421 4.7.0 Too many unknown recipients; closing"


def test_of_a_list_100_members_are_told() -> None:
    smtp = SmtpFixture()
    members = [parse(f"m{number}@b.example") for number in range(101)]
    directory = FixedDirectory({"alice@example.org": "secret"}, {"all@example.org": members})
    doors = replace(smtp.doors(), directory=directory)
    wire = ScriptedWire([lines(HELLO, "EXPN all@example.org")])
    finish(SmtpLoop(wire, EVERYONE, doors).run())
    assert wire.written.count(b"@b.example>") == 100
