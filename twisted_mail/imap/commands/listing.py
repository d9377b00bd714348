"""Commands that look at mailboxes from outside: LIST, LSUB, XLIST, STATUS, NAMESPACE."""

from collections.abc import AsyncIterator, Sequence

from twisted_mail.imap.command import Command
from twisted_mail.imap.grammar import INBOX, Reader
from twisted_mail.imap.mailboxes.listing import (
    ListedMailbox,
    ListRequest,
    ListResult,
    LsubResult,
    read_list_request,
)
from twisted_mail.imap.mailboxes.patterns import pattern
from twisted_mail.imap.mailboxes.status_items import read_items, status_line
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN
from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import Refused, Unavailable

_SLICE = 20  # mailboxes between two looks at other connections
_CHUNK = 25 * _SLICE  # mailboxes between two drains
_XLIST_USES = {"\\Junk": "\\Spam", "\\All": "\\AllMail", "\\Flagged": "\\Starred"}


async def _list(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    question = read_list_request(reader)
    if question.is_root:
        session.untagged(b'LIST (\\Noselect) "/" ""')
        return "LIST completed."
    infos = await (await session.account()).mailboxes()
    async for one in _write_list(session, infos, ListResult(infos, question)):
        session.untagged(one.line(b"LIST"))
        await _count(session, one, question)
    return "LIST completed."


async def _write_list(
    session: ImapSession, infos: Sequence[MailboxInfo], listing: ListResult | LsubResult
) -> AsyncIterator[ListedMailbox]:
    for start in range(0, len(infos), _SLICE):
        await session.wire.yield_to_others()
        for one in listing.of(infos[start : start + _SLICE]):
            yield one
        if start % _CHUNK == 0:
            await session.wire.drain()


async def _count(session: ImapSession, one: ListedMailbox, question: ListRequest) -> None:
    """Add a STATUS where the question wants it; one that fails is left out (RFC 5819 §2)."""
    if not question.counts or not one.info.is_selectable:
        return
    await session.wire.yield_to_others()
    try:
        account = await session.account()
        status = await account.status(one.info.name, "SIZE" in question.counts)
    except (Refused, Unavailable):
        return
    limit = session.settings.max_size
    session.untagged(status_line(one.info.name, status, question.counts, limit))


async def _xlist(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer what old clients asked before SPECIAL-USE: LIST with Google's names for the uses."""
    question = _plain_list_request(reader)
    infos = await (await session.account()).mailboxes()
    async for one in _write_list(session, infos, ListResult(infos, question)):
        names = [_XLIST_USES.get(word, word) for word in one.attributes]
        names += ["\\Inbox"] if one.info.name == INBOX else []
        session.untagged(ListedMailbox(one.info, tuple(names)).line(b"XLIST"))
    return "XLIST completed."


async def _lsub(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    question = _plain_list_request(reader)
    infos = await (await session.account()).mailboxes()
    async for one in _write_list(session, infos, LsubResult(infos, question)):
        session.untagged(one.line(b"LSUB"))
    return "LSUB completed."


def _plain_list_request(reader: Reader) -> ListRequest:
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
    items = read_items(reader)
    reader.end()
    status = await (await session.account()).status(name, "SIZE" in items)
    session.untagged(status_line(name, status, items, session.settings.max_size))
    return "STATUS completed."


async def _namespace(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Say that all names are the account's own (RFC 2342 §5)."""
    reader.end()
    session.untagged(b'NAMESPACE (("" "/")) NIL NIL')
    return "NAMESPACE completed."


COMMANDS = (
    Command("LIST", AFTER_LOGIN, _list),
    Command("XLIST", AFTER_LOGIN, _xlist),
    Command("LSUB", AFTER_LOGIN, _lsub),
    Command("STATUS", AFTER_LOGIN, _status),
    Command("NAMESPACE", AFTER_LOGIN, _namespace),
)
