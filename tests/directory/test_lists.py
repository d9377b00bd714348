from pathlib import Path

import pytest

from twisted_mail.directory import lists
from twisted_mail.directory.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.tables import Tables
from twisted_mail.mail.address import parse
from twisted_mail.mail.mailing_list import JoiningPolicy, PostingPolicy
from twisted_mail.mail.outcome import Refused

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE, BOB, NEWS = "Alice@example.org", "bob@example.org", "news@example.org"


@pytest.fixture
def register(tmp_path: Path) -> DirectoryEditor:
    made = DirectoryEditor(tmp_path / "accounts", CHEAP, ["example.org"], now=lambda: 1000.0)
    for name in (ALICE, BOB):
        made.accounts.add(name, "secret")
    made.lists.add(NEWS)
    return made


def refusal(work: object, *args: object) -> str:
    with pytest.raises(Refused) as refused:
        work(*args)  # type: ignore[operator]
    return refused.value.outcome.text


def test_a_list_begins_with_the_careful_rules(register: DirectoryEditor) -> None:
    made = register.lists.find("News@Example.org")
    assert (made.name, made.address) == (NEWS, parse(NEWS))
    assert (made.posting, made.joining) == (PostingPolicy.MEMBERS, JoiningPolicy.CONFIRMED)
    assert not made.is_moderated
    assert made.owners == ()


def test_rules_are_altered_one_by_one(register: DirectoryEditor) -> None:
    register.lists.alter(NEWS, posting=PostingPolicy.ANYONE)
    made = register.lists.alter(NEWS, title="All the news", is_moderated=True)
    assert (made.posting, made.title, made.is_moderated) == (
        PostingPolicy.ANYONE,
        "All the news",
        True,
    )
    assert "one line" in refusal(lambda: register.lists.alter(NEWS, title="a\r\nBcc: x"))
    assert "no mailing list" in refusal(lambda: register.lists.alter("x@example.org"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (ALICE, "is an account"),
        (NEWS, "is a mailing list"),
        ("x@elsewhere.example", "not ours"),
        ("x-request@example.org", "ends with a word"),
        ("x" * 60 + "@example.org", "at most"),
        ("x+y@example.org", "neither quotes nor"),
        ('"x y"@example.org', "neither quotes nor"),
        ("nonsense", "not an address"),
    ],
)
def test_some_addresses_cannot_be_lists(register: DirectoryEditor, name: str, reason: str) -> None:
    assert reason in refusal(register.lists.add, name)


def test_where_a_list_is_nothing_else_can_be(register: DirectoryEditor) -> None:
    assert "mailing list" in refusal(register.accounts.check_free, NEWS)
    assert "mailing list" in refusal(register.aliases.add, NEWS, [ALICE])
    register.aliases.add("n@example.org", [NEWS, "news-owner@example.org"])
    assert not register.problems()


def test_members_come_and_go(register: DirectoryEditor) -> None:
    assert register.lists.add_members(NEWS, [ALICE, BOB, "ALICE@example.org"]) == [ALICE, BOB]
    assert register.lists.add_members(NEWS, [BOB]) == []
    rows = [(row.address, row.created, row.suspended) for row in register.lists.members(NEWS)]
    assert rows == [(ALICE, 1000, 0), (BOB, 1000, 0)]
    (row,) = register.lists.all("example.org")
    assert (row.list.name, row.members, row.suspended) == (NEWS, 2, 0)
    assert register.lists.remove_members(NEWS, ["alice@example.org"]) == ["alice@example.org"]
    assert "is not on" in refusal(register.lists.remove_members, NEWS, [BOB, ALICE])
    assert len(register.lists.members(NEWS)) == 1


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("nobody@example.org", "no account"),
        ("x@elsewhere.example", "is elsewhere"),
        (NEWS, "the list itself"),
        ("news-owner@example.org", "the list itself"),
    ],
)
def test_some_addresses_cannot_be_members(
    register: DirectoryEditor, member: str, reason: str
) -> None:
    assert reason in refusal(register.lists.add_members, NEWS, [ALICE, member])
    assert not register.lists.members(NEWS)


def test_a_list_has_so_many_members_and_no_more(
    register: DirectoryEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MAX_MEMBERS", 2)
    assert "at most 2" in refusal(
        register.lists.add_members, NEWS, [ALICE, BOB, "bob+x@example.org"]
    )
    assert register.lists.members(NEWS) == []
    register.lists.add_members(NEWS, [ALICE, BOB])
    assert register.lists.add_members(NEWS, [BOB]) == []


def test_many_members_are_counted_once(
    register: DirectoryEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    count = Tables.count

    def noting(tables: Tables, query: str, *values: str) -> int:
        counted.append(query)
        return count(tables, query, *values)

    monkeypatch.setattr(Tables, "count", noting)
    register.lists.add_members(NEWS, [f"bob+{number}@example.org" for number in range(50)])
    assert len([query for query in counted if "list_member" in query]) == 1


def test_owners_are_set_together(register: DirectoryEditor) -> None:
    made = register.lists.set_owners(NEWS, [ALICE, "boss@elsewhere.example"])
    assert made.owners == (parse(ALICE), parse("boss@elsewhere.example"))
    assert register.lists.set_owners(NEWS, [BOB]).owners == (parse(BOB),)
    assert "no account" in refusal(register.lists.set_owners, NEWS, ["nobody@example.org"])
    assert "at most 20" in refusal(
        register.lists.set_owners, NEWS, [f"u{at}@b.example" for at in range(21)]
    )


def test_a_list_is_removed_with_all_that_is_its(register: DirectoryEditor) -> None:
    register.lists.add_members(NEWS, [ALICE])
    register.lists.set_owners(NEWS, [BOB])
    assert register.lists.remove(NEWS) == 1
    assert not register.lists.all()
    register.lists.add(NEWS)
    assert not register.lists.members(NEWS)
    assert register.lists.find(NEWS).owners == ()


def test_resuming_forgets_the_bounces(register: DirectoryEditor) -> None:
    register.lists.add_members(NEWS, [ALICE])
    register._tables.connection.execute("UPDATE list_member SET suspended = 5, bounces = 5")
    assert register.lists.all()[0].suspended == 1
    assert register.lists.resume(NEWS, ALICE) == ALICE
    assert (register.lists.members(NEWS)[0].suspended, register.lists.members(NEWS)[0].bounces) == (
        0,
        0,
    )
    assert "is not on" in refusal(register.lists.resume, NEWS, BOB)


def test_a_domain_with_lists_stays(register: DirectoryEditor) -> None:
    register.domains.add("example.net")
    register.lists.add("news@example.net")
    assert "lists (1)" in refusal(register.domains.remove, "example.net")
