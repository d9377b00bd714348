from base64 import b64encode
from dataclasses import replace

import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import UNREAD

PLAIN = b64encode(b"\0alice\0secret").decode()
WRONG = b64encode(b"\0alice\0wrong").decode()


def test_login_takes_atoms_strings_and_literals() -> None:
    for arguments in ("alice secret", '"alice" "secret"', "{5+}\r\nalice {6+}\r\nsecret"):
        assert ImapFixture().talk(f"a LOGIN {arguments}")[-1].endswith("Logged in.")


def test_login_and_authenticate_give_the_new_capabilities() -> None:
    for line in ("a LOGIN alice secret", f"a AUTHENTICATE PLAIN {PLAIN}"):
        [answer] = ImapFixture().talk(line)
        assert answer.startswith("a OK [CAPABILITY IMAP4rev1 ")
        assert " IDLE " in answer


def test_a_wrong_password_is_shown_by_its_code() -> None:
    imap = ImapFixture()
    lines = imap.talk("a LOGIN alice wrong", f"b AUTHENTICATE PLAIN {WRONG}")
    assert lines == [
        "a NO [AUTHENTICATIONFAILED] Wrong name or password",
        "b NO [AUTHENTICATIONFAILED] Wrong name or password",
    ]
    assert [event[2] for event in imap.events("login_failed")] == ["alice", "alice"]


def test_a_refusal_may_have_a_code_of_its_own() -> None:
    imap = ImapFixture()
    imap.login_error = Refused("The password has expired", "EXPIRED")
    assert imap.talk("a LOGIN alice secret") == ["a NO [EXPIRED] The password has expired"]


def test_a_name_must_be_utf_8() -> None:
    imap = ImapFixture()
    lines = imap.talk(b'a LOGIN "\xe4" secret\r\n', b'b LOGIN alice "\xe4"\r\n')
    assert all("[AUTHENTICATIONFAILED]" in line for line in lines)
    assert len(imap.events("login_failed")) == 2


def test_guessing_ends_the_connection() -> None:
    imap = ImapFixture(max_failed_logins=2)
    lines = imap.talk("a LOGIN alice x", "b LOGIN alice y", "c LOGIN alice secret")
    assert lines[2:] == ["* BYE Too many failed logins"]
    assert imap.events("disconnected")[0][2] == "failed logins"


@pytest.mark.parametrize(
    "line", ["a LOGIN alice secret", "a AUTHENTICATE PLAIN", f"a AUTHENTICATE PLAIN {PLAIN}"]
)
def test_no_password_crosses_in_clear(line: str) -> None:
    [answer] = ImapFixture().talk(line, passwords=False)
    assert answer == "a NO [PRIVACYREQUIRED] Passwords are taken only under TLS"


@pytest.mark.parametrize("line", ["a LOGIN", "a LOGIN alice", "a LOGIN alice secret x"])
def test_login_has_two_arguments(line: str) -> None:
    [answer] = ImapFixture().talk(line)
    assert answer.startswith("a BAD")


# ---------------------------------------------------------------- AUTHENTICATE


def test_plain_without_an_initial_response() -> None:
    assert ImapFixture().talk("a AUTHENTICATE plain", PLAIN)[0] == "+ "


def test_login_asks_for_name_and_password() -> None:
    name, password = b64encode(b"alice").decode(), b64encode(b"secret").decode()
    lines = ImapFixture().talk("a AUTHENTICATE LOGIN", name, password)
    assert len([line for line in lines if line.startswith("+ ")]) == 2
    assert lines[-1].endswith("Logged in.")
    lines = ImapFixture().talk(f"a AUTHENTICATE LOGIN {name}", password)
    assert len([line for line in lines if line.startswith("+ ")]) == 1
    assert lines[-1].endswith("Logged in.")


@pytest.mark.parametrize(
    "script",
    [
        ("a AUTHENTICATE PLAIN", "*"),
        ("a AUTHENTICATE PLAIN", "!"),
        ("a AUTHENTICATE PLAIN", ""),
        ("a AUTHENTICATE PLAIN", PLAIN[:-1]),
        ("a AUTHENTICATE PLAIN", "x" * 9000),
        ("a AUTHENTICATE PLAIN", f"{PLAIN}\n".encode()),
        ("a AUTHENTICATE PLAIN =",),
        ("a AUTHENTICATE PLAIN !",),
        (f"a AUTHENTICATE PLAIN {PLAIN} x",),
        ("a AUTHENTICATE",),
        ("a AUTHENTICATE LOGIN", "*"),
    ],
)
def test_a_broken_exchange_is_bad_and_the_connection_goes_on(
    script: tuple[str | bytes, ...],
) -> None:
    lines = ImapFixture().talk(*script, "b NOOP")
    assert lines[-2].startswith("a BAD")
    assert lines[-1] == "b OK NOOP completed."


def test_an_unknown_mechanism_is_refused() -> None:
    assert ImapFixture().talk("a AUTHENTICATE GSSAPI")[0].startswith("a NO [CANNOT]")


def test_an_exchange_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        name, server_first, reveals_password = "ENDLESS", True, False

        def begin(self) -> "Endless":
            return self

        def step(self, response: bytes) -> bytes:
            return b"more"

    imap = ImapFixture()
    loop = imap.loop("a AUTHENTICATE ENDLESS", *["AAAA"] * 20, passwords=False)
    session = loop.session
    monkeypatch.setattr(session, "backend", replace(session.backend, mechanisms=[Endless()]))
    finish(loop.run())
    written: bytes = loop.session.wire.written  # type: ignore[attr-defined]
    assert written.count(b"\n+ ") == 10
    assert b"a BAD The authentication has too many steps" in written


def test_a_response_is_no_command_and_no_literal() -> None:
    lines = ImapFixture().talk("a AUTHENTICATE PLAIN", "x LOGOUT {5}", "b NOOP")
    assert lines[-2:] == ["a BAD Malformed Base64", "b OK NOOP completed."]


def test_an_endless_response_ends_the_connection() -> None:
    lines = ImapFixture().talk("a AUTHENTICATE PLAIN", b"x" * 70000, b"x" * 70000, "b NOOP")
    assert lines[-1] == "* BYE Too much data"


# ---------------------------------------------------------------- STARTTLS


def test_starttls_changes_what_is_offered() -> None:
    lines = ImapFixture().talk(
        "a STARTTLS", "b CAPABILITY", "c STARTTLS", tls=True, passwords=False
    )
    assert lines[0] == "a OK Begin TLS negotiation now."
    assert "AUTH=PLAIN" in lines[1]
    assert "STARTTLS" not in lines[1]
    assert lines[-1] == "c BAD TLS is on already"


def test_starttls_needs_a_certificate() -> None:
    assert ImapFixture().talk("a STARTTLS") == ["a NO [CANNOT] TLS is not available here"]


@pytest.mark.parametrize("following", [b"b NOOP\r\n", b"b", b"\r\n"])
def test_nothing_may_follow_starttls(following: bytes) -> None:
    imap = ImapFixture()
    lines = imap.talk(b"a STARTTLS\r\n" + following, "c LOGIN alice secret", tls=True)
    assert lines[0].startswith("a BAD")
    assert lines[1].startswith("* BYE")
    assert len(lines) == 2
    assert imap.events("disconnected")[0][2] == "commands behind STARTTLS"


def test_nothing_unread_may_follow_starttls() -> None:
    imap = ImapFixture()
    loop = imap.loop("a STARTTLS", UNREAD, tls=True)
    finish(loop.run())
    assert b"a BAD" in loop.session.wire.written  # type: ignore[attr-defined]
    assert loop.session.wire.tls_info is None


def test_an_account_with_too_many_connections_is_told_so_and_not_logged_in() -> None:
    imap = ImapFixture()
    loop = imap.loop("a LOGIN alice secret", "b SELECT INBOX")
    loop.session.wire.takes_accounts = False  # type: ignore[attr-defined]
    finish(loop.run())
    assert loop.session.wire.text.split("\r\n")[1:3] == [  # type: ignore[attr-defined]
        "a NO [LIMIT] Too many connections of this account",
        "b BAD Not possible before login",
    ]
