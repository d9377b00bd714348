import pytest

from tests.smtp.fakes import HELLO, LOGIN, MAIL, RCPT, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.mail.address import parse
from twisted_mail.smtp.commands.table import COMMANDS
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire

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


# ------------------------------------------------------------ EHLO


def test_ehlo_lists_what_is_offered() -> None:
    assert say("EHLO c") == [
        "250-mail.example.org",
        "250-PIPELINING",
        "250-SIZE 52428800",
        "250-ENHANCEDSTATUSCODES",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-CHUNKING",
        "250-BINARYMIME",
        "250-LIMITS RCPTMAX=1000",
        "250 HELP",
    ]


def test_ehlo_offers_expn_where_it_is_answered() -> None:
    assert "250-EXPN" in say("EHLO c", settings=Settings(expn_for="everyone"))


def test_a_refusal_for_now_is_no_error_of_the_client() -> None:
    replies = say(HELLO, MAIL, *["RCPT TO:<later@example.org>"] * 30)
    assert {reply[:3] for reply in replies[2:]} == {"450"}


def test_ehlo_offers_tls_where_there_is_a_certificate_and_logins_to_submitters() -> None:
    wire = ScriptedWire([lines("EHLO c")])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire, SUBMISSION)
    assert "250-STARTTLS" in replies
    assert "250-AUTH PLAIN ENDLESS" in replies


def test_ehlo_offers_no_password_in_clear() -> None:
    wire = ScriptedWire([lines("EHLO c")])
    wire.takes_passwords = False
    assert "250-AUTH ENDLESS" in SmtpFixture().hold(wire, SUBMISSION)


@pytest.mark.parametrize("hello", ["EHLO c", "HELO c"])
def test_a_new_greeting_forgets_the_transaction(hello: str) -> None:
    assert say(HELLO, MAIL, RCPT, hello, "DATA")[-1].startswith("503")


def test_a_greeting_without_name_changes_nothing() -> None:
    replies = say(HELLO, MAIL, "EHLO", RCPT)
    assert [reply[:9] for reply in replies[2:]] == ["501 5.5.4", "250 2.1.5"]


# ------------------------------------------------------------ MAIL


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<>", "250 2.1.0"),
        ("MAIL FROM: <a@b.example> SIZE=1000 BODY=8BITMIME", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> SIZE=52428801", "552 5.3.4"),
        ("MAIL FROM:<a@b.example> SIZE=52428800", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> SMTPUTF8", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> FROB", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> AUTH=<>", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("MAIL FROM:a@b.example", "250 2.1.0"),
        ("MAIL FROM:a", "501 5.1.7"),
        ("MAIL", "501 5.5.4"),
    ],
)
def test_mail(command: str, reply: str) -> None:
    assert say(HELLO, command)[-1][:9] == reply


def test_a_refused_mail_opens_no_transaction() -> None:
    assert [reply[:3] for reply in say(HELLO, "MAIL FROM:<a>", RCPT, MAIL)[1:]] == [
        "501",
        "503",
        "250",
    ]


# ------------------------------------------------------------ RCPT


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
        ("RCPT TO:<away@example.org>", "550 5.1.2"),
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


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (MAIL_ALICE, "250 2.1.0"),
        ("MAIL FROM:<>", "250 2.1.0"),
        (f"{MAIL_ALICE} AUTH=bob@example.org", "250 2.1.0"),
        ("MAIL FROM:<bob@example.org>", "553 5.7.1"),
    ],
)
def test_a_submitter_sends_under_own_addresses(command: str, reply: str) -> None:
    assert say("EHLO c", LOGIN, command, settings=SUBMISSION)[-1][:9] == reply


def test_mail_for_elsewhere_is_refused_for_good_until_there_is_a_queue() -> None:
    reply = say("EHLO c", LOGIN, MAIL_ALICE, "RCPT TO:<a@b.example>", settings=SUBMISSION)[-1]
    assert reply == "550 5.1.2 Mail for other domains is not sent yet: b.example"


def test_strangers_are_not_told_where_an_alias_leads() -> None:
    reply = say("HELO c", MAIL, "RCPT TO:<away@example.org>")[-1]
    assert reply == "550 5.1.2 Mail for other domains is not sent yet"


# ------------------------------------------------------------ the rest


@pytest.mark.parametrize("command", ["DATA x", "RSET x", "QUIT x", "STARTTLS x"])
def test_commands_without_arguments_have_none(command: str) -> None:
    assert say(HELLO, MAIL, RCPT, command, settings=Settings())[-1].startswith("501 5.5.4")


def test_noop_takes_any_argument() -> None:
    assert say("NOOP anything at all")[0] == "250 2.0.0 Ok"


def test_rset_forgets_the_transaction_and_nothing_else() -> None:
    assert [reply[:3] for reply in say(HELLO, MAIL, "RSET", RCPT, MAIL)[2:]] == [
        "250",
        "503",
        "250",
    ]


def test_help_lists_all_commands() -> None:
    commands, extensions, _ = say("HELP")
    assert set(commands.removeprefix("214-2.0.0 Commands: ").split()) == set(EVERYTHING)
    assert "PIPELINING" in extensions
    assert "FUTURERELEASE" not in extensions


def test_help_explains_what_is_offered() -> None:
    (size,) = say("HELP size")
    assert size.startswith("214 2.0.0 SIZE: ")
    syntax, about = say("HELP expn", settings=Settings(expn_for="everyone"))
    assert syntax.startswith("214-2.0.0 Syntax: EXPN")
    assert about.startswith("214 2.0.0 EXPN: ")
    assert say("HELP futurerelease")[0].startswith("504 5.5.4")


def test_help_tells_the_syntax_of_one() -> None:
    assert say("HELP rcpt") == ["214 2.0.0 Syntax: RCPT TO:<address> [parameters]"]
    assert say("HELP frob")[0].startswith("504 5.5.4")


# ------------------------------------------------------------ STARTTLS


def test_tls_begins_anew() -> None:
    wire = ScriptedWire([lines("EHLO c", "STARTTLS"), lines(MAIL, "EHLO c", "STARTTLS")])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire)
    assert "250-STARTTLS" in replies
    tls = replies.index("220 2.0.0 Ready to start TLS")
    assert replies[tls + 1].startswith("503 5.5.1 Say EHLO first")
    assert "250-STARTTLS" not in replies[tls:]
    assert replies[-1].startswith("503 5.5.1 TLS is on")


def test_a_login_does_not_survive_starttls() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines("EHLO c", LOGIN, "STARTTLS"), lines("EHLO c", MAIL_ALICE)])
    wire.may_start_tls = True
    assert smtp.hold(wire, SUBMISSION)[-1].startswith("530")


@pytest.mark.parametrize("behind", [b"MAIL FROM:<a@b.example>\r\n", b"N", b"\r\n"])
def test_what_follows_starttls_in_clear_is_never_run(behind: bytes) -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines("EHLO c", "STARTTLS") + behind, lines("QUIT")])
    wire.may_start_tls = True
    replies = smtp.hold(wire)
    assert replies[-1].startswith("503 5.5.1 Nothing may follow STARTTLS")
    assert wire.tls_info is None
    assert len(wire.script) == 1


def test_starttls_is_refused_where_there_is_no_certificate() -> None:
    assert say("EHLO c", "STARTTLS")[-1].startswith("502 5.5.1")
