"""HELP."""

from tests.smtp.commands.test_table import EVERYTHING
from tests.smtp.fakes import say
from twisted_mail.smtp.settings import Settings


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
    assert about == "214 2.0.0 EXPN: EXPN address says who is on a list (RFC 5321)"
    assert say("HELP futurerelease")[0].startswith("504 5.5.4")


def test_help_tells_the_syntax_of_one() -> None:
    assert say("HELP rcpt") == ["214 2.0.0 Syntax: RCPT TO:<address> [parameters]"]
    assert say("HELP frob")[0].startswith("504 5.5.4")
