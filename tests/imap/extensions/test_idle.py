from itertools import pairwise

import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from tests.imap.talk import ImapFixture
from twisted_mail.imap.extensions.idle import EXTENSION
from twisted_mail.imap.framing import Framer
from twisted_mail.imap.framing_events import CommandLimits
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import Step

TIMEOUT = ConversationEnded.Reason.TIMEOUT


def test_what_happens_is_sent_at_once() -> None:
    imap = ImapFixture()

    def somebody_marks() -> None:
        finish(imap.box().mark([1], "add", normal(["\\Seen"])))

    def somebody_expunges() -> None:
        finish(imap.box().expunge([1]))

    lines = imap.inside(
        "a SELECT INBOX", "b IDLE", imap.put, somebody_marks, somebody_expunges, "DONE"
    )
    assert lines[-7:] == [
        "+ idling",
        "* 1 EXISTS",
        "* 1 RECENT",
        "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))",
        "* 1 EXPUNGE",
        "* 0 RECENT",
        "b OK IDLE terminated.",
    ]


def test_whoever_idles_no_more_is_not_woken() -> None:
    session = SelectedSession(SmallMailbox())
    session.framer = Framer(CommandLimits(400, 50, 3, 600, 2000, 4000))
    session.framer.feed(b"DONE\r\n")
    [idle] = EXTENSION.commands
    before = [*session.mailbox._watchers]
    assert finish(session.run(idle, b"")) == "IDLE terminated."
    assert session.mailbox._watchers == before


def test_what_happened_before_is_sent_first() -> None:
    imap = ImapFixture()
    lines = imap.inside("a SELECT INBOX", imap.put, b"b IDLE\r\nDONE\r\n")
    assert lines[-4:] == ["+ idling", "* 1 EXISTS", "* 1 RECENT", "b OK IDLE terminated."]


def test_commands_behind_done_are_run() -> None:
    lines = ImapFixture().inside(b"a IDLE\r\nDONE\r\nb NOOP\r\nc IDLE\r\ndo", b"ne\r\nd NOOP\r\n")
    assert lines == [
        "+ idling",
        "a OK IDLE terminated.",
        "b OK NOOP completed.",
        "+ idling",
        "c OK IDLE terminated.",
        "d OK NOOP completed.",
    ]


@pytest.mark.parametrize("line", ["b NOOP", "", b"DONE\n", "DONE now", "x" * 70000])
def test_anything_but_done_is_bad(line: str | bytes) -> None:
    assert ImapFixture().inside("a IDLE", line, "c NOOP")[1:] == [
        ImapFixture().inside("a IDLE", line)[1],
        "c OK NOOP completed.",
    ]
    assert ImapFixture().inside("a IDLE", line)[1].startswith("a BAD")


def test_idle_looks_for_what_other_programs_did(monkeypatch: pytest.MonkeyPatch) -> None:
    imap = ImapFixture(idle_poll_seconds=3)
    box = imap.box()
    looks = []

    async def refresh() -> None:
        looks.append(imap.clock.seconds)
        if len(looks) == 2:
            raise Unavailable("The disk is away for a moment")
        if len(looks) == 3:
            imap.put()

    async def opened(name: str) -> object:
        return box

    monkeypatch.setattr(box, "refresh", refresh)
    monkeypatch.setattr(imap.account, "open", opened)
    lines = imap.inside("a SELECT INBOX", "b IDLE", TIMEOUT, TIMEOUT, TIMEOUT, "DONE")
    assert lines[-4:] == ["+ idling", "* 1 EXISTS", "* 1 RECENT", "b OK IDLE terminated."]
    assert [later - earlier for earlier, later in pairwise(looks)] == [3, 3, 3]


def test_news_do_not_keep_idle_from_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    imap = ImapFixture(idle_poll_seconds=5)
    box = imap.box()
    looks = []

    async def refresh() -> None:
        looks.append(imap.clock.seconds)

    async def opened(name: str) -> object:
        return box

    def later() -> None:
        imap.clock.seconds += 2
        imap.put()

    monkeypatch.setattr(box, "refresh", refresh)
    monkeypatch.setattr(imap.account, "open", opened)
    imap.inside("a SELECT INBOX", "b IDLE", *[later] * 6, "DONE")
    assert [later - looks[0] for later in looks] == [0, 6, 12]


def test_without_a_mailbox_idle_only_listens() -> None:
    imap = ImapFixture()
    loop = imap.loop("0 LOGIN alice secret", "a IDLE", TIMEOUT, "DONE")
    finish(loop.run())
    assert loop.session.wire.timeouts[-2] == imap.settings.keepalive_seconds  # type: ignore[attr-defined]


def test_the_server_says_seldom_that_it_is_there() -> None:
    imap = ImapFixture(keepalive_seconds=240, idle_timeout=1800)
    script: list[Step] = ["a IDLE", *[TIMEOUT] * 20]
    lines = imap.inside(*script)
    assert lines[1:-1] == ["* OK Still here"] * 7
    assert lines[-1] == "* BYE Autologout; idle for too long"
    assert imap.clock.seconds == 1_000_001_800


def test_when_the_mailbox_is_deleted_idle_ends() -> None:
    imap = ImapFixture()
    finish(imap.account.create("x"))

    def somebody_deletes() -> None:
        finish(imap.account.delete("x"))

    lines = imap.inside("a SELECT x", "b IDLE", somebody_deletes, "DONE")
    assert lines[-2:] == [
        "b NO [NONEXISTENT] The mailbox was deleted",
        "* BYE The selected mailbox was deleted",
    ]


def test_when_the_server_stops_idle_says_farewell() -> None:
    assert (
        ImapFixture().inside("a IDLE", ConversationEnded.Reason.SHUTDOWN)[-1]
        == "* BYE Server shutting down"
    )


def test_after_idle_nobody_wakes_the_wire() -> None:
    imap = ImapFixture()
    loop = imap.loop("0 LOGIN alice secret", "a SELECT INBOX", "b IDLE", "DONE", imap.put)
    finish(loop.run())
    assert loop.session.wire.wakes == 0  # type: ignore[attr-defined]


def test_a_mailbox_that_cannot_be_looked_at_any_more_ends_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    imap = ImapFixture()
    box = imap.box()
    looks: list[int] = []

    async def refresh() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise Refused("There is no such mailbox", "NONEXISTENT")

    async def opened(name: str) -> object:
        return box

    monkeypatch.setattr(box, "refresh", refresh)
    monkeypatch.setattr(imap.account, "open", opened)
    lines = imap.inside("a SELECT INBOX", "b IDLE", TIMEOUT)
    assert lines[-1] == "b NO [NONEXISTENT] There is no such mailbox"
