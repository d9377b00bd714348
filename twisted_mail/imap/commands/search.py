"""SEARCH and UID SEARCH (RFC 3501 §6.4.4)."""

from collections.abc import Sequence

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search.parser import parse
from twisted_mail.imap.search.selected import evaluator_of
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED

_STEP = 8000  # numbers written between two waits for the client: about 64 KiB


async def search(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer SEARCH with the messages that the client knows and that meet its program."""
    reader.space()
    criterion = parse(reader, session.tables.search_keys)
    evaluator = evaluator_of(session)
    rows = await evaluator.evaluate(criterion)
    candidates = evaluator.candidates
    named = candidates.uids if is_uid else candidates.numbers
    await send_numbers(session, b"SEARCH", [named[row] for row in rows])
    if is_uid:
        return "SEARCH completed."
    selected = session.require_selected()
    return selected.completed("SEARCH", selected.view.uids)


async def send_numbers(session: ImapSession, name: bytes, numbers: Sequence[int]) -> None:
    """Send one untagged response with the numbers, some at a time."""
    session.wire.write(b"* " + name)
    for start in range(0, len(numbers), _STEP):
        part = numbers[start : start + _STEP]
        session.wire.write((" %d" * len(part) % tuple(part)).encode("ascii"))
        await session.wire.drain()
    session.wire.write(b"\r\n")


COMMANDS = (Command("SEARCH", SELECTED, search, keeps_numbers=True, has_uid_form=True),)
