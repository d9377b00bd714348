import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import search
from twisted_mail.mail.outcome import ProtocolError, Refused
from twisted_mail.testing.doubles import finish

[SEARCH] = search.COMMANDS


def session_of(*uids: int) -> SelectedSession:
    mailbox = SmallMailbox()
    for uid in uids:
        mailbox.add(b"text %d" % uid, uid=uid)
    return SelectedSession(mailbox)


def searched(session: SelectedSession, arguments: bytes, is_uid: bool = False) -> bytes:
    assert finish(session.run(SEARCH, arguments, is_uid)) == "SEARCH completed."
    return session.written()


def test_search_answers_with_sequence_numbers():
    assert searched(session_of(10, 20, 30), b"UID 20:30") == b"* SEARCH 2 3\r\n"


def test_uid_search_answers_with_uids():
    assert searched(session_of(10, 20, 30), b"2:3", is_uid=True) == b"* SEARCH 20 30\r\n"


def test_finding_nothing_is_an_answer_too():
    assert searched(session_of(10), b"TEXT absent") == b"* SEARCH\r\n"
    assert searched(session_of(), b"ALL") == b"* SEARCH\r\n"


def test_text_is_searched():
    assert searched(session_of(10, 20), b'TEXT "text 2"') == b"* SEARCH 2\r\n"


def test_what_the_client_was_not_sent_is_not_found():
    session = session_of(10)
    session.mailbox.add(b"new")
    assert searched(session, b"ALL") == b"* SEARCH 1\r\n"


def test_what_is_gone_is_not_found():
    session = session_of(10, 20, 30)
    session.mailbox.remove([20])
    said = finish(session.run(SEARCH, b"ALL"))
    assert said == "[EXPUNGEISSUED] SEARCH completed."
    assert session.written() == b"* SEARCH 1 3\r\n"
    assert searched(session, b"ALL", is_uid=True) == b"* SEARCH 10 30\r\n"


def test_an_unknown_charset_is_refused():
    with pytest.raises(Refused):
        finish(session_of().run(SEARCH, b"CHARSET X-KLINGON ALL"))


@pytest.mark.parametrize("arguments", [b"", b"ALL,SEEN", b"XYZZY"])
def test_what_is_no_program_is_a_protocol_error(arguments):
    with pytest.raises(ProtocolError):
        finish(session_of().run(SEARCH, arguments))


def test_long_answers_leave_with_pauses():
    session = session_of(*range(1, 20_001))
    answer = searched(session, b"ALL")
    assert answer.split() == [b"*", b"SEARCH", *(b"%d" % number for number in range(1, 20_001))]
    assert session.wire.largest_write <= 64 * 1024
    assert session.wire.drains >= 2
