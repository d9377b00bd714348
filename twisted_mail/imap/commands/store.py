"""STORE and UID STORE (RFC 3501 §6.4.6)."""

from dataclasses import dataclass
from typing import Literal

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.fetch.fetching import Fetching
from twisted_mail.imap.fetch.items import FLAGS
from twisted_mail.imap.fetch.plan import compile_plan
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import ProtocolError

_HOW: dict[str, Literal["set", "add", "remove"]] = {
    "FLAGS": "set",
    "+FLAGS": "add",
    "-FLAGS": "remove",
}
_ANSWERS = {is_uid: compile_plan((FLAGS,), is_uid) for is_uid in (False, True)}
_NOTED_AT_ONCE = 500  # messages, between two looks at other connections


@dataclass(frozen=True, slots=True)
class Alteration:
    """What a STORE does to flags; the result of a silent one is not sent."""

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


async def store(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Alter flags, durably, and send what they are now."""
    reader.space()
    numbers = reader.numbers()
    reader.space()
    alteration = parse(reader)
    selected = session.require_selected()
    uids = selected.view.select(numbers, is_uid)
    selected.require_writable()
    await selected.mailbox.mark(uids, alteration.how, alteration.flags)
    if alteration.is_silent:
        faulty = selected.mailbox.faulty
        done = [uid for uid in uids if uid not in faulty] if faulty else uids
        for start in range(0, len(done), _NOTED_AT_ONCE):
            await session.wire.yield_to_others()
            part = done[start : start + _NOTED_AT_ONCE]
            selected.view.note_silent_store(part, alteration.how, alteration.flags)
    else:
        blocking = session.backend.blocking
        await Fetching(selected, session.wire, blocking, _ANSWERS[is_uid]).answer(uids)
    if is_uid:
        return "STORE completed."
    if not alteration.is_silent:
        selected.require_all_present(uids)
    return selected.completed("STORE", uids)  # RFC 2180 §4.2.1


COMMANDS = (Command("STORE", SELECTED, store, keeps_numbers=True, has_uid_form=True),)
