import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import store
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.outcome import ProtocolError, Refused
from twisted_mail.testing.doubles import finish

[STORE] = store.COMMANDS


def session_of(count: int = 1, **settings: bool) -> SelectedSession:
    return SelectedSession(SmallMailbox(*[b""] * count), **settings)


def stored(session: SelectedSession, arguments: bytes, is_uid: bool = False) -> list[bytes]:
    assert finish(session.run(STORE, arguments, is_uid)) == "STORE completed."
    return session.written().splitlines()


def test_the_new_flags_are_sent_once():
    session = session_of(2)
    assert stored(session, b"1:2 +FLAGS (\\Deleted)") == [
        b"* 1 FETCH (FLAGS (\\Deleted))",
        b"* 2 FETCH (FLAGS (\\Deleted))",
    ]
    assert session.view.updates(may_expunge=False) == []


def test_flags_are_sent_when_nothing_changed_too():
    session = session_of()
    stored(session, b"1 FLAGS \\Seen")
    assert stored(session, b"1 FLAGS \\Seen") == [b"* 1 FETCH (FLAGS (\\Seen))"]


def test_flags_are_set_added_and_removed():
    session = session_of()
    stored(session, b"1 FLAGS (\\Seen \\Draft)")
    stored(session, b"1 +flags \\Flagged $Junk")
    assert stored(session, b"1 -Flags (\\DRAFT)") == [b"* 1 FETCH (FLAGS (\\Flagged \\Seen $Junk))"]
    assert stored(session, b"1 FLAGS ()") == [b"* 1 FETCH (FLAGS ())"]


def test_uid_store_sends_the_uid():
    assert stored(session_of(), b"1 +FLAGS \\Seen", True) == [b"* 1 FETCH (UID 1 FLAGS (\\Seen))"]


def test_a_silent_store_sends_nothing():
    session = session_of()
    assert stored(session, b"1 +FLAGS.SILENT \\Seen") == []
    assert session.view.updates(may_expunge=False) == []


def test_a_silent_store_does_not_hide_what_others_did():
    session = session_of()
    finish(session.mailbox.mark([1], "add", frozenset({"\\Flagged"})))
    stored(session, b"1 +FLAGS.SILENT \\Seen")
    updates = session.view.updates(may_expunge=False)
    assert updates == [b"1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))"]


def test_flags_are_altered_in_one_call():
    session = session_of(3)
    stored(session, b"1,3 +FLAGS.SILENT (\\Seen)")
    assert session.mailbox.calls == [("mark", [1, 3], "add", frozenset({"\\Seen"}))]


def test_a_mailbox_selected_for_reading_is_not_altered():
    session = session_of(is_read_only=True)
    with pytest.raises(Refused) as caught:
        finish(session.run(STORE, b"1 FLAGS ()"))
    assert caught.value.condition == "READ-ONLY"
    assert session.mailbox.calls == []


def test_a_message_that_is_gone_is_said_and_the_others_are_altered():
    session = session_of(2)
    session.mailbox.remove([1])
    with pytest.raises(Refused) as caught:
        finish(session.run(STORE, b"1:2 +FLAGS \\Seen"))
    assert caught.value.condition == "EXPUNGEISSUED"
    assert session.written() == b"* 2 FETCH (FLAGS (\\Seen))\r\n"


def test_a_silent_store_is_completed_where_a_message_is_gone():
    session = session_of(2)
    session.mailbox.remove([1])
    said = finish(session.run(STORE, b"1:2 +FLAGS.SILENT \\Seen"))
    assert said == "[EXPUNGEISSUED] STORE completed."
    assert session.mailbox.columns.flags == [frozenset({"\\Seen"})]
    assert session.written() == b""


def test_a_uid_that_is_gone_is_passed_over():
    session = session_of(2)
    session.mailbox.remove([1])
    assert stored(session, b"1 +FLAGS \\Seen", is_uid=True) == []


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b"1",
        b"1 FLAGS",
        b"1 FLAGS ",
        b"1 FLAG (\\Seen)",
        b"1 +FLAGS.LOUD (\\Seen)",
        b"1 *FLAGS (\\Seen)",
        b"1 FLAGS (\\Recent)",
        b"1 FLAGS (\\Unheard)",
        b"1 FLAGS (\\*)",
        b"1 FLAGS (a]b)",
        b"1 FLAGS (\\Seen) x",
        b"1 FLAGS (" + b"k" * 101 + b")",
        b"2 FLAGS ()",
    ],
)
def test_what_is_no_store_is_a_protocol_error(arguments):
    session = session_of()
    with pytest.raises(ProtocolError):
        finish(session.run(STORE, arguments))
    assert session.mailbox.calls == []


@given(
    st.binary()
    | st.lists(st.sampled_from([*b"+FLAGS .SILENT ( ) \\Seen \\Recent k".split(), b" "])).map(
        b"".join
    )
)
def test_any_octets_give_an_alteration_or_a_protocol_error(data):
    reader = Reader(data)
    try:
        store.parse(reader)
    except ProtocolError:
        return
    assert reader.at_end


def test_a_silent_store_of_thousands_lets_others_go_first():
    session = session_of(2000)
    stored(session, b"1:2000 +FLAGS.SILENT \\Seen")
    assert session.wire.turns >= 4
