"""STORE and UID STORE (RFC 3501 §6.4.6)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from twisted_mail.imap.command import SELECTED, Command
from twisted_mail.imap.commands.fetch import Fetching
from twisted_mail.imap.fetch.batches import batch_of, require_all_present, require_writable
from twisted_mail.imap.fetch.items import FetchAttribute
from twisted_mail.imap.fetch.plan import compile_plan
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import ProtocolError

if TYPE_CHECKING:
    from twisted_mail.imap.session import ImapSession

_HOW: dict[str, Literal["set", "add", "remove"]] = {
    "FLAGS": "set",
    "+FLAGS": "add",
    "-FLAGS": "remove",
}


@dataclass(frozen=True, slots=True)
class Alteration:
    """What a STORE does to flags; a silent one does not tell the result."""

    how: Literal["set", "add", "remove"]
    flags: Flags
    is_silent: bool


def parse(reader: Reader) -> Alteration:
    r"""Read what follows the numbers. Raises ProtocolError, also for ``\Recent``."""
    word = reader.word().upper()
    name = word.removesuffix(".SILENT")
    if name not in _HOW:
        raise ProtocolError(f"Unknown item {word[:40]}")
    reader.space()
    altered = flags.normal(reader.flags())
    reader.end()
    return Alteration(_HOW[name], altered, name != word)


async def store(session: "ImapSession", reader: Reader, is_uid: bool) -> str:
    """Alter flags, durably, and tell what they are now."""
    reader.space()
    numbers = reader.numbers()
    reader.space()
    alteration = parse(reader)
    uids = session.view.select(numbers, is_uid)
    require_writable(session)
    await session.mailbox.mark(uids, alteration.how, alteration.flags)
    if alteration.is_silent:
        session.view.note_silent_store(uids, alteration.how, alteration.flags)
    else:
        await Fetching(session, compile_plan((FetchAttribute.FLAGS,), is_uid)).answer(uids)
    if not is_uid:
        require_all_present(uids, batch_of(session, uids))
    return "STORE completed."


COMMANDS = (Command("STORE", SELECTED, store, keeps_numbers=True, has_uid_form=True),)
