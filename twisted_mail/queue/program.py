"""Programs that get mail: what the configuration says about one, and what its exit code means.

Aliases lead to programs by name, so that people who may edit aliases can choose among the programs in
the configuration, and cannot run anything else.
"""

import re
from dataclasses import dataclass

from twisted_mail.mail.outcome import Outcome

MAX_ARGUMENTS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Program:
    """One ``[[program]]``: a program that gets messages on its standard input.

    ``command`` is the program's path and its arguments; no shell is involved. It runs as ``user``, if
    the server is root, in ``folder``, and is killed after ``seconds``. At most ``max_running`` run at
    a time; of what one writes, the first ``max_output`` octets are kept for the log.
    """

    name: str
    command: tuple[str, ...]
    user: str = ""
    folder: str = "/"
    seconds: float = 300.0
    max_running: int = 5
    max_output: int = 4096

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > 64:
            raise ValueError("name must be letters, digits, dots, hyphens and underscores")
        if not self.command or not self.command[0].startswith("/"):
            raise ValueError("command must begin with the whole path of a program")
        if len(self.command) > MAX_ARGUMENTS or any("\0" in part for part in self.command):
            raise ValueError(f"command has at most {MAX_ARGUMENTS} parts, and no NUL in them")
        if not self.folder.startswith("/"):
            raise ValueError("folder must be a whole path")
        if self.max_running < 1 or self.seconds <= 0:
            raise ValueError("max_running and seconds must be more than 0")


@dataclass(frozen=True, slots=True)
class ProgramEnd:
    """How a run of a program ended; ``output`` is the beginning of what it wrote, for the log alone."""

    outcome: Outcome
    output: str = ""


def _done(text: str) -> Outcome:
    return Outcome(250, "2.0.0", text)


def _later(enhanced: str, text: str) -> Outcome:
    return Outcome(451, enhanced, text)


def _failed(enhanced: str, text: str) -> Outcome:
    return Outcome(554, enhanced, text)


# The codes of sysexits(3), as other mail systems read them: trouble of the program or of this machine
# is tried again, trouble with the message itself is not.
_EXITS = {
    0: _done("the program has taken it"),
    64: _failed("5.3.5", "the program was called wrongly"),
    65: _failed("5.6.0", "the program cannot read the message"),
    66: _failed("5.3.0", "the program lacks its input"),
    67: _failed("5.1.1", "the program knows no such user"),
    68: _failed("5.1.2", "the program knows no such host"),
    69: _failed("5.3.0", "a service that the program needs is not available"),
    70: _failed("5.3.0", "the program has failed inside"),
    71: _later("4.3.0", "the system has failed the program"),
    72: _failed("5.3.0", "the program lacks a file of the system"),
    73: _failed("5.2.0", "the program cannot write its output"),
    74: _later("4.3.0", "the program has trouble reading or writing"),
    75: _later("4.3.0", "the program asks to try again later"),
    76: _failed("5.5.0", "the program has trouble with a protocol"),
    77: _failed("5.7.0", "the program may not take the message"),
    78: _later("4.3.5", "the program is not set up rightly"),
}
NOT_STARTED = _later("4.3.5", "the program cannot be started")
KILLED = _later("4.3.0", "the program was ended by a signal")
LOST_SIGHT = _later("4.3.0", "the program was ended, since it could not be watched")
TIMED_OUT = _later("4.4.7", "the program took too long")
UNKNOWN_PROGRAM = _later("4.3.5", "the program is not in the configuration")


def outcome_of_exit_code(code: int) -> Outcome:
    """Return what an exit code means; one that is not in sysexits is a permanent failure."""
    return _EXITS.get(code) or _failed("5.3.0", f"the program ended with code {code}")
