import pytest

from tests.smtp.fakes import HELLO, LOGIN, MAIL, RCPT, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.smtp.commands.table import COMMANDS
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire

# BDAT is here because its octets have to be taken whatever is answered; MAIL came before it.
WITHOUT_LOGIN = frozenset(
    ["EHLO", "HELO", "STARTTLS", "AUTH", "NOOP", "QUIT", "RSET", "HELP", "XCLIENT", "BDAT"]
)
MAIL_ALICE = "MAIL FROM:<alice@example.org>"
EVERYTHING = {
    "EHLO": "EHLO c",
    "HELO": "HELO c",
    "MAIL": MAIL,
    "RCPT": RCPT,
    "DATA": "DATA",
    "BDAT": "BDAT 0 LAST",
    "RSET": "RSET",
    "NOOP": "NOOP",
    "QUIT": "QUIT",
    "VRFY": "VRFY alice",
    "EXPN": "EXPN staff",
    "HELP": "HELP",
    "STARTTLS": "STARTTLS",
    "XCLIENT": "XCLIENT NAME=x",
    "AUTH": LOGIN,
}
BEFORE = {
    "connected": (),
    "greeted": (HELLO,),
    "sender": (HELLO, MAIL),
    "rcpt": (HELLO, MAIL, RCPT),
}
CODES = {
    "EHLO": "250 250 250 250",
    "HELO": "250 250 250 250",
    "MAIL": "503 250 503 503",
    "RCPT": "503 503 250 250",
    "DATA": "503 503 554 354",
    "BDAT": "503 503 554 250",
    "RSET": "250 250 250 250",
    "NOOP": "250 250 250 250",
    "QUIT": "221 221 221 221",
    "VRFY": "252 252 252 252",
    "EXPN": "252 252 252 252",
    "HELP": "214 214 214 214",
    "STARTTLS": "220 220 503 503",
    "XCLIENT": "550 550 503 503",
    "AUTH": "503 235 503 503",
}


@pytest.mark.parametrize("verb", EVERYTHING)
@pytest.mark.parametrize(("column", "phase"), list(enumerate(BEFORE)))
def test_each_command_in_each_phase(verb: str, column: int, phase: str) -> None:
    wire = ScriptedWire([lines(*BEFORE[phase], EVERYTHING[verb])])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire, Settings(offers_login=True))
    reply = replies[1 + len(BEFORE[phase])]
    assert reply[:3] == CODES[verb].split()[column]
    assert reply[3:9] == " 5.5.1" if reply[:3] in ("503", "554") else True


def test_the_table_above_names_every_command() -> None:
    assert {name.decode() for name in COMMANDS} == set(EVERYTHING) == set(CODES)


# ------------------------------------------------------------ submission


@pytest.mark.parametrize("command", [MAIL, RCPT, "DATA", "VRFY alice", "EXPN staff"])
def test_submission_needs_a_login(command: str) -> None:
    assert say("EHLO c", command, settings=SUBMISSION)[-1] == "530 5.7.0 Authentication required"


@pytest.mark.parametrize("command", ["EHLO c", "HELO c", "NOOP", "RSET", "QUIT", "HELP"])
def test_other_commands_need_none(command: str) -> None:
    assert say(command, settings=SUBMISSION)[0][0] == "2"


def test_where_tls_must_come_first_it_is_named() -> None:
    wire = ScriptedWire([lines("EHLO c", MAIL)])
    wire.takes_passwords = False
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire, SUBMISSION)
    assert replies[-1] == "530 5.7.0 Must issue a STARTTLS command first"


# ------------------------------------------------------------ the rest


@pytest.mark.parametrize("command", ["DATA x", "RSET x", "QUIT x", "STARTTLS x"])
def test_commands_without_arguments_have_none(command: str) -> None:
    assert say(HELLO, MAIL, RCPT, command, settings=Settings())[-1].startswith("501 5.5.4")


def test_what_brings_mail_or_asks_for_addresses_needs_a_login_where_one_is_required() -> None:
    without = {name.decode() for name, one in COMMANDS.items() if not one.needs_login}
    assert without == WITHOUT_LOGIN
