"""``twisted-mail``, the control command: it edits and checks while the server runs."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from twisted_mail.config import ConfigError, load
from twisted_mail.control import grammar
from twisted_mail.control.grammar import PLACES, VARIABLE
from twisted_mail.control.output import (
    FAILED,
    WRONG_USE,
    CommandError,
    CommandResult,
    Printer,
    count,
    os_error_text,
)
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.mail.outcome import MailError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    printer = Printer("--json" in words)
    # Not as defaults of the parser: those of a command would undo what was given before the command.
    given = argparse.Namespace(config=None, json=False)
    try:
        return printer.answer(_run(grammar.parser().parse_args(words, given), printer))
    except BrokenPipeError:
        # The reader of the output has closed it; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("TWISTED_MAIL_DEBUG"):
            raise
        return printer.complain(command_error_of(error))


def _run(options: argparse.Namespace, printer: Printer) -> CommandResult:
    command: Callable[..., CommandResult] = options.command
    if not options.needs_config:
        return command(options)
    return command(options, load(_config_path(options.config, printer)))


def _config_path(given: str | None, printer: Printer) -> Path:
    if given:
        return Path(given)
    if named := os.environ.get(VARIABLE):
        printer.note(f"using {named} (${VARIABLE})")
        return Path(named)
    for path in PLACES:
        if path.exists():
            printer.note(f"using {path}")
            return path
    places = ", ".join(map(str, PLACES))
    raise CommandError(
        f"there is no configuration: say --config FILE or set ${VARIABLE} (looked for {places})",
        WRONG_USE,
    )


def command_error_of(error: BaseException) -> CommandError:
    """Put an error into words for the person at the terminal."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, ConfigError):
        found = count(len(error.mistakes), "mistake")
        details = [str(mistake) for mistake in error.mistakes]
        return CommandError(f"the configuration has {found}", WRONG_USE, details)
    if isinstance(error, MailError):
        return CommandError(error.outcome.text)
    if isinstance(error, DirectoryUnusable):
        return CommandError(str(error))
    if isinstance(error, apsw.Error):
        return CommandError(f"the directory cannot be read: {error}")
    if isinstance(error, OSError):
        return CommandError(os_error_text(error))
    if isinstance(error, (KeyboardInterrupt, EOFError)):
        return CommandError("interrupted, nothing was altered")
    kind = type(error).__name__
    return CommandError(f"this is a bug: {kind}: {error} (TWISTED_MAIL_DEBUG=1 shows more)")
