from typing import Any, cast

from tests.imap.selected import TABLES, SelectedSession, SmallMailbox
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search.evaluation import SearchEvaluator
from twisted_mail.imap.search.parser import parse
from twisted_mail.imap.search.selected import evaluator_of
from twisted_mail.testing.doubles import finish


def session_of(*uids: int, recent_from: int = 2**32) -> SelectedSession:
    mailbox = SmallMailbox()
    for uid in uids:
        mailbox.add(b"text", uid=uid)
    return SelectedSession(mailbox, recent_from)


def evaluator(session: SelectedSession) -> SearchEvaluator:
    return evaluator_of(cast("Any", session))


def found(search: SearchEvaluator, program: bytes) -> list[int]:
    rows = finish(search.evaluate(parse(Reader(program), TABLES.search_keys)))
    return [search.candidates.uids[row] for row in rows]


def test_messages_of_the_selected_mailbox_are_found() -> None:
    assert found(evaluator(session_of(10, 20, 30)), b"2:3") == [20, 30]


def test_what_is_recent_is_recent_for_this_session() -> None:
    assert found(evaluator(session_of(10, 20, recent_from=20)), b"RECENT") == [20]


def test_only_what_the_client_was_sent_is_searched() -> None:
    session = session_of(10)
    session.mailbox.add(b"new", uid=20)
    assert found(evaluator(session), b"ALL") == [10]


def test_the_time_is_that_of_the_session() -> None:
    session = session_of()
    assert evaluator(session).now == session.backend.clock.now()
