"""Whatever a client types, in whatever state: no bug, no silence, nothing out of order."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.imap.talk import TABLES, ImapFixture
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.testing.wire import Step

WORDS = [
    *TABLES.commands,
    "UID", "INBOX", "Sent", "x/y", '""', "*", "%", "1", "1:*", "*:4294967295", "0", "(", ")",
    "FLAGS", "+FLAGS", "-FLAGS.SILENT", "(\\Seen)", "(\\Deleted $Junk)", "\\Recent", "ALL", "FULL",
    "BODY[]", "BODY.PEEK[1.2.MIME]<0.10>", "BODY[HEADER.FIELDS (a b)]", "ENVELOPE", "UNSEEN", "NOT",
    "OR", "KEYWORD", "TEXT", "SINCE", "1-Feb-1994", "CHARSET", "UTF-8", "RETURN", "STATUS",
    "(MESSAGES UNSEEN)", "(USE (\\Sent))", "NIL", '"a\\"b"', "{3+}\r\nabc", "{3}\r\nabc", "{0+}\r\n",
    "{99+}\r\n", "{999999999999+}\r\n", '"', "&", "&AGE-", "\x00", "\xe4", "PLAIN", "=", "AAAA", "DONE",
    "\n", "\r", "alice", "secret", '" 7-Feb-1994 21:52:25 -0800"', "" , "  ", "(SUBSCRIBED)",
]  # fmt: skip

LINES = st.lists(st.sampled_from(WORDS), max_size=7).map(lambda words: " ".join(words))
STATES: list[list[str]] = [
    [],
    ["0 LOGIN alice secret"],
    ["0 LOGIN alice secret", "0 SELECT INBOX"],
    ["0 LOGIN alice secret", "0 EXAMINE INBOX"],
    ["0 LOGIN alice secret", "0 SELECT INBOX", "0 IDLE"],
    ["0 AUTHENTICATE LOGIN"],
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(STATES), st.lists(LINES, min_size=1, max_size=6), st.booleans())
@example(STATES[2], ["FETCH 1 BODY[]", "UID STORE 1:* FLAGS ()", "EXPUNGE"], False)
def test_whatever_comes_is_answered(
    state: list[str], lines: list[str], is_one_packet: bool
) -> None:
    imap = ImapFixture()
    imap.put("\\Deleted")
    imap.put()
    sent = [f"t{number} {line}\r\n".encode("latin-1") for number, line in enumerate(lines)]
    script: list[Step] = [*state, *([b"".join(sent)] if is_one_packet else sent)]
    answers = imap.talk(*script)
    assert not imap.events("failed")
    assert len(imap.events("disconnected")) == 1
    tags = [answer.split(" ")[0] for answer in answers if re.match(r"t\d ", answer)]
    assert tags == sorted(tags)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STATES), st.lists(st.binary(max_size=40), max_size=5))
def test_octets_of_any_kind_are_survived(state: list[str], pieces: list[bytes]) -> None:
    imap = ImapFixture()
    imap.put()
    imap.talk(*state, *pieces, ConversationEnded.Reason.TIMEOUT)
    assert not imap.events("failed")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(TABLES.commands)), LINES, st.booleans())
def test_every_command_answers_every_argument(name: str, arguments: str, is_uid: bool) -> None:
    imap = ImapFixture()
    imap.put()
    uid = "UID " if is_uid else ""
    lines = imap.inside("s SELECT INBOX", f"t {uid}{name} {arguments}", "DONE", "u LOGOUT")
    assert not imap.events("failed")
    waits_for_more = "{" in arguments
    assert waits_for_more or any(line.startswith(("t ", "* BAD", "* BYE")) for line in lines)
