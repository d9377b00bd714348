from pathlib import Path

import pytest

from tests.directory.refusals import CHEAP, refusal
from twisted_mail.directory.editing import mailing_lists
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.tables import Tables
from twisted_mail.mail.address import parse
from twisted_mail.mail.mailing_list_definition import JoiningPolicy, PostingPolicy

ALICE, BOB, NEWS = "Alice@example.org", "bob@example.org", "news@example.org"


@pytest.fixture
def editor(tmp_path: Path) -> DirectoryEditor:
    made = DirectoryEditor(tmp_path / "accounts", CHEAP, ["example.org"], now=lambda: 1000.0)
    for name in (ALICE, BOB):
        made.accounts.add(name, "secret")
    made.lists.add(NEWS)
    return made


def test_a_list_begins_with_the_careful_rules(editor: DirectoryEditor) -> None:
    made = editor.lists.find("News@Example.org")
    assert (made.name, made.address) == (NEWS, parse(NEWS))
    assert (made.posting, made.joining) == (PostingPolicy.MEMBERS, JoiningPolicy.CONFIRMED)
    assert not made.is_moderated
    assert made.owners == ()


def test_rules_are_altered_one_by_one(editor: DirectoryEditor) -> None:
    editor.lists.alter(NEWS, posting=PostingPolicy.ANYONE)
    made = editor.lists.alter(NEWS, title="All the news", is_moderated=True)
    assert (made.posting, made.title, made.is_moderated) == (
        PostingPolicy.ANYONE,
        "All the news",
        True,
    )
    assert "one line" in refusal(lambda: editor.lists.alter(NEWS, title="a\r\nBcc: x"))
    assert "no mailing list" in refusal(lambda: editor.lists.alter("x@example.org"))


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
def test_some_addresses_cannot_be_lists(editor: DirectoryEditor, name: str, reason: str) -> None:
    assert reason in refusal(editor.lists.add, name)


def test_where_a_list_is_nothing_else_can_be(editor: DirectoryEditor) -> None:
    assert "mailing list" in refusal(editor.accounts.check_free, NEWS)
    assert "mailing list" in refusal(editor.aliases.add, NEWS, [ALICE])
    editor.aliases.add("n@example.org", [NEWS, "news-owner@example.org"])
    assert not editor.problems()


def test_members_come_and_go(editor: DirectoryEditor) -> None:
    assert editor.lists.add_members(NEWS, [ALICE, BOB, "ALICE@example.org"]) == [ALICE, BOB]
    assert editor.lists.add_members(NEWS, [BOB]) == []
    rows = [(row.address, row.created, row.suspended) for row in editor.lists.members(NEWS)]
    assert rows == [(ALICE, 1000, 0), (BOB, 1000, 0)]
    (row,) = editor.lists.all("example.org")
    assert (row.list.name, row.members, row.suspended) == (NEWS, 2, 0)
    assert editor.lists.remove_members(NEWS, ["alice@example.org"]) == ["alice@example.org"]
    assert "is not on" in refusal(editor.lists.remove_members, NEWS, [BOB, ALICE])
    assert len(editor.lists.members(NEWS)) == 1


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("nobody@example.org", "no account"),
        (NEWS, "the list itself"),
        ("news-owner@example.org", "the list itself"),
    ],
)
def test_some_addresses_cannot_be_members(
    editor: DirectoryEditor, member: str, reason: str
) -> None:
    assert reason in refusal(editor.lists.add_members, NEWS, [ALICE, member])
    assert not editor.lists.members(NEWS)


def test_members_and_owners_may_live_elsewhere(editor: DirectoryEditor) -> None:
    editor.lists.add_members(NEWS, ["x@elsewhere.example"])
    assert [row.address for row in editor.lists.members(NEWS)] == ["x@elsewhere.example"]
    made = editor.lists.set_owners(NEWS, ["boss@elsewhere.example"])
    assert made.owners == (parse("boss@elsewhere.example"),)


def test_a_list_has_so_many_members_and_no_more(
    editor: DirectoryEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailing_lists, "MAX_MEMBERS", 2)
    assert "at most 2" in refusal(editor.lists.add_members, NEWS, [ALICE, BOB, "bob+x@example.org"])
    assert editor.lists.members(NEWS) == []
    editor.lists.add_members(NEWS, [ALICE, BOB])
    assert editor.lists.add_members(NEWS, [BOB]) == []


def test_many_members_are_counted_once(
    editor: DirectoryEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    count = Tables.count

    def noting(tables: Tables, query: str, *values: str) -> int:
        counted.append(query)
        return count(tables, query, *values)

    monkeypatch.setattr(Tables, "count", noting)
    editor.lists.add_members(NEWS, [f"bob+{number}@example.org" for number in range(50)])
    assert len([query for query in counted if "list_member" in query]) == 1


def test_owners_are_set_together(editor: DirectoryEditor) -> None:
    made = editor.lists.set_owners(NEWS, [ALICE, BOB])
    assert made.owners == (parse(ALICE), parse(BOB))
    assert editor.lists.set_owners(NEWS, [BOB]).owners == (parse(BOB),)
    assert "no account" in refusal(editor.lists.set_owners, NEWS, ["nobody@example.org"])
    assert "at most 20" in refusal(
        editor.lists.set_owners, NEWS, [f"u{at}@b.example" for at in range(21)]
    )


def test_a_list_is_removed_with_all_that_is_its(editor: DirectoryEditor) -> None:
    editor.lists.add_members(NEWS, [ALICE])
    editor.lists.set_owners(NEWS, [BOB])
    assert editor.lists.remove(NEWS) == 1
    assert not editor.lists.all()
    editor.lists.add(NEWS)
    assert not editor.lists.members(NEWS)
    assert editor.lists.find(NEWS).owners == ()


def test_resuming_forgets_the_bounces(editor: DirectoryEditor) -> None:
    editor.lists.add_members(NEWS, [ALICE])
    editor._tables.connection.execute("UPDATE list_member SET suspended = 5, bounces = 5")
    assert editor.lists.all()[0].suspended == 1
    assert editor.lists.resume(NEWS, ALICE) == ALICE
    assert (editor.lists.members(NEWS)[0].suspended, editor.lists.members(NEWS)[0].bounces) == (
        0,
        0,
    )
    assert "is not on" in refusal(editor.lists.resume, NEWS, BOB)


def test_a_domain_with_lists_stays(editor: DirectoryEditor) -> None:
    editor.domains.add("example.net")
    editor.lists.add("news@example.net")
    assert "lists (1)" in refusal(editor.domains.remove, "example.net")


def test_a_member_is_on_a_list_once_by_whatever_name_of_the_domain(editor: DirectoryEditor) -> None:
    editor.domains.add_name("example.com", "example.org")
    assert editor.lists.add_members(NEWS, ["alice@example.com", "ALICE@example.org"]) == [
        "alice@example.com"
    ]
    assert [row.address for row in editor.lists.members("news@example.com")] == [
        "alice@example.org"
    ]
    assert editor.lists.resume(NEWS, "alice@example.com")
    assert editor.lists.remove_members(NEWS, ["Alice@example.com"])
    assert editor.lists.members(NEWS) == []


@pytest.mark.parametrize(
    "member", ["NEWS@example.org", "news@example.com", "News-Owner@example.org"]
)
def test_a_list_is_no_member_of_itself_in_any_spelling(
    editor: DirectoryEditor, member: str
) -> None:
    editor.domains.add_name("example.com", "example.org")
    assert "is the list itself" in refusal(editor.lists.add_members, NEWS, [member])
