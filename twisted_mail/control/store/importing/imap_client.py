"""The connection to another IMAP server: its address, its certificate, and bounds on what it sends."""

import imaplib
import re
import socket
import ssl
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.importing.source import MAX_MESSAGE
from twisted_mail.control.store.progress import GO_ON
from twisted_mail.control.store.skipped import BadItem, reason_of

TIMEOUT = 120.0  # seconds of silence
MAX_LINE = 32 * 1024 * 1024  # octets: the UIDs of three million messages
MAX_PASSED_OVER = 4 * 1024 * 1024 * 1024  # octets of a message that is too large
_PIECE = 1024 * 1024


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


class ConnectionLost(CommandError):
    """The server ended the connection, or it broke."""


class ImapClient(imaplib.IMAP4):
    """A client whose connection is checked against a name that need not be the host's."""

    def __init__(self, address: ImapServerAddress, context: ssl.SSLContext, name: str) -> None:
        self._address = address
        self._context = context
        self._name = name
        self._room = MAX_MESSAGE
        self.exists = 0  # messages of the open mailbox, as the server has counted them last
        super().__init__(address.host, address.port, TIMEOUT)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        raw = socket.create_connection((self._address.host, self._address.port), timeout)
        if self._address.is_implicit:
            return self._context.wrap_socket(raw, server_hostname=self._name)
        return raw

    def readline(self) -> bytes:
        """Read a line: one with the UIDs of a large mailbox is longer than imaplib allows."""
        stream: Any = self._file if hasattr(self, "_file") else self.file  # Python 3.14 renamed it
        line: bytes = stream.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise self.abort("the server sends a line without end")
        return line

    def read(self, size: int) -> Any:
        """Read a literal; None where there is no room for it, and its octets are passed over."""
        if size > MAX_PASSED_OVER:
            raise self.abort(f"the server sends {size} octets at once")
        if size <= self._room:
            self._room -= size
            return super().read(size)
        while size > 0:
            piece = super().read(min(size, _PIECE))
            if not piece:
                raise self.abort("the connection ended within a message")
            size -= len(piece)
        return None

    def _append_untagged(self, typ: str, dat: Any) -> None:
        """Keep an untagged response, and count the messages of the mailbox that is open."""
        if typ == "EXISTS":
            self.exists = imap_replies.number(dat)
        elif typ == "EXPUNGE":
            self.exists = max(0, self.exists - 1)
        else:
            super()._append_untagged(typ, dat)  # type: ignore[misc]

    def _get_capabilities(self) -> None:
        super()._get_capabilities()  # type: ignore[misc]
        if "IMAP4REV2" in self.capabilities:  # alone, it is unknown to imaplib
            self.capabilities = ("IMAP4REV1", *self.capabilities)

    def ask(self, command: str, *arguments: Any, room: int = MAX_MESSAGE) -> list[Any]:
        """Send a command and return the untagged answers, with at most ``room`` octets of literals.

        Raises BadItem where the server refuses, and ConnectionLost.
        """
        self._room = room
        try:
            answer, data = getattr(self, command)(*arguments)
        except (self.abort, OSError) as error:
            raise self.lost(error) from None
        except self.error as error:
            raise BadItem(words(error)) from None
        if answer != "OK":
            text = data[0] if data and isinstance(data[0], bytes) else b""
            raise BadItem(text.decode("utf-8", "replace")[:200] or "the server refuses")
        return list(data)

    def examine(self, raw: bytes) -> int:
        """Open a mailbox for reading by the octets of its name; return how many messages it has."""
        if re.search(rb"[\0\r\n]", raw):
            raise BadItem("its name has line ends, which cannot be sent")
        self.exists = 0
        name = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        self.ask("select", name, True)
        return self.exists

    def learn_capabilities(self) -> None:
        """Ask what the server can do: after the login it may be more."""
        self.untagged_responses.pop("CAPABILITY", None)
        try:
            self._get_capabilities()
        except (self.abort, OSError) as error:
            raise self.lost(error) from None
        except self.error:
            pass  # what it said before the login holds

    def lost(self, error: BaseException) -> "ConnectionLost":
        """Return the error that ends the import, unless the server is connected to again."""
        text = f"the connection to {self._address.host} was lost: {words(error)}"
        return ConnectionLost(f"{text}; {GO_ON}")

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
    return reason_of(error)[:200] or type(error).__name__
