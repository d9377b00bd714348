"""MOVE and UID MOVE (RFC 6851)."""

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.commands.copy import copy_code, read_copy_arguments
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED


async def move(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Move messages; the new UIDs are sent before the EXPUNGE (RFC 6851 §4.3).

    They are also sent where only some of thousands were moved, before the reason.
    """
    selected = session.require_selected()
    uids, target = read_copy_arguments(selected, reader, is_uid)
    selected.require_writable()
    if not uids:
        return "No such messages, so nothing moved."
    moved = await selected.mailbox.move(uids, target)
    code = copy_code(moved)
    if code:
        session.untagged(f"OK {code}Moved.".encode("ascii"))
    if moved.error is not None:
        raise moved.error
    return "MOVE completed."


EXTENSION = Extension(
    "MOVE",
    capabilities=(Capability("MOVE"),),
    commands=(Command("MOVE", SELECTED, move, has_uid_form=True),),
)
