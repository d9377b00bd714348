r"""FETCH and UID FETCH (RFC 3501 §6.4.5)."""

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.fetch.fetching import Fetching
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.selected import EXPUNGE_ISSUED, GONE
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.mail.outcome import Refused


async def fetch(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer FETCH."""
    reader.space()
    numbers = reader.numbers()
    reader.space()
    plan = session.tables.fetch_plans[reader.rest, is_uid]
    selected = session.selected
    assert selected is not None  # the table allows the command in no other state
    uids = selected.view.select(numbers, is_uid)
    shows_gone = plan.is_known and not is_uid
    fetching = Fetching(selected, session.wire, session.backend.blocking, plan, shows_gone)
    answered = await fetching.answer(uids)
    if answered < len(uids) and not is_uid:
        selected.require_no_faults()
        raise Refused(GONE, EXPUNGE_ISSUED)
    if is_uid or not selected.view.has_updates:
        return "FETCH completed."
    return selected.completed("FETCH", uids)


COMMANDS = (Command("FETCH", SELECTED, fetch, keeps_numbers=True, has_uid_form=True),)
