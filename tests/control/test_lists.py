import pytest

from tests.control.jobs import add_jobs
from tests.control.terminal import Terminal
from twisted_mail.mail.job import APPROVE, REJECT

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


def test_held_posts_are_listed_and_get_a_word(list_terminal: Terminal) -> None:
    assert list_terminal("list", "held") == 0
    assert list_terminal.out == "nothing is held\n"
    folder = add_jobs(list_terminal)
    assert [one["id"] for one in list_terminal.json("list", "held")["held"]] == ["id1-1"]
    assert list_terminal("list", "held") == 0
    assert list_terminal.out.splitlines()[1].split()[2:] == [NEWS, ALICE, "why"]
    assert list_terminal("list", "approve", "id1-1") == 0
    assert folder.pending_decisions() == [("id1-1", APPROVE)]
    folder.remove_decision("id1-1", APPROVE)
    assert list_terminal("list", "reject", "id1-1") == 0
    assert folder.pending_decisions() == [("id1-1", REJECT)]


@pytest.mark.parametrize("name", ["id2-1", "id9-9", "../id1-1"])
def test_only_what_is_held_gets_a_word(list_terminal: Terminal, name: str) -> None:
    folder = add_jobs(list_terminal)
    assert list_terminal("list", "approve", "id1-1", name) == 1
    assert folder.pending_decisions() == []


def test_lists_are_explained(list_terminal: Terminal) -> None:
    assert list_terminal("address", "explain", "news-subscribe+x@example.org") == 0
    assert "the list news@example.org, its address for subscribe" in list_terminal.out
    assert list_terminal("address", "explain", "news-owner@example.org") == 0
    assert "it goes to the account alice@example.org" in list_terminal.out
