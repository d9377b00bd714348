from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.imap.talk import TABLES, ImapFixture
from twisted_mail.imap.framing import Framer
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish

TIMEOUT, SHUTDOWN = ConversationEnded.Reason.TIMEOUT, ConversationEnded.Reason.SHUTDOWN


def test_the_greeting_offers_capabilities() -> None:
    loop = ImapFixture().loop(tls=True, passwords=False)
    finish(loop.run())
    greeting: bytes = loop.session.wire.written  # type: ignore[attr-defined]
    assert greeting == (
        b"* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR STARTTLS LOGINDISABLED ENABLE ID] "
        b"mail.example.org IMAP4rev1 ready\r\n"
    )


def test_pipelined_commands_are_answered_in_order() -> None:
    lines = ImapFixture().talk(b"a NOOP\r\nb CAPABILITY\r\nc LOGOUT\r\nd NOOP\r\n")
    assert [line.split()[0] for line in lines] == ["a", "*", "b", "*", "c"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("a FROB", "a BAD Unknown command"),
        ("a UID NOOP", "a BAD Unknown command"),
        ("a", "a BAD Missing a command"),
        ("a  NOOP", "a BAD Expected a command"),
        ("a NOOP x", "a BAD Unexpected arguments at the end of the command"),
        ("a SELECT INBOX", "a BAD Not possible before login"),
        ("+ NOOP", "* BAD Expected a tag"),
        ('""', "* BAD Expected a tag"),
    ],
)
def test_what_is_no_command_is_bad(line: str, answer: str) -> None:
    assert ImapFixture().talk(line) == [answer]


def test_commands_have_their_states() -> None:
    imap = ImapFixture()
    lines = imap.inside("a LOGIN alice secret", "b FETCH 1 FLAGS", "c SELECT INBOX", "d STARTTLS")
    assert lines[0] == "a BAD Not possible after login"
    assert lines[1] == "b BAD Not possible after login"
    assert lines[-1] == "d BAD Not possible with a mailbox selected"


def test_lower_case_is_as_good() -> None:
    assert ImapFixture().inside("a select inbox", "b uid search all")[-1].startswith("b OK")


def test_a_bug_is_noted_and_the_connection_goes_on() -> None:
    async def broken(*_: Any) -> str:
        raise ZeroDivisionError

    broken_noop = replace(TABLES.commands["NOOP"], run=broken)
    imap = ImapFixture()
    imap.tables = replace(TABLES, commands={**TABLES.commands, "NOOP": broken_noop})
    lines = imap.talk("a NOOP", "b CAPABILITY")
    assert lines[0] == "a NO [SERVERBUG] Internal error; it has been noted"
    assert lines[2].startswith("b OK")
    assert imap.events("failed") == [("imap NOOP",)]


def test_a_bug_outside_of_commands_ends_the_connection_politely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Framer, "feed", None)
    imap = ImapFixture()
    assert imap.talk("a NOOP") == ["* BYE [SERVERBUG] Internal error"]
    assert imap.events("disconnected")[0][2] == "failed"


def test_others_go_first_between_commands_that_came_together() -> None:
    loop = ImapFixture().loop(b"a NOOP\r\nb NOOP\r\nc NOOP\r\n", b"d NOOP\r\n")
    finish(loop.run())
    assert loop.session.wire.turns == 2  # type: ignore[attr-defined]


def test_who_has_logged_in_may_have_a_tag_as_browsers_do() -> None:
    assert ImapFixture().inside("Host: NOOP") == ["Host: OK NOOP completed."]


# ---------------------------------------------------------------- literals


def test_a_literal_is_asked_for() -> None:
    lines = ImapFixture().talk(b"a LOGIN {5}\r\n", b"alice {6}\r\n", b"secret\r\n")
    assert lines[:2] == ["+ OK", "+ OK"]
    assert lines[2].startswith("a OK")


def test_a_literal_that_is_too_large_is_not_asked_for() -> None:
    assert ImapFixture().talk("a LOGIN {5000}", "b NOOP") == [
        "a BAD [TOOBIG] The literal is too large",
        "b OK NOOP completed.",
    ]


def test_a_literal_that_comes_unasked_is_never_a_command() -> None:
    commands = b"b LOGOUT\r\n" * 500
    lines = ImapFixture().talk(b"a LOGIN {5000+}\r\n" + commands + b"\r\nc NOOP\r\n")
    assert lines == ["a BAD [TOOBIG] The literal is too large", "c OK NOOP completed."]


def test_a_flood_ends_the_connection() -> None:
    imap = ImapFixture()
    lines = imap.talk("a LOGIN {99999999+}", "b NOOP")
    assert lines[0].startswith("a BAD [TOOBIG]")
    assert lines[1:] == ["* BYE Too much data"]
    assert imap.events("disconnected")[0][2] == "flood"


def test_a_bare_line_feed_ends_a_line_and_is_bad() -> None:
    assert ImapFixture().talk(b"a NOOP\nb NOOP\r\n") == [
        "a BAD Lines must end with CRLF",
        "b OK NOOP completed.",
    ]


# ---------------------------------------------------------------- limits


def test_too_many_bad_commands_before_login_end_the_connection() -> None:
    lines = ImapFixture(max_login_errors=2).talk("a X", "b NOOP", "c X", "d NOOP")
    assert lines[-2:] == ["c BAD Unknown command", "* BYE Too many bad commands"]


def test_after_login_good_commands_forgive_bad_ones() -> None:
    imap = ImapFixture(max_errors=2)
    lines = imap.inside("a X", "b NOOP", "c X", "d NOOP", "e X", "f Y", "g NOOP")
    assert lines[-1] == "* BYE Too many bad commands"
    assert lines[-2].startswith("f BAD")
    assert imap.events("disconnected")[0][2] == "errors"


def test_before_login_time_is_limited_in_all() -> None:
    imap = ImapFixture(login_timeout=60)

    def later() -> None:
        imap.clock.seconds += 40

    lines = imap.talk("a NOOP", later, "b NOOP", later, "c NOOP")
    assert lines[-1] == "* BYE Autologout; idle for too long"
    assert not any(line.startswith("c") for line in lines)


def test_silence_ends_with_a_farewell() -> None:
    imap = ImapFixture()
    assert imap.inside(TIMEOUT) == ["* BYE Autologout; idle for too long"]
    assert imap.events("disconnected")[0][2] == "timeout"


def test_a_half_command_has_less_time() -> None:
    imap = ImapFixture()
    loop = imap.loop("0 LOGIN alice secret", "a NOOP", b"b N", TIMEOUT)
    finish(loop.run())
    assert loop.session.wire.timeouts[-1] == imap.settings.command_timeout  # type: ignore[attr-defined]
    assert loop.session.wire.timeouts[-2] == imap.settings.idle_timeout  # type: ignore[attr-defined]


def test_when_the_server_stops_it_says_so() -> None:
    imap = ImapFixture()
    assert imap.talk(SHUTDOWN) == ["* BYE Server shutting down"]
    assert imap.events("disconnected")[0][2] == "shutdown"


def test_what_is_kept_of_an_unfinished_command_is_counted() -> None:
    loop = ImapFixture().loop(b"a NOOP\r\nb ID (", b"x" * 100, b" NIL)\r\n", b"c LOGIN {9+}\r\nab")
    wire: Any = loop.session.wire
    finish(loop.run())
    assert wire.held == [6, 106, 16]


def test_the_response_of_a_login_is_counted_too() -> None:
    loop = ImapFixture().loop("a AUTHENTICATE PLAIN", b"AGFs")
    wire: Any = loop.session.wire
    finish(loop.run())
    assert wire.held == [4]


def test_who_makes_the_server_hold_too_much_is_sent_away() -> None:
    imap = ImapFixture()
    loop = imap.loop(b"a ID (", b"x" * 100)
    wire: Any = loop.session.wire
    wire.most_held = 50
    finish(loop.run())
    assert wire.written.endswith(b"\r\n* BYE [UNAVAILABLE] Too much to do now; try again later\r\n")
    assert imap.events("disconnected")[0][2] == "overload"


def test_when_the_client_is_gone_everything_is_given_back() -> None:
    imap = ImapFixture()
    head = b"a APPEND INBOX {100+}\r\nabc"
    assert imap.inside("s SELECT INBOX", head)[-1].startswith("s OK")
    assert imap.writers[0].is_discarded
    assert imap.faces[0].is_out
    assert imap.events("disconnected")[0][2] == "lost"


def test_what_cannot_be_given_back_is_noted() -> None:
    imap = ImapFixture()

    def spoil() -> None:
        imap.faces[0].logout = None  # type: ignore[assignment, method-assign]

    imap.inside(spoil)
    assert imap.events("failed") == [("imap",)]


def test_answers_wait_for_a_client_that_does_not_take_them() -> None:
    loop = ImapFixture().loop(b"a NOOP\r\n" * 100)
    discarded: list[int] = []

    async def drain() -> None:
        discarded.append(loop.session.wire.written.count(b"a OK"))  # type: ignore[attr-defined]

    loop.session.wire.drain = drain  # type: ignore[method-assign]
    finish(loop.run())
    assert discarded == [16, 32, 48, 64, 80, 96]


def test_a_connection_is_noted_from_beginning_to_end() -> None:
    imap = ImapFixture()
    imap.talk("a LOGIN alice wrong", "b LOGIN alice secret", "c LOGOUT")
    events = [(event, *arguments[2:]) for event, arguments in imap.journal.events]
    assert events == [
        ("connected",),
        ("login_failed", "alice"),
        ("logged_in", "alice", "LOGIN", None),
        ("disconnected", "quit"),
    ]


# ---------------------------------------------------------------- updates


def test_news_come_before_the_tagged_answer() -> None:
    imap = ImapFixture()
    lines = imap.inside("a SELECT INBOX", imap.put, "b NOOP")
    assert lines[-3:] == ["* 1 EXISTS", "* 1 RECENT", "b OK NOOP completed."]


def test_expunged_messages_are_not_sent_while_numbers_count() -> None:
    imap = ImapFixture()
    for _ in range(3):
        imap.put()

    def somebody_expunges() -> None:
        finish(imap.box().expunge([1]))

    lines = imap.inside(
        "a SELECT INBOX",
        somebody_expunges,
        "b FETCH 2 UID",
        "c SEARCH UNSEEN",
        "d STORE 2 +FLAGS (\\Seen)",
        "e UID FETCH 2 UID",
    )
    at = lines.index("* 1 EXPUNGE")
    assert lines[at - 1].startswith("* ")
    assert [line for line in lines[:at] if line.startswith("d OK")]
    assert lines[-1].startswith("e OK")


def test_an_account_with_a_deleted_mailbox_says_farewell() -> None:
    imap = ImapFixture()
    finish(imap.account.create("x"))

    def somebody_deletes() -> None:
        finish(imap.account.delete("x"))

    lines = imap.inside("a SELECT x", somebody_deletes, "b CAPABILITY", "c NOOP")
    assert lines[-2:] == ["b OK CAPABILITY completed.", "* BYE The selected mailbox was deleted"]


def test_much_news_waits_for_the_client() -> None:
    imap = ImapFixture()
    for _ in range(5000):
        imap.put()

    def somebody_expunges() -> None:
        finish(imap.box().expunge(range(1, 5001)))

    lines = imap.inside("a SELECT INBOX", somebody_expunges, "b NOOP")
    assert lines.count("* 1 EXPUNGE") == 1
    assert len([line for line in lines if line.endswith(" EXPUNGE")]) == 5000


def test_the_doors_say_unavailable_and_the_client_hears_no() -> None:
    imap = ImapFixture()
    imap.login_error = Unavailable("The database is away")
    assert imap.talk("a LOGIN alice secret") == ["a NO [UNAVAILABLE] The database is away"]


def test_texts_for_the_client_are_plain() -> None:
    imap = ImapFixture()
    imap.login_error = Unavailable("caf\xe9\r\nb OK")
    assert imap.talk("a LOGIN alice secret") == ["a NO [UNAVAILABLE] caf???b OK"]


def lose_account(imap: ImapFixture) -> Callable[[], bytes]:
    def remove() -> bytes:
        imap.faces[-1].is_still_valid = False
        return b""

    return remove


def test_a_session_ends_at_the_next_command_when_its_account_is_removed() -> None:
    imap = ImapFixture()
    imap.put()
    lines = imap.inside("a SELECT INBOX", lose_account(imap), "b FETCH 1 FLAGS", "c NOOP")
    assert lines[-2:] == [
        "b NO [EXPIRED] The account was removed or disabled",
        "* BYE The account was removed or disabled",
    ]
    assert imap.faces[-1].is_out


def test_commands_of_one_second_ask_once_whether_the_login_holds() -> None:
    imap = ImapFixture()
    lines = imap.inside("a NOOP", lambda: lose_account(imap)() or b"b NOOP\r\nc NOOP\r\n", "d NOOP")
    assert lines[-2:] == [
        "b NO [EXPIRED] The account was removed or disabled",
        "* BYE The account was removed or disabled",
    ]
    lines = imap.inside(b"a NOOP\r\nb NOOP\r\n", "c NOOP")
    assert lines[-3:] == ["a OK NOOP completed.", "b OK NOOP completed.", "c OK NOOP completed."]
    assert imap.faces[-1].asked == 2


def test_a_clock_that_is_set_back_makes_no_login_hold_for_longer() -> None:
    imap = ImapFixture()

    def set_back() -> bytes:
        loop.session.wire.woke_at -= 3600  # type: ignore[misc]
        return lose_account(imap)()

    loop = imap.loop("0 LOGIN alice secret", "a NOOP", set_back, "b NOOP")
    finish(loop.run())
    assert loop.session.end_reason == "login no longer valid"


def test_a_client_that_idles_is_sent_nothing_of_the_next_account() -> None:
    imap = ImapFixture()

    def mail_of_another() -> None:
        imap.faces[-1].is_still_valid = False
        imap.put()

    lines = imap.inside("a SELECT INBOX", "b IDLE", mail_of_another, "DONE", "c NOOP")
    assert lines[-3:] == [
        "+ idling",
        "b NO [EXPIRED] The account was removed or disabled",
        "* BYE The account was removed or disabled",
    ]
