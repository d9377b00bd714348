"""HELP."""

import pytest

from tests.smtp.fakes import HELLO, LOGIN, RCPT, say
from twisted_mail.smtp.settings import Settings, SubmissionSettings

MAIL = "MAIL FROM:<a@client.example>"


PLAIN = Settings()
ALWAYS = "EHLO HELO RSET NOOP QUIT VRFY HELP"


def listed(*before: str, settings: Settings = PLAIN) -> set[str]:
    """Return the commands that HELP lists after some commands."""
    replies = say(*before, "HELP", settings=settings)
    (found,) = [line for line in replies if line.startswith("214-2.0.0 Commands: ")]
    return set(found.removeprefix("214-2.0.0 Commands: ").split())


@pytest.mark.parametrize(
    ("before", "more"),
    [
        ((), ""),
        ((HELLO,), "MAIL"),
        ((HELLO, MAIL), "RCPT"),
        ((HELLO, MAIL, RCPT), "RCPT DATA BDAT"),
    ],
)
def test_help_lists_what_may_be_used_now(before: tuple[str, ...], more: str) -> None:
    assert listed(*before) == {*ALWAYS.split(), *more.split()}


def test_help_lists_what_logins_are_for() -> None:
    settings, always = SubmissionSettings(), set(ALWAYS.split())
    assert listed(HELLO, settings=settings) == {*always - {"VRFY"}, "AUTH"}
    assert listed(HELLO, LOGIN, settings=settings) == {*always, "EXPN", "MAIL"}


def test_help_lists_nothing_that_is_not_offered() -> None:
    assert "BDAT" not in listed(HELLO, MAIL, RCPT, settings=Settings(hidden_keywords=("CHUNKING",)))
    assert "XCLIENT" in listed(settings=Settings(xclient_from=("0.0.0.0/0",)))


def test_help_lists_the_extensions() -> None:
    extensions = say("HELP")[1]
    assert "PIPELINING" in extensions
    assert "FUTURERELEASE" not in extensions


def test_help_explains_what_is_offered() -> None:
    (size,) = say("HELP size")
    assert size.startswith("214 2.0.0 SIZE: ")
    syntax, about = say("HELP expn", settings=Settings(expn_for="everyone"))
    assert syntax.startswith("214-2.0.0 Syntax: EXPN")
    assert about == "214 2.0.0 EXPN: EXPN address says who is on a list (RFC 5321)"
    assert say("HELP futurerelease")[0].startswith("504 5.5.4")


def test_help_tells_the_syntax_of_one() -> None:
    assert say("HELP rcpt") == ["214 2.0.0 Syntax: RCPT TO:<address> [parameters]"]
    assert say("HELP frob")[0].startswith("504 5.5.4")
