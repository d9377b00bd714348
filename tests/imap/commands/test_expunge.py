import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import expunge
from twisted_mail.mail.outcome import ProtocolError, Refused
from twisted_mail.testing.doubles import finish

[EXPUNGE] = expunge.COMMANDS


def session_of(*flags: str, **settings: bool) -> SelectedSession:
    mailbox = SmallMailbox()
    for flag in flags:
        mailbox.add(b"", flag)
    return SelectedSession(mailbox, **settings)


def test_deleted_messages_are_removed_and_the_client_is_notified():
    session = session_of("\\Deleted", "\\Seen", "\\Deleted")
    assert finish(session.run(EXPUNGE, b"")) == "EXPUNGE completed."
    assert session.mailbox.calls == [("expunge", [1, 3])]
    assert session.view.updates(may_expunge=True) == [b"3 EXPUNGE", b"1 EXPUNGE"]


def test_uid_expunge_removes_only_what_is_deleted_and_in_the_set():
    session = session_of("\\Deleted", "\\Seen", "\\Deleted", "\\Deleted")
    finish(session.run(EXPUNGE, b"2:3", is_uid=True))
    assert session.mailbox.calls == [("expunge", [3])]


def test_nothing_to_remove_asks_nothing_of_the_store():
    session = session_of("\\Seen")
    assert finish(session.run(EXPUNGE, b"")) == "EXPUNGE completed."
    assert finish(session.run(EXPUNGE, b"1:*", is_uid=True)) == "EXPUNGE completed."
    assert session.mailbox.calls == []


def test_a_mailbox_selected_for_reading_keeps_its_messages():
    session = session_of("\\Deleted", is_read_only=True)
    with pytest.raises(Refused) as caught:
        finish(session.run(EXPUNGE, b""))
    assert caught.value.condition == "READ-ONLY"


@pytest.mark.parametrize(("arguments", "is_uid"), [(b"1", False), (b"", True), (b"x", True)])
def test_what_is_no_expunge_is_a_protocol_error(arguments, is_uid):
    with pytest.raises(ProtocolError):
        finish(session_of("\\Deleted").run(EXPUNGE, arguments, is_uid))


def test_closing_removes_all_that_is_deleted():
    session = session_of("\\Deleted", "\\Seen")
    finish(expunge.purge(session.mailbox))
    assert session.mailbox.calls == [("expunge", [1])]
