"""The options that follow RETURN in a LIST (RFC 5258 §3): what one is, and those of the base."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Account
from twisted_mail.mail.mailbox.entry import MailboxInfo


@dataclass(frozen=True, slots=True)
class ListContext:
    """What the answers of a return option may be made of."""

    account: Account
    settings: Settings


@dataclass(frozen=True, slots=True)
class ReturnOption:
    r"""One option of RETURN.

    ``read`` reads what follows the option's name, with the items that STATUS knows, and returns its
    argument. ``attribute`` makes one more
    attribute of a mailbox, such as ``\Subscribed``, or nothing. ``respond`` makes one more untagged
    answer for a mailbox that can be selected, without ``*`` and CRLF; one that raises Refused or
    Unavailable is left out.
    """

    name: str
    read: Callable[[Reader, Mapping[str, StatusItem]], Any] | None = None
    attribute: Callable[[MailboxInfo], str] | None = None
    respond: Callable[[ListContext, MailboxInfo, Any], Awaitable[bytes]] | None = None


SUBSCRIBED = ReturnOption(
    "SUBSCRIBED", attribute=lambda info: "\\Subscribed" if info.is_subscribed else ""
)

# Children and special uses are in every answer, asked for or not.
RETURN_OPTIONS = (SUBSCRIBED, ReturnOption("CHILDREN"), ReturnOption("SPECIAL-USE"))
