import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import fetch
from twisted_mail.imap.fetch import fetching
from twisted_mail.imap.fetch.body_sections import GROUP_OCTETS
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import ProtocolError, Refused, Unavailable
from twisted_mail.testing.doubles import finish

[FETCH] = fetch.COMMANDS
MESSAGE = b"From: a@b\r\n\r\nbody\r\n"


def session_of(*bodies: bytes, **settings: bool) -> SelectedSession:
    return SelectedSession(SmallMailbox(*bodies), **settings)


def fetched(session: SelectedSession, arguments: bytes, is_uid: bool = False) -> list[bytes]:
    assert finish(session.run(FETCH, arguments, is_uid)) == "FETCH completed."
    return session.written().splitlines()


def test_flags_are_fetched_by_sequence_number():
    session = session_of(b"", b"", b"")
    assert fetched(session, b"1,3 FLAGS") == [b"* 1 FETCH (FLAGS ())", b"* 3 FETCH (FLAGS ())"]


def test_uids_mean_messages_and_unknown_ones_are_passed_over():
    session = SelectedSession(SmallMailbox())
    for uid in (5, 7):
        session.mailbox.add(b"", uid=uid)
    session = SelectedSession(session.mailbox)
    assert fetched(session, b"6:9 FLAGS", is_uid=True) == [b"* 2 FETCH (UID 7 FLAGS ())"]
    assert fetched(session, b"8:20 (FLAGS)", is_uid=True) == [b"* 2 FETCH (UID 7 FLAGS ())"][:0]


def test_recent_is_sent():
    mailbox = SmallMailbox(b"", b"")
    session = SelectedSession(mailbox, recent_from=2)
    assert fetched(session, b"1:2 FLAGS") == [
        b"* 1 FETCH (FLAGS ())",
        b"* 2 FETCH (FLAGS (\\Recent))",
    ]


def test_a_number_beyond_the_last_is_a_protocol_error():
    with pytest.raises(ProtocolError):
        finish(session_of(b"").run(FETCH, b"2 FLAGS"))


def test_a_literal_stands_right_behind_its_own_name():
    session = session_of(MESSAGE)
    finish(session.run(FETCH, b"1 (UID BODY.PEEK[TEXT] RFC822.SIZE BODY.PEEK[HEADER])"))
    assert session.written() == (
        b"* 1 FETCH (UID 1 BODY[TEXT] {6}\r\nbody\r\n RFC822.SIZE 19 "
        b"BODY[HEADER] {13}\r\nFrom: a@b\r\n\r\n)\r\n"
    )


def test_fetching_a_body_marks_it_and_sends_the_flag():
    session = session_of(MESSAGE)
    lines = fetched(session, b"1 BODY[]")
    assert lines[-1] == b" FLAGS (\\Seen))"
    assert session.mailbox.calls[0] == ("mark", [1], "add", frozenset({"\\Seen"}))
    assert session.view.updates(may_expunge=True) == []


def test_a_message_seen_before_is_not_marked_again():
    session = session_of()
    session.mailbox.add(MESSAGE, "\\Seen")
    session = SelectedSession(session.mailbox)
    assert fetched(session, b"1 BODY[]")[-1] == b")"
    assert [call[0] for call in session.mailbox.calls] == ["read"]


def test_messages_are_marked_in_bulk():
    session = session_of(MESSAGE, MESSAGE, MESSAGE)
    fetched(session, b"1:3 RFC822.TEXT")
    assert [call[0] for call in session.mailbox.calls] == ["mark", "items", "read"]


@pytest.mark.parametrize("item", [b"BODY.PEEK[]", b"RFC822.HEADER", b"BODY", b"ENVELOPE"])
def test_looking_does_not_mark(item):
    session = session_of(MESSAGE)
    fetched(session, b"1 " + item)
    assert "mark" not in [call[0] for call in session.mailbox.calls]


def test_a_mailbox_selected_for_reading_is_not_marked():
    session = session_of(MESSAGE, is_read_only=True)
    assert fetched(session, b"1 BODY[]")[-1] == b")"


def test_mail_can_be_read_when_it_cannot_be_marked():
    session = session_of(MESSAGE)

    def fail(name: str) -> None:
        if name == "mark":
            raise Unavailable("The disk is full.")

    session.mailbox.before = fail
    assert fetched(session, b"1 BODY[]")[-1] == b")"


def test_a_message_that_is_gone_is_left_out_and_said():
    session = session_of(MESSAGE, MESSAGE, MESSAGE)
    session.mailbox.remove([2])
    for items in (
        b"INTERNALDATE",
        b"(FLAGS RFC822.SIZE)",
        b"ENVELOPE",
        b"BODY[]",
        b"BODY[HEADER]",
        b"BODY[1]",
    ):
        with pytest.raises(Refused) as caught:
            finish(session.run(FETCH, b"1:3 " + items))
        assert caught.value.condition == "EXPUNGEISSUED"
        lines = session.written().splitlines()
        assert [line[:9] for line in lines if line.startswith(b"* ")] == [
            b"* 1 FETCH",
            b"* 3 FETCH",
        ]


def test_uids_and_flags_of_a_message_that_is_gone_are_those_the_client_knows():
    mailbox = SmallMailbox()
    for _ in range(3):
        mailbox.add(MESSAGE, "\\Flagged")
    session = SelectedSession(mailbox, recent_from=2)
    mailbox.remove([2])
    said = finish(session.run(FETCH, b"1:3 (FLAGS UID)"))
    assert said == "[EXPUNGEISSUED] FETCH completed."
    assert session.written().splitlines() == [
        b"* 1 FETCH (FLAGS (\\Flagged) UID 1)",
        b"* 2 FETCH (FLAGS (\\Flagged \\Recent) UID 2)",
        b"* 3 FETCH (FLAGS (\\Flagged \\Recent) UID 3)",
    ]
    assert fetched(session, b"3 UID") == [b"* 3 FETCH (UID 3)"]
    assert fetched(session, b"1:2 (FLAGS)", is_uid=True) == [b"* 1 FETCH (UID 1 FLAGS (\\Flagged))"]


@pytest.mark.parametrize("moment", ["mark", "items", "read"])
def test_a_message_may_vanish_at_any_moment(moment):
    session = session_of(MESSAGE, MESSAGE, MESSAGE)

    def vanish(name: str) -> None:
        if name == moment:
            session.mailbox.remove([2])

    session.mailbox.before = vanish
    with pytest.raises(Refused):
        finish(session.run(FETCH, b"1:3 (UID BODY[HEADER] BODY[TEXT])"))
    starts = [line for line in session.written().splitlines() if line.startswith(b"* ")]
    assert [line[:9] for line in starts] == [b"* 1 FETCH", b"* 3 FETCH"]


def test_a_uid_that_is_gone_is_passed_over():
    session = session_of(MESSAGE, MESSAGE)
    session.mailbox.remove([1])
    assert fetched(session, b"1:2 FLAGS", is_uid=True) == [b"* 2 FETCH (UID 2 FLAGS ())"]


def test_messages_the_client_was_not_sent_are_not_fetched():
    session = session_of(MESSAGE)
    session.mailbox.add(MESSAGE)
    assert fetched(session, b"1:* FLAGS", is_uid=True) == [b"* 1 FETCH (UID 1 FLAGS ())"]


def test_fetched_flags_are_no_news_any_more():
    session = session_of(MESSAGE)
    finish(session.mailbox.mark([1], "add", frozenset({"\\Flagged"})))
    assert fetched(session, b"1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Flagged))"]
    assert session.view.updates(may_expunge=True) == []


def test_a_large_message_leaves_in_pieces():
    body = MESSAGE + bytes(3 * GROUP_OCTETS)
    session = session_of(body)
    finish(session.run(FETCH, b"1 (FLAGS BODY[] UID)"))
    assert session.wire.largest_write <= GROUP_OCTETS
    assert session.wire.drains >= 3
    assert session.written() == (
        b"* 1 FETCH (FLAGS (\\Seen) BODY[] {%d}\r\n%b UID 1)\r\n" % (len(body), body)
    )


@pytest.mark.parametrize("error", [None, Unavailable("Not now.")])
def test_the_connection_ends_when_a_literal_cannot_be_finished(error):
    session = session_of(MESSAGE + bytes(3 * GROUP_OCTETS))
    reads = iter(range(9))

    def fail(name: str) -> None:
        if name == "read" and next(reads) == 2:
            session.mailbox.remove([1])
            if error is not None:
                raise error

    session.mailbox.before = fail
    with pytest.raises(ConversationEnded):
        finish(session.run(FETCH, b"1 BODY.PEEK[]"))
    assert session.wire.is_closed


def test_many_messages_leave_with_pauses():
    mailbox = SmallMailbox(*[b""] * 5000)
    session = SelectedSession(mailbox)
    assert len(fetched(session, b"1:* (UID FLAGS)")) == 5000
    assert session.wire.turns == 19  # between the steps: the loop gives the first one
    assert session.wire.drains >= 2


def test_fetching_nothing_by_uid_is_fine():
    assert fetched(session_of(), b"1:* FLAGS", is_uid=True) == []


def test_rendered_items_are_asked_for_in_bounded_portions():
    mailbox = SmallMailbox(*[MESSAGE] * (2 * fetching.MAX_RENDERED + 1))
    fetched(SelectedSession(mailbox), b"1:* ENVELOPE")
    assert [len(call[1]) for call in mailbox.calls] == [
        fetching.MAX_RENDERED,
        fetching.MAX_RENDERED,
        1,
    ]


def test_rendered_items_of_large_messages_are_asked_for_in_smaller_portions():
    mailbox = SmallMailbox(*[bytes(GROUP_OCTETS)] * 40)
    fetched(SelectedSession(mailbox), b"1:* ENVELOPE")
    assert [len(call[1]) for call in mailbox.calls] == [16, 16, 8]


def test_a_message_between_is_not_taken_for_one_that_is_gone():
    session = session_of(b"1", b"22", b"333", b"4444")
    session.mailbox.remove([2])
    with pytest.raises(Refused):
        finish(session.run(FETCH, b"1:2,4 RFC822.SIZE"))
    assert session.written() == (b"* 1 FETCH (RFC822.SIZE 1)\r\n* 4 FETCH (RFC822.SIZE 4)\r\n")


def test_nothing_is_fetched_when_all_is_gone():
    session = session_of(MESSAGE)
    session.mailbox.remove([1])
    assert fetched(session, b"1 (FLAGS BODY.PEEK[])", is_uid=True) == []
    assert fetched(session, b"1 FLAGS", is_uid=True) == []
