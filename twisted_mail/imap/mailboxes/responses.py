"""What SELECT sends of the mailbox, and the response codes of CREATE (RFC 3501 §6.3.1, §7.1)."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.imap.selected import Selected
from twisted_mail.mail.mailbox.entry import MailboxStatus


@dataclass(frozen=True, slots=True)
class SelectResponse:
    """One untagged answer of SELECT and EXAMINE.

    ``line`` makes it, without ``*`` and CRLF, of the mailbox just selected; nothing where there is
    nothing to say.
    """

    name: str
    line: Callable[[Selected], bytes]


def select_code(name: str, value: Callable[[Selected], bytes], text: bytes) -> SelectResponse:
    """Return the answer ``OK [name value] text``, left out where ``value`` makes nothing."""

    def line(selected: Selected) -> bytes:
        shown = value(selected)
        return b"OK [%b %b] %b" % (name.encode("ascii"), shown, text) if shown else b""

    return SelectResponse(name, line)


@dataclass(frozen=True, slots=True)
class CreateCode:
    """A code in the answer to CREATE; ``value`` makes what follows its name."""

    name: str
    value: Callable[[MailboxStatus], str]


def _permanent_flags(selected: Selected) -> bytes:
    return b"()" if selected.is_read_only else selected.view.permanent_flags()


def _first_unseen(selected: Selected) -> bytes:
    row = selected.mailbox.columns.first_unseen()
    return b"" if row is None else b"%d" % (row + 1)


SELECT_RESPONSES = (
    SelectResponse("FLAGS", lambda selected: b"FLAGS " + selected.view.known_flags()),
    select_code("PERMANENTFLAGS", _permanent_flags, b"Flags that can be stored"),
    SelectResponse("EXISTS", lambda selected: b"%d EXISTS" % len(selected.view)),
    SelectResponse("RECENT", lambda selected: b"%d RECENT" % selected.view.recent_count),
    select_code("UNSEEN", _first_unseen, b"First message that is not seen"),
    select_code(
        "UIDVALIDITY", lambda selected: b"%d" % selected.mailbox.uidvalidity, b"UIDs are valid"
    ),
    select_code(
        "UIDNEXT", lambda selected: b"%d" % selected.mailbox.columns.uidnext, b"The next UID"
    ),
)
