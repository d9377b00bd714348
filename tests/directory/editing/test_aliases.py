from itertools import pairwise

import pytest

from tests.directory.refusals import refusal
from twisted_mail.directory.editing.editor import DirectoryEditor


@pytest.fixture
def editor(editor: DirectoryEditor) -> DirectoryEditor:
    """A directory with a second domain, in which alice gets all mail."""
    editor.domains.add("elsewhere.example")
    editor.aliases.add("@elsewhere.example", ["alice@example.org"])
    return editor


def test_an_alias_keeps_the_order_of_its_targets(editor: DirectoryEditor) -> None:
    editor.aliases.add("team@example.org", ["z@elsewhere.example", "alice@example.org"])
    row = editor.aliases.add("Team@example.org", ["a@elsewhere.example", "Z@elsewhere.example"])
    assert row.address == "team@example.org"
    assert row.targets == ("z@elsewhere.example", "alice@example.org", "a@elsewhere.example")
    assert editor.aliases.all("example.org") == [row]


def test_targets_and_aliases_are_removed(editor: DirectoryEditor) -> None:
    editor.aliases.add("team@example.org", ["z@elsewhere.example", "alice@example.org"])
    left = editor.aliases.remove("team@example.org", ["Z@elsewhere.example"])
    assert left.targets == ("alice@example.org",)
    assert "does not lead to" in refusal(
        editor.aliases.remove, "team@example.org", ["z@elsewhere.example"]
    )
    assert editor.aliases.remove("team@example.org").targets == ()
    assert "no alias" in refusal(editor.aliases.remove, "team@example.org")


def test_an_alias_and_its_targets_have_the_other_names_of_their_domains(
    editor: DirectoryEditor,
) -> None:
    editor.domains.add_name("example.com", "example.org")
    editor.aliases.add("team@example.org", ["z@elsewhere.example", "Alice@Example.com"])
    row = editor.aliases.add("team@example.org", ["alice@example.org"])
    assert row.targets == ("z@elsewhere.example", "Alice@example.org")
    left = editor.aliases.remove("TEAM@example.com", ["ALICE@example.com"])
    assert left.targets == ("z@elsewhere.example",)
    assert editor.aliases.remove("team@example.com").targets == ()


def test_a_target_that_was_kept_in_another_name_of_its_domain_is_removed(
    editor: DirectoryEditor,
) -> None:
    editor.domains.add_name("example.com", "example.org")
    editor.aliases.add("team@example.org", ["z@elsewhere.example", "alice@example.org"])
    editor.aliases._tables.connection.execute(
        "UPDATE alias SET target = 'alice@example.com', target_key = 'alice@example.com'"
        " WHERE target = 'alice@example.org'"
    )
    left = editor.aliases.remove("team@example.org", ["alice@example.org"])
    assert left.targets == ("z@elsewhere.example",)


def test_an_address_is_an_account_or_an_alias(editor: DirectoryEditor) -> None:
    assert "is an account" in refusal(
        editor.aliases.add, "alice@example.org", ["x@elsewhere.example"]
    )
    editor.aliases.add("b@example.org", ["alice@example.org"])
    assert "is an alias" in refusal(editor.accounts.add, "b@example.org", "x")


def test_an_alias_leads_to_somebody(editor: DirectoryEditor) -> None:
    assert "no account, alias or list" in refusal(
        editor.aliases.add, "b@example.org", ["nobody@example.net"]
    )
    assert "not ours" in refusal(editor.aliases.add, "b@x.example", ["alice@example.org"])


def test_an_alias_never_leads_to_itself(editor: DirectoryEditor) -> None:
    assert refusal(editor.aliases.add, "b@example.org", ["b@example.org"])
    editor.aliases.add("b@example.org", ["x@elsewhere.example"])
    editor.aliases.add("c@example.org", ["b@example.org"])
    editor.aliases.add("d@example.org", ["c@example.org"])
    assert "itself" in refusal(editor.aliases.add, "b@example.org", ["d@example.org"])
    assert "itself" in refusal(editor.aliases.add, "b@example.org", ["B@example.org"])


def test_a_long_row_of_aliases_is_refused(editor: DirectoryEditor) -> None:
    row = ["alice@example.org", *(f"a{number}@example.org" for number in range(10))]
    for before, alias in pairwise(row):
        editor.aliases.add(alias, [before])
    assert "in a row" in refusal(editor.aliases.add, "b@example.org", row[-1:])


def test_an_alias_with_too_many_targets_is_refused(editor: DirectoryEditor) -> None:
    targets = [f"x{number}@elsewhere.example" for number in range(1001)]
    assert "at most 1000" in refusal(editor.aliases.add, "b@example.org", targets)


def test_a_catch_all_is_an_alias_without_local_part(editor: DirectoryEditor) -> None:
    row = editor.aliases.add("@Example.org", ["alice@example.org"])
    assert row.address == "@example.org"
    assert [one.address for one in editor.aliases.all("example.org")] == ["@example.org"]
    editor.aliases.add("b@example.org", ["anything@example.org"])
    assert not editor.problems()
    assert editor.aliases.remove("@example.org").targets == ()
    assert {one.address for one in editor.problems()} == {"b@example.org"}


def test_an_alias_leads_to_programs_by_their_names(editor: DirectoryEditor) -> None:
    row = editor.aliases.add("t@example.org", ["|ticket", "alice@example.org", "|ticket"])
    assert row.targets == ("|ticket", "alice@example.org")
    assert not editor.problems()
    assert editor.aliases.remove("t@example.org", ["|ticket"]).targets == ("alice@example.org",)
    assert "a program has a name" in refusal(editor.aliases.add, "t@example.org", ["|"])


@pytest.mark.parametrize("target", ["alice+lists@example.org", "alice@example.com"])
def test_a_target_may_have_a_detail_or_another_name_of_the_domain(
    editor: DirectoryEditor, target: str
) -> None:
    editor.domains.add_name("example.com", "example.org")
    editor.aliases.add("b@example.org", [target])
    assert not editor.problems()
    assert "no account" in refusal(editor.aliases.add, "c@example.org", [f"no{target}"])
