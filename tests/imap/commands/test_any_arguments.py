"""Whatever follows the name of a command: an answer, or an error that the session answers with."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SelectedSession, SmallMailbox
from tests.imap.talk import ImapFixture
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.commands import copy, expunge, fetch, search, store
from twisted_mail.imap.extensions import move
from twisted_mail.mail.outcome import MailError
from twisted_mail.testing.doubles import finish

COMMANDS = (
    *fetch.COMMANDS,
    *store.COMMANDS,
    *search.COMMANDS,
    *copy.COMMANDS,
    *move.EXTENSION.commands,
    *expunge.COMMANDS,
)
MESSAGE = (
    b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nbody\r\n--x--\r\n"
)
WORDS = (
    b"1 1:* * 4,2 99 0 FLAGS +FLAGS -FLAGS.SILENT UID BODY[] BODY.PEEK[1.MIME] BODY[HEADER.FIELDS"
    b" (From)] ALL SEEN NOT OR TEXT HEADER From SINCE 1-Feb-1994 CHARSET UTF-8 LARGER INBOX Archive"
    b' (\\Seen) \\Deleted $Junk BODY[TEXT]<0.5> ENVELOPE {1}\r\nx ( ) [ ] < > % &- "a" \xff \x00'
).split(b" ")
ARGUMENTS = st.lists(st.sampled_from(WORDS), max_size=8).map(b" ".join) | st.binary(max_size=40)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
@given(ARGUMENTS, st.booleans(), st.booleans())
def test_any_arguments_give_an_answer_or_a_clear_error(
    command: Command, arguments: bytes, is_uid: bool, is_read_only: bool
) -> None:
    mailbox = SmallMailbox(MESSAGE, b"", b"\r\n", MESSAGE)
    session = SelectedSession(mailbox, recent_from=3, is_read_only=is_read_only)
    mailbox.remove([2])
    with contextlib.suppress(MailError):
        answer = finish(session.run(command, arguments, is_uid))
        assert answer.isascii()
        assert answer.isprintable()
    written = session.written()
    assert not written or written.endswith(b"\r\n")
    session.view.updates(may_expunge=True)


@pytest.mark.parametrize(
    "line",
    [
        "CAPABILITY",
        "NOOP",
        "CHECK",
        "UNSELECT",
        "CLOSE",
        "NAMESPACE",
        "ID NIL",
        "IDLE",
        "ENABLE IMAP4rev2 (",
        "SELECT Sent",
        "EXAMINE Sent",
        "CREATE new",
        "DELETE Sent",
        "RENAME Sent other",
        "SUBSCRIBE Sent",
        "UNSUBSCRIBE Sent",
        'LIST "" *',
        'LIST "" * RETURN (SUBSCRIBED)',
        'LSUB "" *',
        "STATUS Sent (MESSAGES)",
        "EXPUNGE",
        "UID EXPUNGE 1",
        "FETCH 1 FLAGS",
        "FETCH 1 (FLAGS UID)",
        "STORE 1 FLAGS (\\Seen)",
        "COPY 1 Sent",
        "MOVE 1 Sent",
        "SEARCH ALL)",
        "LOGOUT",
    ],
)
def test_what_follows_the_arguments_is_an_error(line: str) -> None:
    for more in (" (more)", ")", " )"):
        *_, answer, noop = ImapFixture().inside("a SELECT INBOX", f"b {line}{more}", "c NOOP")
        assert answer.startswith("b BAD ")
        assert noop.startswith("c OK ")
