"""STATUS of each mailbox that a LIST shows (RFC 5819)."""

from collections.abc import Mapping, Sequence

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.return_options import ListContext, ReturnOption
from twisted_mail.imap.mailboxes.status_items import (
    StatusItem,
    any_needs_size,
    read_status_items,
    status_line,
)
from twisted_mail.mail.mailbox.entry import MailboxInfo


def _read(reader: Reader, known: Mapping[str, StatusItem]) -> Sequence[StatusItem]:
    reader.space()
    return read_status_items(reader, known)


async def _respond(context: ListContext, info: MailboxInfo, items: Sequence[StatusItem]) -> bytes:
    status = await context.account.status(info.name, any_needs_size(items))
    return status_line(info.name, status, items, context.settings)


EXTENSION = Extension(
    "LIST-STATUS",
    capabilities=(Capability("LIST-STATUS"),),
    return_options=(ReturnOption("STATUS", read=_read, respond=_respond),),
)
