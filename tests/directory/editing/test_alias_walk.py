from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.directory.refusals import CHEAP, lead, refusal
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.editing.alias_walk import AliasWalk
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.directory_entry import postmasters
from twisted_mail.mail.route import NoRoute, Route
from twisted_mail.testing.doubles import InlineBlocking, finish

MANY = [f"u{number}@example.org" for number in range(1000)]


def route(path: Path, address: str, postmaster: str = "") -> Route:
    directory = SqliteDirectory(path, InlineBlocking(), InlineBlocking(), CHEAP, ["example.org"])
    try:
        return finish(LocalRouter(directory, postmaster=postmaster).route(parse(address)))
    finally:
        directory.close()


def fault(editor: DirectoryEditor, address: str) -> str:
    return AliasWalk(editor._tables).fault(parse(address))


def populate(editor: DirectoryEditor) -> None:
    editor.accounts.import_lines(f"{name}:{{PLAIN}}x" for name in MANY)


def test_an_alias_with_as_many_targets_as_one_may_have_is_delivered(
    editor: DirectoryEditor, tmp_path: Path
) -> None:
    populate(editor)
    editor.aliases.add("all@example.org", MANY)
    assert editor.problems() == []
    found = route(tmp_path / "accounts", "all@example.org")
    assert not isinstance(found, NoRoute)
    assert len(found.accounts) == 1000
    assert not isinstance(route(tmp_path / "accounts", "all+x@example.org"), NoRoute)


def test_an_alias_that_would_lead_to_too_many_is_not_made(editor: DirectoryEditor) -> None:
    populate(editor)
    editor.aliases.add("all@example.org", MANY)
    text = refusal(editor.aliases.add, "more@example.org", ["all@example.org"])
    assert text == "so more@example.org leads to more than 1000 addresses"
    assert [row.address for row in editor.aliases.all()] == ["all@example.org"]


@pytest.mark.parametrize("target", ["few@example.org", "Few+x@example.org", "few@example.com"])
def test_an_alias_that_others_lead_to_is_checked_with_them(
    editor: DirectoryEditor, target: str
) -> None:
    populate(editor)
    editor.domains.add_name("example.com", "example.org")
    editor.aliases.add("few@example.org", MANY[:500])
    editor.aliases.add("before@example.org", [target, *MANY[500:998]])
    editor.aliases.add("first@example.org", ["before@example.org"])
    text = refusal(editor.aliases.add, "few@example.org", [MANY[998], MANY[999]])
    assert "leads to more than 1000 addresses" in text


def test_a_row_of_aliases_is_not_made_too_long_at_its_end(editor: DirectoryEditor) -> None:
    editor.accounts.import_lines(["bob@example.org:{PLAIN}x"])
    editor.aliases.add("end@example.org", ["alice@example.org"])
    row = ["end@example.org", *(f"a{number}@example.org" for number in range(9))]
    for before, after in pairwise(row):
        editor.aliases.add(after, [before])
    editor.aliases.add("z@example.org", ["bob@example.org"])
    assert "so a8@example.org is the start of more than 10" in refusal(
        editor.aliases.add, "end@example.org", ["z@example.org"]
    )


def test_an_alias_never_leads_to_itself_by_another_way(editor: DirectoryEditor) -> None:
    editor.domains.add_name("example.com", "example.org")
    editor.aliases.add("a@example.org", ["alice@example.org"])
    editor.lists.add("news@example.org")
    editor.lists.set_owners("news@example.org", ["a@example.org"])
    editor.aliases.add("@example.org", ["alice@example.org"])
    for target in ("a+x@example.org", "A@example.com", "news-owner@example.org"):
        assert "leads to itself" in refusal(editor.aliases.add, "a@example.org", [target])
    assert "leads to itself" in refusal(editor.aliases.add, "@example.org", ["who@example.org"])


def test_what_earlier_releases_made_is_found(editor: DirectoryEditor) -> None:
    lead(editor, "a@example.org", "b@example.org", "x@elsewhere.example")
    lead(editor, "b@example.org", "a@example.org")
    lead(editor, "c@example.org", "nobody@example.org")
    for at in range(12):
        lead(editor, f"r{at}@example.org", f"r{at + 1}@example.org")
    lead(editor, "r12@example.org", "alice@example.org")
    found = [(one.address.partition("@")[0], one.text) for one in editor.problems()]
    assert found == [
        ("a", "the alias leads to itself through a@example.org"),
        ("b", "the alias leads to itself through b@example.org"),
        ("c", "the alias leads to nobody@example.org, who is not here"),
        ("c", "the alias leads to nobody"),
        ("r0", "the alias is the start of more than 10 aliases in a row"),
        ("r1", "the alias is the start of more than 10 aliases in a row"),
        ("r2", "the alias is the start of more than 10 aliases in a row"),
    ]


NAMES = st.sampled_from(["a", "b", "c", "d", "news-owner", "alice", "e", "postmaster"])
TARGETS = st.builds(
    lambda local, detail, domain: f"{local}{detail}@{domain}",
    NAMES,
    st.sampled_from(["", "+x"]),
    st.sampled_from(["example.org", "EXAMPLE.com", "elsewhere.example"]),
)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.lists(TARGETS, min_size=1, max_size=3)),
    st.sampled_from(["", "alice@example.org", "a@example.com"]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_aliases_are_followed_as_mail_is(
    tmp_path_factory: pytest.TempPathFactory, made: dict[str, list[str]], postmaster: str
) -> None:
    path = tmp_path_factory.mktemp("walk") / "accounts"
    asked = postmasters(postmaster, "", ())
    with DirectoryEditor(path, CHEAP, ["example.org"], postmasters=asked) as editor:
        editor.accounts.import_lines(["alice@example.org:{PLAIN}x"])
        editor.domains.add_name("example.com", "example.org")
        editor.lists.add("news@example.org")
        for name, targets in made.items():
            lead(editor, f"{name}@example.org", *{parse(one).key: one for one in targets}.values())
        for name in made:
            found = fault(editor, f"{name}@example.org")
            if "itself" not in found:
                is_refused = isinstance(route(path, f"{name}@example.org", postmaster), NoRoute)
                assert is_refused == bool(found)
