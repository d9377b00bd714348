import pytest

from tests.smtp.fakes import SmtpFixture
from twisted_mail.smtp.commands.table import COMMANDS
from twisted_mail.smtp.forbidden import forbidden_word
from twisted_mail.smtp.framing import BadLine, Flaw
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire

DEFAULTS = Settings().forbidden_commands


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"GET / HTTP/1.1", "GET"),
        (b"post", "POST"),
        (b" \tput x", "PUT"),
        (b"PRI * HTTP/2.0", "PRI"),
        (b"Host: mail.example.org", "Host:"),
        (b"Subject:no command", "Subject:"),
        (b"x" * 99 + b":", ("x" * 99)[:40]),
        (BadLine(Flaw.BARE, b"GET / HTTP/1.0"), "GET"),
        (BadLine(Flaw.LONG, b"Cookie: x"), "Cookie:"),
        (BadLine(Flaw.TLS), "TLS"),
    ],
)
def test_words_of_other_protocols(line: bytes | BadLine, word: str) -> None:
    assert forbidden_word(line, DEFAULTS) == word
    assert forbidden_word(line, ()) == ""


@pytest.mark.parametrize(
    "line", [b"", b"FROB", b"GETS", b"GET/", b":", b"a b:c", b"\xff:", BadLine(Flaw.NUL, b"\0")]
)
def test_what_may_be_a_mistake_is_only_refused(line: bytes | BadLine) -> None:
    assert forbidden_word(line, DEFAULTS) == ""


def test_no_command_of_ours_is_forbidden() -> None:
    assert not any(forbidden_word(name, DEFAULTS) for name in COMMANDS)


def test_what_is_forbidden_can_be_set() -> None:
    assert Settings(forbidden_commands=("frob",)).forbidden_commands == ("frob",)
    assert forbidden_word(b"FROB x", ("frob",)) == "FROB"
    assert forbidden_word(b"GET / HTTP/1.1", ("frob",)) == ""
    with pytest.raises(ValueError, match=r"^forbidden_commands has .*, which is no command$"):
        Settings(forbidden_commands=("two words",))


def test_the_log_names_the_client_and_the_word() -> None:
    smtp = SmtpFixture()
    smtp.hold(ScriptedWire([b"GET / HTTP/1.1\r\nHost: x\r\n"]))
    [refused] = [event for event in smtp.journal.events if event[0] == "refused"]
    assert refused[1][-1] == "it does not speak SMTP: GET"
