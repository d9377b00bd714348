"""``twisted-mail``, the control command: it edits and checks beside the running server."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw

from twisted_mail.config import ConfigError, load
from twisted_mail.control import grammar
from twisted_mail.control.grammar import PLACES, VARIABLE
from twisted_mail.control.output import FAILED, WRONG_USE, Answer, Complaint, Printer, count
from twisted_mail.directory.schema import Unusable
from twisted_mail.mail.outcome import MailError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    printer = Printer("--json" in words)
    # Not as defaults of the parser: those of a command would undo what stood before the command.
    given = argparse.Namespace(config=None, json=False)
    try:
        return printer.answer(_run(grammar.parser().parse_args(words, given), printer))
    except BrokenPipeError:
        # Whoever read the list has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("TWISTED_MAIL_DEBUG"):
            raise
        return printer.complain(complaint_of(error))


def _run(options: argparse.Namespace, printer: Printer) -> Answer:
    command: Callable[..., Answer] = options.command
    if not options.needs_config:
        return command(options)
    return command(options, load(_config_path(options.config, printer)))


def _config_path(given: str | None, printer: Printer) -> Path:
    if given:
        return Path(given)
    if named := os.environ.get(VARIABLE):
        printer.remark(f"using {named} (${VARIABLE})")
        return Path(named)
    for path in PLACES:
        if path.exists():
            printer.remark(f"using {path}")
            return path
    places = ", ".join(map(str, PLACES))
    raise Complaint(
        f"there is no configuration: say --config FILE or set ${VARIABLE} (looked for {places})",
        WRONG_USE,
    )


def complaint_of(error: BaseException) -> Complaint:
    """Put an error into words for the person at the terminal."""
    if isinstance(error, Complaint):
        return error
    if isinstance(error, ConfigError):
        found = count(len(error.mistakes), "mistake")
        details = [str(mistake) for mistake in error.mistakes]
        return Complaint(f"the configuration has {found}", WRONG_USE, details)
    if isinstance(error, MailError):
        return Complaint(error.outcome.text)
    if isinstance(error, Unusable):
        return Complaint(str(error))
    if isinstance(error, apsw.Error):
        return Complaint(f"the directory cannot be read: {error}")
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return Complaint(f"{name}{error.strerror or error}")
    if isinstance(error, (KeyboardInterrupt, EOFError)):
        return Complaint("interrupted, nothing was altered")
    kind = type(error).__name__
    return Complaint(f"this is a bug: {kind}: {error} (TWISTED_MAIL_DEBUG=1 shows more)")
