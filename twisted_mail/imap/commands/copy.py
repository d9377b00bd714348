"""COPY and UID COPY (RFC 3501 §6.4.7, RFC 4315 §3), and what MOVE has in common with them."""

from collections.abc import Iterable

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.selected import Selected
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.numbers import Range, format_ranges


async def copy(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Copy messages, all or none."""
    selected = session.require_selected()
    uids, target = read_copy_arguments(selected, reader, is_uid)
    if not uids:
        return "No such messages, so nothing copied."
    return f"{copy_code(await selected.mailbox.copy(uids, target))}COPY completed."


def read_copy_arguments(selected: Selected, reader: Reader, is_uid: bool) -> tuple[list[int], str]:
    """Read the messages and the mailbox.

    Nothing is copied when a sequence number means a message that is gone: the client is to look
    first (RFC 2180 §4.4).
    """
    reader.space()
    numbers = reader.numbers()
    reader.space()
    target = reader.mailbox()
    reader.end()
    uids = selected.view.select(numbers, is_uid)
    if not is_uid:
        selected.require_all_present(uids)
    return uids, target


def copy_code(copied: CopyResult) -> str:
    """Return the COPYUID code and a space; nothing when nothing was copied."""
    if not copied.sources:
        return ""
    sources, targets = runs(copied.sources), runs(copied.targets)
    pairs = f"{format_ranges(sources)} {format_ranges(targets)}"
    return f"[COPYUID {copied.uidvalidity} {pairs}] "


def runs(uids: Iterable[int]) -> list[Range]:
    """Return ascending ranges in the order of the UIDs, which the two sets must keep."""
    found: list[Range] = []
    for uid in uids:
        if found and uid == found[-1][1] + 1:
            found[-1] = found[-1][0], uid
        else:
            found.append((uid, uid))
    return found


COMMANDS = (Command("COPY", SELECTED, copy, has_uid_form=True),)
