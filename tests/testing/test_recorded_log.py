"""A log in a list."""

from twisted_mail.testing.recorded_log import ListJournal, ServerJournal


def test_a_journal_keeps_what_happens() -> None:
    journal = ListJournal()
    journal.connected("smtp", "peer")
    assert journal.of("connected") == [("smtp", "peer")]
    assert journal.of("failed") == []


def test_the_journal_of_a_server_keeps_tracebacks() -> None:
    journal = ServerJournal()
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        journal.failed("session")
    [(where, traceback)] = journal.of("failed")
    assert where == "session"
    assert "ZeroDivisionError" in traceback
