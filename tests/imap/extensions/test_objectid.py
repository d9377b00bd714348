import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from tests.imap.talk import ImapFixture
from twisted_mail.imap.commands import fetch, search
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.testing.doubles import finish

[FETCH], [SEARCH] = fetch.COMMANDS, search.COMMANDS


def session_with(*uids: int) -> SelectedSession:
    mailbox = SmallMailbox()
    for uid in uids:
        mailbox.add(b"Subject: hi\r\n\r\nbody\r\n", uid=uid)
    return SelectedSession(mailbox)


def searched(session: SelectedSession, arguments: bytes, is_uid: bool = False) -> bytes:
    assert finish(session.run(SEARCH, arguments, is_uid)) == "SEARCH completed."
    return session.written()


def fetched(session: SelectedSession, arguments: bytes) -> list[bytes]:
    assert finish(session.run(FETCH, arguments)) == "FETCH completed."
    return session.written().splitlines()


def test_a_mailbox_is_called_the_same_wherever_it_is_shown() -> None:
    imap = ImapFixture()
    mailbox_id = finish(imap.account.status("INBOX")).id
    lines = imap.inside("a CREATE x", "b STATUS INBOX (MAILBOXID)", "c SELECT INBOX")
    assert lines[0].startswith("a OK [MAILBOXID (F")
    assert lines[1] == f"* STATUS INBOX (MAILBOXID (F{mailbox_id}))"
    assert lines[-2] == f"* OK [MAILBOXID (F{mailbox_id})] The mailbox, whatever its name"


def test_messages_show_what_they_are_called_and_their_thread():
    session = session_with(1, 2, 3)
    assert fetched(session, b"2:3 (EMAILID threadid UID)") == [
        b"* 2 FETCH (EMAILID (Me2) THREADID (Tt1) UID 2)",
        b"* 3 FETCH (EMAILID (Me3) THREADID (Tt1) UID 3)",
    ]
    assert fetched(session, b"1 THREADID")[-1:] == [b"* 1 FETCH (THREADID (Tt0))"]


def test_a_message_that_goes_while_its_thread_is_asked_for_is_left_out():
    session = session_with(1, 2)
    session.mailbox.before = lambda name: name == "threads" and session.mailbox.remove([1])
    found = finish(session.run(FETCH, b"1:2 (EMAILID THREADID BODY.PEEK[TEXT])", True))
    assert found == "FETCH completed."
    assert session.written() == (
        b"* 2 FETCH (UID 2 EMAILID (Me2) THREADID (Tt1) BODY[TEXT] {6}\r\nbody\r\n)\r\n"
    )


def test_messages_are_found_by_what_they_are_called_and_by_their_thread():
    session = session_with(*range(10, 16))
    assert searched(session, b"EMAILID Me12") == b"* SEARCH 3\r\n"
    assert searched(session, b"THREADID Tt6") == b"* SEARCH 3 4\r\n"
    assert searched(session, b"OR emailid Me10 threadid Tt7") == b"* SEARCH 1 5 6\r\n"
    assert searched(session, b"NOT THREADID Tt6", is_uid=True) == b"* SEARCH 10 11 14 15\r\n"


@pytest.mark.parametrize("name", [b"e12", b"Te12", b"me12", b"M", b"Mt6", b"NIL", b"M" * 255])
def test_what_is_called_otherwise_is_not_found(name):
    assert searched(session_with(12), b"EMAILID " + name) == b"* SEARCH\r\n"


@pytest.mark.parametrize("name", [b"", b"M.", b'"Me12"', b"M" * 256, b"(M)", b"M+"])
def test_what_can_be_no_object_identifier_is_a_protocol_error(name):
    with pytest.raises(ProtocolError):
        searched(session_with(12), b"THREADID " + name)


def test_thousands_are_asked_for_their_threads_in_portions():
    session = session_with(*range(1, 2501))
    searched(session, b"THREADID Tt1")
    assert [len(call[1]) for call in session.mailbox.calls] == [1000, 1000, 500]
