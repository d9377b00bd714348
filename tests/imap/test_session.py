import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.imap.state import State
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.testing.doubles import finish


def test_what_is_not_there_yet_is_a_protocol_error() -> None:
    session = ImapFixture().loop().session
    assert session.state is State.NOT_AUTHENTICATED
    with pytest.raises(ProtocolError):
        finish(session.account())
    with pytest.raises(ProtocolError):
        session.require_selected()


def test_the_first_reason_and_the_first_farewell_count() -> None:
    session = ImapFixture().loop().session
    session.end_session("errors", "Too many bad commands")
    session.end_session("flood", "Too much data")
    assert (session.end_reason, session.farewell) == ("errors", b"* BYE Too many bad commands\r\n")
