import pytest

from tests.control.queue.filled import NOW, fill, new_job, opened_spool
from tests.control.terminal import Terminal
from twisted_mail.mail.address import parse
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.route import ListTarget
from twisted_mail.testing.doubles import finish

NEWS, ALICE = "news@example.org", "alice@example.org"


@pytest.fixture
def list_terminal(server: Terminal) -> Terminal:
    assert server("list", "add", NEWS, "--title", "All the news", "--owner", ALICE) == 0
    return server


def test_a_list_is_made_with_its_rules(list_terminal: Terminal) -> None:
    assert "list news@example.org is made" in list_terminal.out
    assert list_terminal("list", "list") == 0
    assert list_terminal.out.splitlines()[1].split() == [
        NEWS,
        "0",
        "0",
        "members",
        "confirmed",
        ALICE,
    ]
    words = ("--post", "owners", "--join", "closed", "--moderated", "yes", "--owner", "")
    made = list_terminal.json("list", "set", NEWS, *words)["list"]
    assert made == {
        "address": NEWS,
        "title": "All the news",
        "post": "owners",
        "join": "closed",
        "is_moderated": True,
        "owners": [],
    }
    assert list_terminal("list", "set", NEWS, "--moderated", "no") == 0
    assert "  post    owners\n" in list_terminal.out


def test_what_cannot_be_made_leaves_nothing(list_terminal: Terminal) -> None:
    assert list_terminal("list", "add", "x@example.org", "--owner", "nobody@example.org") == 1
    assert "no account" in list_terminal.err
    assert len(list_terminal.json("list", "list")["lists"]) == 1
    assert list_terminal("list", "add", "x@example.org", "--post", "nobody") == 2


def test_members_come_and_go(list_terminal: Terminal) -> None:
    assert list_terminal("list", "subscribe", NEWS, ALICE) == 0
    assert list_terminal.out == f"{ALICE} is on {NEWS}\n"
    assert list_terminal("list", "subscribe", NEWS, ALICE) == 0
    assert list_terminal.out == "all were on it already\n"
    (member,) = list_terminal.json("list", "members", NEWS)["members"]
    assert (member["address"], member["bounces"], member["suspended"]) == (ALICE, 0, None)
    assert list_terminal("list", "members", NEWS) == 0
    assert list_terminal("list", "resume", NEWS, ALICE) == 0
    assert list_terminal("list", "unsubscribe", NEWS, ALICE) == 0
    assert list_terminal("list", "unsubscribe", NEWS, ALICE) == 1
    assert list_terminal("list", "subscribe", NEWS, "x@elsewhere.example") == 0


def test_a_list_is_removed_with_its_members(list_terminal: Terminal) -> None:
    list_terminal("list", "subscribe", NEWS, ALICE)
    assert list_terminal("list", "remove", NEWS) == 0
    assert list_terminal.out == f"list {NEWS} is removed, with 1 member\n"
    assert list_terminal("list", "remove", NEWS) == 1
    assert list_terminal("list", "list") == 0
    assert list_terminal.out == "there are no mailing lists\n"


def hold_post(server: Terminal) -> None:
    """Put a post that waits for its moderators into the queue of a stopped server."""
    target = ListTarget(NEWS, ListRole.POST)
    held = OwedRecipient(1, target, state=RecipientState.HELD, reason="the list is moderated")
    fill(server, new_job(QueuedJob("id1", NOW - 60, parse(ALICE), size=3), held))


def left(server: Terminal) -> list[RecipientState]:
    """Return the states of the recipients of the post."""
    spool = opened_spool(server)
    found = finish(spool.read("id1"))
    finish(spool.close())
    return [] if found is None else [one.state for one in found.recipients]


def test_held_posts_are_listed_and_get_a_word(list_terminal: Terminal) -> None:
    assert list_terminal("list", "held") == 0
    assert list_terminal.out == "nothing is held\n"
    hold_post(list_terminal)
    [held] = list_terminal.json("list", "held")["held"]
    assert (held["id"], held["list"], held["sender"]) == ("id1", NEWS, ALICE)
    assert list_terminal("list", "held") == 0
    assert list_terminal.out.splitlines()[1].split()[2:4] == [NEWS, ALICE]
    assert list_terminal("list", "approve", "id1") == 0
    assert left(list_terminal) == [RecipientState.WAITING]
    assert list_terminal("list", "held") == 0
    assert list_terminal.out == "nothing is held\n"


def test_a_post_that_is_rejected_is_gone(list_terminal: Terminal) -> None:
    hold_post(list_terminal)
    assert list_terminal("list", "reject", "id1") == 0
    assert list_terminal.out == "id1 is dropped\n"
    assert left(list_terminal) == []


@pytest.mark.parametrize("name", ["3c", "id9", "../id1"])
def test_only_what_is_held_for_a_list_gets_a_word(list_terminal: Terminal, name: str) -> None:
    hold_post(list_terminal)
    assert list_terminal("list", "approve", "id1", name) == 1
    assert f"nothing is held as {name}" in list_terminal.err
    assert left(list_terminal) == [RecipientState.HELD]


def test_lists_are_explained(list_terminal: Terminal) -> None:
    assert list_terminal("address", "explain", "news-subscribe+x@example.org") == 0
    assert "the list news@example.org, its address for subscribe" in list_terminal.out
    assert list_terminal("address", "explain", "news-owner@example.org") == 0
    assert "it goes to the account alice@example.org" in list_terminal.out
