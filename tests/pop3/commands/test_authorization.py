import base64

import pytest

from tests.pop3.fakes import LOGIN, Pop3Fixture
from twisted_mail.interfaces import TlsInfo
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.loop import Pop3Loop
from twisted_mail.pop3.settings import Settings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

WELCOME = "+OK 0 messages (0 octets)"


def encoded(text):
    return base64.b64encode(text.encode())


PLAIN = encoded("\0alice\0secret")


def said(*chunks, pop3=None, **terms):
    """Return the lines after the greeting."""
    lines = (pop3 or Pop3Fixture()).talk(*chunks, **terms).text.split("\r\n")
    return lines[1:-1]


# ------------------------------------------------------------ USER and PASS


def test_a_wrong_password_is_a_matter_of_credentials():
    assert said(b"USER alice\r\nPASS wrong\r\n") == [
        "+OK Send the password",
        "-ERR [AUTH] Authentication credentials invalid",
    ]


def test_user_says_nothing_about_who_exists():
    assert said(b"USER nobody\r\n") == said(b"USER alice\r\n")


def test_pass_needs_user_before_it():
    assert said(b"PASS secret\r\n") == ["-ERR USER comes first"]
    assert said(b"USER alice\r\nPASS wrong\r\nPASS secret\r\n")[2] == "-ERR USER comes first"


def test_a_password_keeps_its_spaces():
    class Wide(Pop3Fixture):
        async def login(self, credentials, peer, has_hung_up):
            assert credentials.password == " a  b "
            return self

    assert said(b"USER alice \r\nPASS  a  b \r\n", pop3=Wide())[1] == WELCOME


@pytest.mark.parametrize("line", [b"USER", b"USER  ", b"USER \xff", b"PASS", b"PASS \xff"])
def test_names_and_passwords_must_be_text(line):
    replies = said(b"USER alice\r\n" + line + b"\r\n")
    assert replies[1].startswith("-ERR The ")


def test_passwords_are_not_taken_in_clear():
    replies = said(
        b"USER alice\r\nPASS secret\r\nAUTH PLAIN " + PLAIN + b"\r\nAUTH LOGIN\r\n",
        takes_passwords=False,
    )
    assert replies == ["-ERR Passwords are taken under TLS only: use STLS first"] * 4


def test_stls_is_not_listed_after_login():
    replies = Pop3Fixture().replies(b"CAPA\r\n", may_start_tls=True)
    assert "STLS" not in replies
    assert said(b"CAPA\r\n", may_start_tls=True)[-2] == "STLS"


# ------------------------------------------------------------ STLS


def test_tls_begins_after_the_reply():
    assert said(b"STLS\r\n", LOGIN, may_start_tls=True) == [
        "+OK Begin TLS",
        "(TLS)",
        "+OK Send the password",
        WELCOME,
    ]


@pytest.mark.parametrize(
    "chunks", [[b"STLS\r\nUSER alice\r\n"], [b"STLS\r\nU"], [b"STLS\r\n", b"(unread)"]]
)
def test_what_came_in_clear_after_stls_is_never_run(chunks):
    pop3 = Pop3Fixture()
    assert said(*chunks, pop3=pop3, may_start_tls=True) == [
        "-ERR Nothing may follow STLS before TLS has begun"
    ]
    assert pop3.reasons == ["commands behind STLS"]


def test_a_user_name_given_in_clear_is_forgotten():
    replies = said(b"USER alice\r\n", b"STLS\r\n", b"PASS secret\r\n", may_start_tls=True)
    assert replies[-1] == "-ERR USER comes first"


def test_stls_is_refused_where_it_cannot_succeed():
    assert said(b"STLS\r\n") == ["-ERR TLS is not available"]
    assert said(b"STLS now\r\n", may_start_tls=True) == ["-ERR This command takes no argument"]
    tls_info = TlsInfo("TLSv1.3", "x", 256)
    assert said(b"STLS\r\n", tls_info=tls_info) == ["-ERR TLS is already active"]


# ------------------------------------------------------------ AUTH


def test_plain_with_an_initial_response():
    assert said(b"AUTH plain " + PLAIN + b"\r\n") == [WELCOME]


def test_plain_without_one_is_asked_by_an_empty_challenge():
    assert said(b"AUTH PLAIN\r\n" + PLAIN + b"\r\n") == ["+ ", WELCOME]


def test_login_asks_twice():
    answers = encoded("alice") + b"\r\n" + encoded("secret") + b"\r\n"
    asked = ["+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6", WELCOME]
    assert said(b"AUTH LOGIN\r\n" + answers) == asked
    assert said(b"AUTH LOGIN " + answers) == asked[1:]


def test_the_bare_auth_of_old_clients_lists_mechanisms():
    for line in (b"AUTH\r\n", b"AUTH \r\n"):
        assert said(line) == ["+OK Mechanisms follow", "PLAIN", "LOGIN", "."]
    assert said(b"AUTH\r\n", takes_passwords=False) == ["+OK Mechanisms follow", "."]


def test_an_exchange_can_be_cancelled_and_begun_again():
    assert said(b"AUTH LOGIN\r\n*\r\nAUTH PLAIN\r\n*\r\n" + LOGIN) == [
        "+ VXNlcm5hbWU6",
        "-ERR Authentication cancelled",
        "+ ",
        "-ERR Authentication cancelled",
        "+OK Send the password",
        WELCOME,
    ]


@pytest.mark.parametrize("response", [b"=AAA", b"AAA=BBB", b"!", b"AA", PLAIN[:-1], b"=", b""])
def test_what_is_no_base64_or_not_plain_is_refused(response):
    [challenge, refusal] = said(b"AUTH PLAIN\r\n" + response + b"\r\n")
    assert challenge == "+ "
    assert refusal.startswith("-ERR ")


def test_an_unknown_mechanism_is_refused():
    assert said(b"AUTH CRAM-MD5\r\nAUTH \xff\r\n") == ["-ERR There is no such mechanism"] * 2
    assert said(b"AUTH PLAIN a b\r\n")[0].startswith("-ERR ")


def test_a_response_may_be_longer_than_a_command_but_not_endless():
    long = encoded("\0alice\0" + "x" * 800)
    assert said(b"AUTH PLAIN\r\n" + long + b"\r\n")[1].startswith("-ERR [AUTH]")
    assert said(b"AUTH PLAIN " + long + b"\r\n")[0].startswith("-ERR [AUTH]")
    replies = said(b"AUTH PLAIN\r\n", b"A" * 20_000, b"\r\n" + LOGIN)
    assert replies[1:] == ["-ERR The line is too long", "+OK Send the password", WELCOME]


def test_an_exchange_without_end_is_ended():
    class Endless:
        name, server_first, reveals_password = "ENDLESS", True, False

        def begin(self):
            return self

        def step(self, response):
            return b"and?"

    pop3 = Pop3Fixture()
    doors = Pop3Backend("h", pop3.clock, pop3.journal, (Endless(),), pop3.login)
    wire = ScriptedWire([b"AUTH ENDLESS\r\n" + b"AAAA\r\n" * 10 + b"QUIT\r\n"])
    finish(Pop3Loop(wire, Settings(), doors).run())
    assert wire.text.count("+ YW5kPw==\r\n") == 10
    assert wire.text.endswith("-ERR The authentication has too many steps\r\n+OK Bye\r\n")


def test_an_account_with_too_many_connections_is_told_so_and_not_logged_in():
    pop3 = Pop3Fixture()
    wire = pop3.talk(b"USER alice\r\nPASS secret\r\nSTAT\r\n", takes_accounts=False)
    assert "-ERR [SYS/TEMP] Too many connections of this account\r\n" in wire.text
    assert wire.account == "alice@example.org"
    assert pop3.logouts == 1
