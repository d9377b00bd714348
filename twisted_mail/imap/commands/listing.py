"""Commands that look at mailboxes from outside: LIST, LSUB, STATUS."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.listing import (
    ListedMailbox,
    ListRequest,
    ListResult,
    LsubResult,
    read_list_request,
)
from twisted_mail.imap.mailboxes.patterns import pattern
from twisted_mail.imap.mailboxes.return_options import ListContext
from twisted_mail.imap.mailboxes.status_items import (
    any_needs_size,
    read_status_items,
    status_line,
)
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN
from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import Refused, Unavailable

_SLICE = 20  # mailboxes between two looks at other connections
_CHUNK = 25 * _SLICE  # mailboxes between two drains


async def _list(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    tables = session.tables
    request = read_list_request(reader, tables.return_options, tables.status_items)
    if request.is_root:
        session.untagged(b'LIST (\\Noselect) "/" ""')
        return "LIST completed."
    context = ListContext(await session.account(), session.settings)
    listing = ListResult(await context.account.mailboxes(), request)
    if request.is_recursive:
        async for infos in _slices(session, listing.infos):
            listing.look(infos)
    async for one in matching_mailboxes(session, listing):
        await _show(session, context, one, request)
    return "LIST completed."


async def _slices(
    session: ImapSession, infos: Sequence[MailboxInfo]
) -> AsyncIterator[Sequence[MailboxInfo]]:
    """Yield some mailboxes at a time, with turns for other connections."""
    for start in range(0, len(infos), _SLICE):
        await session.wire.yield_to_others()
        yield infos[start : start + _SLICE]
        if start % _CHUNK == 0:
            await session.wire.drain()


async def matching_mailboxes(
    session: ImapSession, listing: ListResult | LsubResult
) -> AsyncIterator[ListedMailbox]:
    """Yield what is listed of all mailboxes, slice by slice, with turns for other connections."""
    async for infos in _slices(session, listing.infos):
        for one in listing.of(infos):
            yield one


async def _show(
    session: ImapSession, context: ListContext, one: ListedMailbox, request: ListRequest
) -> None:
    r"""Send one mailbox, and then what return options send of it.

    One that is deleted meanwhile is \Noselect; what fails otherwise is left out (RFC 5819 §2).
    """
    responses: list[bytes] = []
    try:
        if one.is_chosen and one.info.is_selectable:
            await _respond(session, context, one.info, request, responses)
    except Refused:
        one = replace(one, attributes=("\\Noselect", *one.attributes))
        responses = []
    session.untagged(one.line(b"LIST"))
    for response in responses:
        session.untagged(response)


async def _respond(
    session: ImapSession,
    context: ListContext,
    info: MailboxInfo,
    request: ListRequest,
    responses: list[bytes],
) -> None:
    for option, argument in request.returns.items():
        if option.respond is not None:
            await session.wire.yield_to_others()
            with suppress(Unavailable):
                responses.append(await option.respond(context, info, argument))


async def _lsub(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    request = read_plain_request(reader)
    infos = await (await session.account()).mailboxes()
    async for one in matching_mailboxes(session, LsubResult(infos, request)):
        session.untagged(one.line(b"LSUB"))
    return "LSUB completed."


def read_plain_request(reader: Reader) -> ListRequest:
    """Read a reference and a pattern (RFC 3501 §6.3.9)."""
    reader.space()
    reference = reader.astring()
    reader.space()
    name = reader.pattern()
    reader.end()
    return ListRequest([pattern(reference, name)])


async def _status(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.space()
    name = reader.mailbox()
    reader.space()
    items = read_status_items(reader, session.tables.status_items)
    reader.end()
    status = await (await session.account()).status(name, any_needs_size(items))
    session.untagged(status_line(name, status, items, session.settings))
    return "STATUS completed."


COMMANDS = (
    Command("LIST", AFTER_LOGIN, _list),
    Command("LSUB", AFTER_LOGIN, _lsub),
    Command("STATUS", AFTER_LOGIN, _status),
)
