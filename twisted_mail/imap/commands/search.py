"""SEARCH and UID SEARCH (RFC 3501 §6.4.4)."""

from collections.abc import Sequence

from twisted_mail.imap.command import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search import evaluation, parser
from twisted_mail.imap.search.evaluation import SearchEvaluator
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.mail import dates

_STEP = 8000  # numbers written between two waits for the client: about 64 KiB


async def search(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer SEARCH with the messages that the client knows and that meet its program."""
    reader.space()
    wanted = parser.parse(reader)
    selected = session.require_selected()
    known = evaluation.candidates_of(selected.view.uids, selected.mailbox.columns)
    chooser = SearchEvaluator(
        known,
        selected.mailbox,
        selected.view.is_recent,
        session.backend.clock.now(),
        session.wire.yield_to_others,
        sent_day,
    )
    rows = await chooser.evaluate(wanted)
    named = known.uids if is_uid else known.numbers
    await _answer(session, [named[row] for row in rows])
    return "SEARCH completed."


async def _answer(session: ImapSession, numbers: Sequence[int]) -> None:
    session.wire.write(b"* SEARCH")
    for start in range(0, len(numbers), _STEP):
        part = numbers[start : start + _STEP]
        session.wire.write((" %d" * len(part) % tuple(part)).encode("ascii"))
        await session.wire.drain()
    session.wire.write(b"\r\n")


def sent_day(envelope: bytes) -> int | None:
    """Return the day, as an ordinal, that a rendered ENVELOPE's date names in its own zone."""
    reader = Reader(envelope)
    reader.take(b"(")
    value = reader.nstring()
    sent = None if value is None else dates.parse_mail_date(value)
    return None if sent is None else sent.toordinal()


COMMANDS = (Command("SEARCH", SELECTED, search, keeps_numbers=True, has_uid_form=True),)
