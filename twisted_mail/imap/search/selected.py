"""Searching in the selected mailbox, for every command that has a search program."""

from twisted_mail.imap.search.evaluation import SearchEvaluator, candidates_of
from twisted_mail.imap.session import ImapSession


def evaluator_of(session: ImapSession) -> SearchEvaluator:
    """Return what finds messages of the selected mailbox, among those that the client knows now.

    Its ``candidates`` give the sequence numbers and UIDs of the rows that it finds. Raises
    ProtocolError when no mailbox is selected.
    """
    selected = session.require_selected()
    return SearchEvaluator(
        candidates_of(selected.view.uids, selected.mailbox.columns),
        selected.mailbox,
        selected.view.is_recent,
        session.backend.clock.now(),
        session.wire.yield_to_others,
    )
