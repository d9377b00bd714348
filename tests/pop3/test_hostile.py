from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pop3.fakes import LOGIN, Pop3Fixture

MESSAGES = (b"A: b\r\n\r\n.x\r\n", b"no end", b"\r\n", b"a\n.\r\n+OK\r\n", b"")
numbers = st.sampled_from([b"", b" ", b" 0", b" 1", b" 2", b" 5", b" 6", b" x", b" 99999999999"])
keywords = st.sampled_from(
    b"USER PASS AUTH CAPA STLS QUIT STAT LIST UIDL RETR TOP DELE RSET NOOP X".split()
)
commands = st.builds(lambda *parts: b"".join(parts) + b"\r\n", keywords, numbers, numbers)
mischief = st.one_of(commands, commands, st.binary(max_size=10), st.just(b"x" * 300 + b"\r\n"))
streams = st.lists(mischief, max_size=12).map(b"".join)


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@settings(deadline=None)
@given(st.booleans(), streams, st.integers(1, 40))
def test_no_stream_breaks_a_session_or_depends_on_how_it_was_cut(is_logged_in, stream, size):
    stream = (LOGIN if is_logged_in else b"") + stream
    whole, cut = Pop3Fixture(*MESSAGES), Pop3Fixture(*MESSAGES)
    assert whole.talk(stream).text == cut.talk(*pieces(stream, size)).text
    for pop3 in (whole, cut):
        assert not pop3.bugs
        assert pop3.mailbox.closed == pop3.logouts
        assert pop3.logouts == [event[0] for event in pop3.journal.events].count("logged_in")
        assert pop3.uids == [1, 2, 3, 4, 5] or pop3.reasons == ["quit"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["DELE", "RSET", "STAT"]), st.integers(1, 6))))
def test_deletions_are_those_that_the_client_was_sent_ok_for(steps):
    pop3, deleted, expected = Pop3Fixture(*MESSAGES), set(), []
    for verb, number in steps:
        if verb == "RSET":
            deleted.clear()
            expected.append(f"+OK 5 messages ({sum(map(len, MESSAGES))} octets)")
        elif verb == "STAT":
            left = [len(each) for at, each in enumerate(MESSAGES, 1) if at not in deleted]
            expected.append(f"+OK {len(left)} {sum(left)}")
        elif number in deleted:
            expected.append(f"-ERR Message {number} is deleted")
        elif number > 5:
            expected.append("-ERR No such message, only 5 in the maildrop")
        else:
            deleted.add(number)
            expected.append(f"+OK Message {number} deleted")
    lines = [f"{verb} {number}" if verb == "DELE" else verb for verb, number in steps]
    stream = "".join(f"{line}\r\n" for line in [*lines, "QUIT"]).encode()
    assert pop3.replies(stream) == [*expected, "+OK Bye"]
    assert set(pop3.uids) == {1, 2, 3, 4, 5} - deleted
