"""Object identifiers (RFC 8474): what messages, threads and mailboxes are called, wherever they go.

The store's own names get a letter before them, so that none of an email is ever one of a thread, nor
begins with a digit, nor looks like NIL (RFC 8474 §8.1).
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from twisted_mail.imap.bulk_column import IDENTITIES, THREAD_IDS
from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.fetch.item import FetchItem
from twisted_mail.imap.mailboxes.responses import CreateCode, select_code
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.imap.search.evaluation import LOADED, Rows, SearchEvaluator
from twisted_mail.imap.search.key import SearchArguments, SearchKey
from twisted_mail.mail.outcome import ProtocolError

MAX_LENGTH = 255  # RFC 8474 §7


class ObjectIdKind(Enum):
    """What has the identifier, by the letter before it."""

    EMAIL = "M"
    THREAD = "T"
    MAILBOX = "F"


def formatted(kind: ObjectIdKind, name: str) -> str:
    """Return an identifier in parentheses, as all answers have it."""
    return f"({kind.value}{name})"


def _octets(kind: ObjectIdKind, name: str) -> bytes:
    return formatted(kind, name).encode("ascii")


@dataclass(frozen=True, slots=True)
class HasObjectId:
    """Messages of an EMAILID or THREADID (RFC 8474 §6); ``name`` is the store's, empty for none."""

    cost: ClassVar[int] = LOADED
    depth: ClassVar[int] = 0
    kind: ObjectIdKind
    name: str

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        if not self.name:
            return []
        if self.kind is ObjectIdKind.THREAD:
            names = await search.load(THREAD_IDS, rows, str)
        else:
            names = await search.load(IDENTITIES, rows, lambda identity: str(identity.email))
        return [row for row, name in zip(rows, names, strict=True) if name == self.name]


def _search_key(name: str, kind: ObjectIdKind) -> SearchKey:
    return SearchKey(name, lambda arguments: HasObjectId(kind, _read(arguments, kind)))


def _read(arguments: SearchArguments, kind: ObjectIdKind) -> str:
    """Read an identifier; return the store's name, empty where it is one of something else."""
    text = arguments.atom()
    if len(text) > MAX_LENGTH or not text.replace("-", "").replace("_", "").isalnum():
        raise ProtocolError("Malformed object identifier")
    return text.removeprefix(kind.value) if text.startswith(kind.value) else ""


EXTENSION = Extension(
    "OBJECTID",
    capabilities=(Capability("OBJECTID"),),
    fetch_items=(
        FetchItem("EMAILID", IDENTITIES, lambda one: _octets(ObjectIdKind.EMAIL, one.email)),
        FetchItem("THREADID", THREAD_IDS, lambda one: _octets(ObjectIdKind.THREAD, one)),
    ),
    search_keys=(
        _search_key("EMAILID", ObjectIdKind.EMAIL),
        _search_key("THREADID", ObjectIdKind.THREAD),
    ),
    status_items=(
        StatusItem("MAILBOXID", lambda status, _: formatted(ObjectIdKind.MAILBOX, status.id)),
    ),
    select_responses=(
        select_code(
            "MAILBOXID",
            lambda selected: _octets(ObjectIdKind.MAILBOX, selected.mailbox.id),
            b"The mailbox, whatever its name",
        ),
    ),
    create_code=CreateCode("MAILBOXID", lambda status: formatted(ObjectIdKind.MAILBOX, status.id)),
)
