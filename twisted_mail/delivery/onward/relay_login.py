"""The login for the relay, from a file of its own: no password stands in the configuration."""

from pathlib import Path

from twisted_mail.interfaces import Blocking, FaultReport
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, Unavailable

MAX_LOGIN_FILE = 4096  # octets

NO_LOGIN = Outcome(451, "4.3.5", "The login for the relay cannot be read")


class RelayLogin:
    """Reads the login for each connection, so that a new password counts at once."""

    def __init__(self, path: Path, blocking: Blocking, report_fault: FaultReport) -> None:
        self._path = path
        self._blocking = blocking
        self._report_fault = report_fault

    async def read(self) -> Credentials:
        """Return the name and the password. Raises Unavailable."""
        try:
            return await self._blocking.run(read_login, self._path)
        except (OSError, ValueError) as error:
            self._report_fault(str(self._path), error)
            raise Unavailable(NO_LOGIN) from error


def read_login(path: Path) -> Credentials:
    """Read the file. Blocks; raises OSError, and ValueError as :func:`parse_login` does."""
    with path.open("rb") as file:
        content = file.read(MAX_LOGIN_FILE + 1)
    return parse_login(content)


def parse_login(content: bytes) -> Credentials:
    """Read the name in the first line and the password in the second.

    Raises ValueError, which does not have the password in its text.
    """
    if len(content) > MAX_LOGIN_FILE:
        raise ValueError(f"it has more than {MAX_LOGIN_FILE} octets")
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if len(lines) != 2 or not all(lines):
        raise ValueError("it must have two lines: a name, and a password")
    if "\0" in lines[0] + lines[1]:
        raise ValueError("it has a NUL")
    return Credentials(lines[0], lines[1])
