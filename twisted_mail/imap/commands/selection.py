"""Commands that open and close a mailbox: SELECT, EXAMINE, CHECK, CLOSE."""

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.commands.expunge import purge
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.selected import Selected
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN, SELECTED
from twisted_mail.imap.view import View
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.outcome import Refused


async def _select(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    await _open(session, _name(session, reader), is_read_only=False)
    return "[READ-WRITE] SELECT completed."


async def _examine(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    await _open(session, _name(session, reader), is_read_only=True)
    return "[READ-ONLY] EXAMINE completed."


def _name(session: ImapSession, reader: Reader) -> str:
    """Read a name; one that no mailbox can have is answered as one that is not there."""
    reader.space()
    try:
        name = reader.mailbox()
    except Refused:
        session.deselect()
        raise
    reader.end()
    return name


async def _open(session: ImapSession, name: str, is_read_only: bool) -> None:
    """Select a mailbox; the present one is given back whatever happens (RFC 3501 §6.3.1)."""
    session.deselect()
    mailbox = await (await session.account()).open(name)
    try:
        recent = await _recent_from(session, mailbox, is_read_only)
        view = View(mailbox, recent, claims=not is_read_only)
    except BaseException:
        mailbox.close()
        raise
    selected = Selected(mailbox, view, is_read_only)
    session.select(selected)
    lines = (response.line(selected) for response in session.tables.select_responses)
    session.untagged(b"\r\n* ".join(line for line in lines if line))


async def _recent_from(session: ImapSession, mailbox: Mailbox, is_read_only: bool) -> int:
    r"""Return the lowest UID that is \Recent; EXAMINE does not take it away from others."""
    if not is_read_only:
        return await mailbox.take_recent()
    status = await (await session.account()).status(mailbox.name, has_size=False)
    recent = status.recent
    uids = mailbox.columns.uids
    return uids[-recent] if 0 < recent <= len(uids) else mailbox.columns.uidnext


# ---------------------------------------------------------------- in a mailbox


async def _check(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.end()
    await session.require_selected().mailbox.refresh()
    return "CHECK completed."


async def _close(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Remove the deleted messages in silence, unless the mailbox is read-only (RFC 3501 §6.4.2)."""
    reader.end()
    selected = session.require_selected()
    if not selected.is_read_only:
        await purge(selected.mailbox)
    session.deselect()
    return "CLOSE completed."


COMMANDS = (
    Command("SELECT", AFTER_LOGIN, _select),
    Command("EXAMINE", AFTER_LOGIN, _examine),
    Command("CHECK", SELECTED, _check),
    Command("CLOSE", SELECTED, _close),
)
