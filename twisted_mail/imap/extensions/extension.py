"""What an extension is: the values it adds to the tables of a service."""

from dataclasses import dataclass

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.fetch.item import FetchItem
from twisted_mail.imap.mailboxes.responses import CreateCode, SelectResponse
from twisted_mail.imap.mailboxes.return_options import ReturnOption
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.imap.search.key import SearchKey


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension of IMAP, as one value; all that it leaves out it does not touch.

    Its names are in upper case, and nobody else has them. The base (RFC 3501) is a value of this kind
    too.
    """

    name: str
    capabilities: tuple[Capability, ...] = ()
    commands: tuple[Command, ...] = ()
    fetch_items: tuple[FetchItem, ...] = ()
    search_keys: tuple[SearchKey, ...] = ()
    status_items: tuple[StatusItem, ...] = ()
    select_responses: tuple[SelectResponse, ...] = ()
    create_code: CreateCode | None = None
    return_options: tuple[ReturnOption, ...] = ()
