import pytest

from tests.pop3.fakes import LOGIN, Pop3Fixture
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.pop3.session import DRAIN_AFTER
from twisted_mail.pop3.settings import Settings
from twisted_mail.testing.wire import PEER, ScriptedWire

ONE = b"Subject: one\r\n\r\n.dot\r\n"
GREETING = "+OK mail.example.org POP3 ready\r\n"


def test_the_server_greets_without_a_timestamp():
    assert Pop3Fixture().talk().text == GREETING


def test_commands_are_run_in_order_whatever_the_pieces():
    whole = LOGIN + b"STAT\r\nLIST\r\nRETR 1\r\nUIDL\r\nQUIT\r\n"
    texts = {
        Pop3Fixture(ONE).talk(*(whole[at : at + step] for at in range(0, len(whole), step))).text
        for step in (1, 2, 7, 1000)
    }
    assert len(texts) == 1


def test_replies_to_pipelined_commands_leave_together():
    wire = Pop3Fixture(ONE).talk(LOGIN + b"STAT\r\nNOOP\r\nQUIT\r\n")
    assert len(wire.groups) == 2
    assert wire.turns == 5


def test_replies_to_very_many_commands_wait_for_the_peer():
    wire = Pop3Fixture().talk(LOGIN, b"CAPA\r\n" * 5000)
    assert wire.text.count("PIPELINING") == 5000
    assert max(map(len, wire.groups)) < 70_000


def test_unknown_commands_are_refused():
    assert Pop3Fixture().replies(b"LAST\r\n\r\n\xff\r\n") == ["-ERR Unknown command"] * 3


def test_commands_of_another_state_are_refused():
    pop3 = Pop3Fixture(ONE)
    assert (
        pop3.talk(b"STAT\r\nDELE 1\r\n").text
        == GREETING + "-ERR Not possible in this state\r\n" * 2
    )
    assert (
        pop3.replies(b"USER a\r\nSTLS\r\nAUTH PLAIN\r\n") == ["-ERR Not possible in this state"] * 3
    )


def test_too_many_errors_end_the_conversation():
    pop3 = Pop3Fixture()
    wire = pop3.talk(b"X\r\n" * 30)
    assert wire.text == GREETING + "-ERR Unknown command\r\n" * 20
    assert pop3.reasons == ["errors"]


def test_what_a_browser_sends_ends_the_conversation():
    pop3 = Pop3Fixture(ONE)
    wire = pop3.talk(b"POST / HTTP/1.1\r\nUSER alice\r\n")
    assert wire.text == GREETING + "-ERR This server speaks POP3\r\n"
    assert pop3.reasons == ["another protocol"]
    assert pop3.journal.events[1] == (
        "refused",
        ("pop3", PEER, "", "it does not speak POP3: HTTP"),
    )


def test_numbers_that_do_not_exist_are_no_errors_of_that_kind():
    assert len(Pop3Fixture(ONE).replies(b"RETR 2\r\n" * 30)) == 30


def test_a_line_too_long_is_refused_once_and_not_run():
    replies = Pop3Fixture().replies(b"NOOP " + b"x" * 5000, b"y" * 5000 + b"\r\nNOOP\r\n")
    assert replies == ["-ERR The line is too long", "+OK"]


def test_a_bug_is_noted_and_the_conversation_goes_on():
    pop3 = Pop3Fixture(ONE, read=ZeroDivisionError())
    assert pop3.replies(b"RETR 1\r\nSTAT\r\nQUIT\r\n") == [
        "-ERR [SYS/TEMP] Internal error",
        "+OK 1 22",
        "+OK Bye",
    ]
    assert pop3.bugs == [("failed", ("pop3",))]


def test_the_journal_hears_of_connection_login_and_end():
    pop3 = Pop3Fixture()
    pop3.talk(LOGIN, b"QUIT\r\n")
    assert pop3.journal.events == [
        ("connected", ("pop3", PEER)),
        ("logged_in", ("pop3", PEER, "alice@example.org", "USER", None)),
        ("disconnected", ("pop3", PEER, "quit")),
    ]


def test_silence_is_answered_by_silence():
    pop3 = Pop3Fixture()
    wire = pop3.talk(LOGIN, ending=ConversationEnded.Reason.TIMEOUT)
    assert wire.text.endswith("+OK 0 messages (0 octets)\r\n")
    assert pop3.reasons == ["timeout"]


def test_a_server_that_stops_says_so():
    pop3 = Pop3Fixture(ONE)
    wire = pop3.talk(LOGIN, b"DELE 1\r\n", ending=ConversationEnded.Reason.SHUTDOWN)
    assert wire.text.endswith("deleted\r\n-ERR [SYS/TEMP] The server is shutting down\r\n")
    assert pop3.reasons == ["shutdown"]
    assert pop3.uids == [1]


def test_what_is_kept_of_an_unfinished_line_is_counted():
    wire = Pop3Fixture().talk(b"CAPA\r\nUSER al", b"ice\r\nAUTH PLAIN", b" AGFs")
    assert wire.held == [7, 10, 15]


def test_who_makes_the_server_hold_too_much_is_sent_away():
    pop3 = Pop3Fixture()
    wire = pop3.talk(b"USER al", ending=ConversationEnded.Reason.OVERLOAD)
    assert wire.text.endswith("\r\n-ERR [SYS/TEMP] Too much to do now; try again later\r\n")
    assert pop3.reasons == ["overload"]


def test_time_is_short_before_login_and_long_after():
    pop3 = Pop3Fixture()

    def later():
        pop3.clock.seconds += 100
        return b"NOOP\r\n"

    assert pop3.talk(later, LOGIN, b"NOOP\r\n").timeouts == [180, 80, 600, 600]


def test_octets_now_and_then_do_not_put_the_end_off():
    pop3 = Pop3Fixture()

    def dribble():
        pop3.clock.seconds += 100
        return b"x"

    assert pop3.talk(*[dribble] * 5).timeouts == [180, 80]
    assert pop3.reasons == ["timeout"]


def test_a_line_without_end_does_not_put_the_end_off():
    pop3 = Pop3Fixture()

    def flood():
        pop3.clock.seconds += 100
        return b"x" * 5000

    assert pop3.talk(*[flood] * 5).timeouts == [180, 80]
    assert pop3.reasons == ["timeout"]


def test_commands_without_end_do_not_put_the_login_off():
    pop3 = Pop3Fixture()

    def ask():
        pop3.clock.seconds += 100
        return b"CAPA\r\n"

    assert pop3.talk(*[ask] * 5).timeouts == [180, 80]
    assert pop3.reasons == ["timeout"]


def test_settings_keep_to_the_rfcs():
    with pytest.raises(ValueError, match="600"):
        Settings(idle_timeout=300)
    with pytest.raises(ValueError, match="255"):
        Settings(max_line=100)


# ------------------------------------------------------------ what is given back


@pytest.mark.parametrize("chunk", [b"QUIT\r\n", b"RETR", b"DELE 1\r\n"])
def test_mailbox_and_lock_are_given_back_once_however_it_ends(chunk):
    pop3 = Pop3Fixture(ONE)
    pop3.talk(LOGIN, chunk)
    assert (pop3.mailbox.closed, pop3.logouts) == (1, 1)


def test_the_lock_is_given_back_before_the_answer_to_quit_leaves(monkeypatch):
    pop3 = Pop3Fixture(ONE)
    logouts_at_close = []
    close = ScriptedWire.close

    def closing(wire):
        logouts_at_close.append(pop3.logouts)
        close(wire)

    monkeypatch.setattr(ScriptedWire, "close", closing)
    pop3.talk(LOGIN, b"QUIT\r\n")
    assert logouts_at_close == [1]


def test_all_is_given_back_when_the_maildrop_does_not_open():
    pop3 = Pop3Fixture(ONE, measure=Unavailable("The disk is away"))
    assert pop3.talk(LOGIN).text.endswith("-ERR [SYS/TEMP] The disk is away\r\n")
    assert (pop3.mailbox.closed, pop3.logouts) == (1, 1)


def test_all_is_given_back_when_a_bug_prevents_the_login():
    pop3 = Pop3Fixture(ONE, measure=ZeroDivisionError())
    assert pop3.talk(LOGIN).text.endswith("-ERR [SYS/TEMP] Internal error\r\n")
    assert (pop3.mailbox.closed, pop3.logouts) == (1, 1)


def test_all_is_given_back_although_marking_fails():
    for error in (Unavailable("The disk is away"), ZeroDivisionError()):
        pop3 = Pop3Fixture(ONE, mark=error)
        pop3.talk(LOGIN, b"RETR 1\r\n")
        assert (pop3.mailbox.closed, pop3.logouts) == (1, 1)
        assert len(pop3.bugs) == isinstance(error, ZeroDivisionError)


def test_a_locked_maildrop_is_in_use_and_the_login_may_be_tried_again():
    pop3 = Pop3Fixture(ONE)
    pop3.is_locked = True

    def unlock():
        pop3.is_locked = False
        return LOGIN

    text = pop3.talk(LOGIN, unlock).text
    assert "-ERR [IN-USE] In use\r\n" in text
    assert text.endswith("+OK 1 message (22 octets)\r\n")
    assert pop3.logouts == 2


def test_an_error_of_the_login_door_is_no_failed_login():
    pop3 = Pop3Fixture()
    pop3.login_error = Unavailable("Temporary authentication failure")
    assert pop3.talk(LOGIN).text.endswith("-ERR [SYS/TEMP] Temporary authentication failure\r\n")
    assert [event[0] for event in pop3.journal.events] == ["connected", "disconnected"]


def test_failed_logins_are_noted_and_bounded():
    pop3 = Pop3Fixture()
    pop3.login_error = Refused("No", "AUTHENTICATIONFAILED")
    wire = pop3.talk(LOGIN * 5)
    assert wire.text.count("-ERR [AUTH] No\r\n") == 3
    assert wire.text.count("+OK Send") == 3
    assert pop3.journal.events.count(("login_failed", ("pop3", PEER, "alice"))) == 3
    assert pop3.reasons == ["failed logins"]


def test_a_session_ends_at_the_next_command_when_its_account_is_removed() -> None:
    pop3 = Pop3Fixture(b"Subject: 1\r\n\r\n")

    def remove() -> bytes:
        pop3.is_still_valid = False
        return b""

    lines = pop3.replies(b"DELE 1\r\n", remove, b"QUIT\r\n")
    assert lines[-1] == "-ERR [SYS/PERM] The account was removed or disabled"
    assert pop3.uids == [1]
    assert pop3.logouts == 1
    assert pop3.reasons == ["login no longer valid"]


def test_a_client_that_reads_slowly_is_waited_for_once_in_64_kib() -> None:
    pop3 = Pop3Fixture(b"x" * 1_000_000 + b"\r\n")
    wire = pop3.talk(LOGIN, b"RETR 1\r\n" + b"NOOP\r\n" * 100)
    assert 1 <= wire.drains <= len(wire.written) // DRAIN_AFTER + 1


def test_a_clock_that_is_set_back_makes_no_login_hold_for_longer() -> None:
    pop3 = Pop3Fixture(b"Subject: 1\r\n\r\n")

    def set_back() -> bytes:
        wire.woke_at -= 3600
        pop3.is_still_valid = False
        return b""

    wire = ScriptedWire([LOGIN, b"NOOP\r\n", set_back, b"NOOP\r\n"])
    pop3.hold(wire)
    assert pop3.reasons == ["login no longer valid"]
