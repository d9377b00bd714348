"""XLIST, by which old clients asked for special uses before RFC 6154: Google's own extension."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.commands.listing import matching_mailboxes, read_plain_request
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.listing import ListedMailbox, ListResult
from twisted_mail.imap.mailboxes.names import INBOX
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN

_XLIST_USES = {"\\Junk": "\\Spam", "\\All": "\\AllMail", "\\Flagged": "\\Starred"}


async def _xlist(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer as LIST does, with Google's names for the uses."""
    request = read_plain_request(reader)
    infos = await (await session.account()).mailboxes()
    async for one in matching_mailboxes(session, ListResult(infos, request)):
        names = [_XLIST_USES.get(word, word) for word in one.attributes]
        names += ["\\Inbox"] if one.info.name == INBOX else []
        session.untagged(ListedMailbox(one.info, tuple(names)).line(b"XLIST"))
    return "XLIST completed."


EXTENSION = Extension(
    "XLIST",
    capabilities=(Capability("XLIST"),),
    commands=(Command("XLIST", AFTER_LOGIN, _xlist),),
)
