r"""EXPUNGE and UID EXPUNGE (RFC 3501 §6.4.3, RFC 4315 §2.1), and what CLOSE removes."""

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.flags import DELETED


async def expunge(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    r"""Remove all ``\Deleted`` messages, or those of a set; the loop sends which are gone."""
    named = None
    if is_uid:
        reader.space()
        named = reader.numbers()
    reader.end()
    selected = session.require_selected()
    selected.require_writable()
    uids = deleted(selected.mailbox)
    if named is not None:
        chosen = frozenset(selected.view.select(named, is_uid=True))
        uids = [uid for uid in uids if uid in chosen]
    if uids:
        await selected.mailbox.expunge(uids)
    return "EXPUNGE completed."


def deleted(mailbox: Mailbox) -> list[int]:
    r"""Return the UIDs of the messages that are ``\Deleted`` now, ascending."""
    columns = mailbox.columns
    return [uid for uid, flags in zip(columns.uids, columns.flags, strict=True) if DELETED in flags]


async def purge(mailbox: Mailbox) -> None:
    r"""Remove all ``\Deleted`` messages, as CLOSE does (RFC 3501 §6.4.2)."""
    if uids := deleted(mailbox):
        await mailbox.expunge(uids)


COMMANDS = (Command("EXPUNGE", SELECTED, expunge, has_uid_form=True),)
