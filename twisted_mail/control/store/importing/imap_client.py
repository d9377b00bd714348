"""The connection to another IMAP server: its address, its certificate, and bounds on what it sends."""

import imaplib
import socket
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.control.store.importing.source import MAX_MESSAGE

TIMEOUT = 120.0  # seconds of silence


class ImapServerAddress(NamedTuple):
    """Where to log in: from ``imaps://user@host:port/``."""

    is_implicit: bool
    host: str
    port: int
    user: str


def parse(url: str) -> ImapServerAddress:
    """Read the address of a server and a user. Raises CommandError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CommandError(f"{url} is no address of a server", WRONG_USE) from None
    if parts.scheme not in ("imap", "imaps") or not parts.hostname:
        raise CommandError(f"{url} does not look like imaps://user@host/", WRONG_USE)
    if not parts.username:
        raise CommandError(f"say the user: {parts.scheme}://USER@{parts.hostname}/", WRONG_USE)
    if parts.password is not None:
        text = "a password in an address is seen by everybody on this machine: leave it out"
        raise CommandError(text, WRONG_USE)
    if parts.path.strip("/"):
        raise CommandError("choose mailboxes with --only, not in the address", WRONG_USE)
    is_implicit = parts.scheme == "imaps"
    user = unquote(parts.username)
    return ImapServerAddress(
        is_implicit, parts.hostname, port or (993 if is_implicit else 143), user
    )


# ---------------------------------------------------------------- the connection


class ImapClient(imaplib.IMAP4):
    """A client whose connection is checked against a name that need not be the host's."""

    def __init__(self, address: ImapServerAddress, context: ssl.SSLContext, name: str) -> None:
        self._address = address
        self._context = context
        self._name = name
        super().__init__(address.host, address.port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        raw = socket.create_connection((self._address.host, self._address.port), timeout)
        if self._address.is_implicit:
            return self._context.wrap_socket(raw, server_hostname=self._name)
        return raw

    def read(self, size: int) -> bytes:
        """Read a literal of the length that the server says, up to a limit."""
        if size > MAX_MESSAGE:
            raise self.abort(f"the server sends {size} octets at once")
        return super().read(size)

    def secure(self) -> None:
        """Begin TLS on the open connection."""
        self.host = self._name
        self.starttls(self._context)


def connected(
    address: ImapServerAddress, is_starttls: bool, authority: str, name: str
) -> ImapClient:
    """Return a client whose server has proved its name. Raises CommandError."""
    if not address.is_implicit and not is_starttls:
        raise CommandError("passwords do not cross in clear: use imaps:// or --starttls", WRONG_USE)
    try:
        context = ssl.create_default_context(cafile=authority or None)
        client = ImapClient(address, context, name or address.host)
        if not address.is_implicit:
            client.secure()
    except ssl.SSLCertVerificationError as error:
        text = f"{address.host} cannot prove its name: {error.verify_message}"
        raise CommandError(f"{text} (--ca FILE, --tls-name NAME)") from None
    except (OSError, imaplib.IMAP4.error) as error:
        raise CommandError(f"{address.host}: {words(error)}") from None
    return client


def words(error: BaseException) -> str:
    """Return an error in words, for people."""
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:200] or type(error).__name__
