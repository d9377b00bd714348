import pytest

from tests.directory.refusals import CHEAP, refusal
from twisted_mail.directory.editing.account_import import AccountImportError
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import check


def test_an_account_has_the_canonical_spelling_of_its_address(editor: DirectoryEditor) -> None:
    rows = editor.accounts.all()
    assert [(row.address, row.created, row.is_enabled, row.scheme) for row in rows] == [
        ("alice@example.org", 1000, True, "ARGON2ID")
    ]


def test_an_account_is_made_once_whatever_the_case(editor: DirectoryEditor) -> None:
    assert "alice@example.org is there already" in refusal(
        editor.accounts.add, "ALICE@EXAMPLE.ORG", "x"
    )


@pytest.mark.parametrize(
    ("address", "password", "words"),
    [
        ("alice", "x", "not an address"),
        ("a@elsewhere.example", "x", "not ours"),
        ("b@example.org", "", "empty"),
        ("b@example.org", "a\0b", "NUL"),
        ("b@example.org", "x" * 2000, "longer"),
        ("a b@example.org", "x", "not an address"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    editor: DirectoryEditor, address: str, password: str, words: str
) -> None:
    assert words in refusal(editor.accounts.add, address, password)


def test_removing_says_which_aliases_still_lead_there(editor: DirectoryEditor) -> None:
    editor.aliases.add("b@example.org", ["alice@example.org"])
    editor.aliases.add("a@example.org", ["alice@example.org"])
    assert editor.accounts.remove("ALICE@example.org").aliases == ("a@example.org", "b@example.org")
    assert "no account" in refusal(editor.accounts.remove, "alice@example.org")


def test_a_password_is_changed(editor: DirectoryEditor) -> None:
    editor.accounts.set_password("alice@example.org", "other")
    (stored,) = next(editor._tables.connection.execute("SELECT hash FROM account"))
    assert check(stored, "other", CHEAP)
    assert "no account" in refusal(editor.accounts.set_password, "b@example.org", "x")


def test_logins_are_disabled_and_enabled(editor: DirectoryEditor) -> None:
    assert editor.accounts.enable("alice@example.org", False) == "alice@example.org"
    assert not editor.accounts.all()[0].is_enabled
    editor.accounts.enable("alice@example.org", True)
    assert editor.accounts.all()[0].is_enabled


def test_accounts_of_one_domain_are_listed(editor: DirectoryEditor) -> None:
    editor.accounts.add("bob@example.net", "x")
    assert [row.address for row in editor.accounts.all("example.net")] == ["bob@example.net"]
    assert len(editor.accounts.all()) == 2


def test_a_file_is_imported_as_a_whole(editor: DirectoryEditor) -> None:
    names = editor.accounts.import_lines(
        ["b@example.org:{PLAIN}x", "c@example.net:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=:1:2"]
    )
    assert names == ["b@example.org", "c@example.net"]
    assert len(editor.accounts.all()) == 3


def test_nothing_is_imported_from_a_file_with_mistakes(editor: DirectoryEditor) -> None:
    lines = ["b@example.org:{PLAIN}x", "alice@example.org:{PLAIN}x", "x@y.example:{PLAIN}x", "bad"]
    with pytest.raises(AccountImportError) as mistaken:
        editor.accounts.import_lines(lines)
    assert [mistake.line for mistake in mistaken.value.mistakes] == [2, 3, 4]
    assert len(editor.accounts.all()) == 1


def test_hashes_of_existing_accounts_are_replaced_when_asked(editor: DirectoryEditor) -> None:
    editor.accounts.import_lines(["alice@example.org:{PLAIN}x"], is_replacing=True)
    assert [(row.address, row.scheme) for row in editor.accounts.all()] == [
        ("alice@example.org", "PLAIN")
    ]


def test_300_lines_are_one_commit(editor: DirectoryEditor) -> None:
    hashed = "{SHA512-CRYPT}$6$saltsalt$" + "a" * 86
    commits: list[None] = []
    editor._tables.connection.set_commit_hook(lambda: bool(commits.append(None)))
    editor.accounts.import_lines([f"u{at}@example.org:{hashed}" for at in range(300)])
    assert len(editor.accounts.all()) == 301
    assert len(commits) == 1


@pytest.mark.parametrize("address", ["Änne@example.org", "a\u0308nne@EXAMPLE.org"])
def test_an_account_is_made_once_whatever_the_composition(
    editor: DirectoryEditor, address: str
) -> None:
    assert editor.accounts.add(address, "x") == "änne@example.org"
    assert "there already" in refusal(editor.accounts.add, "\u00e4nne@example.org", "x")
    assert "there already" in refusal(editor.accounts.add, "A\u0308NNE@example.org", "x")
    lines = ["ÄNNE@example.org:{PLAIN}y", "Bob@example.org:{PLAIN}x"]
    assert editor.accounts.import_lines(lines, is_replacing=True) == [
        "änne@example.org",
        "bob@example.org",
    ]


def test_a_name_that_is_too_long_in_small_letters_is_refused(editor: DirectoryEditor) -> None:
    assert "longer than" in refusal(editor.accounts.add, "İ" * 128 + "@example.org", "x")


def test_an_account_of_an_earlier_release_keeps_its_name(editor: DirectoryEditor) -> None:
    editor._tables.connection.execute(
        "UPDATE account SET address = 'Alice@example.org' WHERE key = 'alice@example.org'"
    )
    assert editor.accounts.find("ALICE@example.org") == "Alice@example.org"
    assert editor.accounts.import_lines(["alice@example.org:{PLAIN}x"], is_replacing=True) == [
        "Alice@example.org"
    ]
    assert editor.accounts.set_password("aLICE@example.org", "x") == "Alice@example.org"
    assert "there already" in refusal(editor.accounts.add, "alice@example.org", "x")


def test_an_account_is_known_by_the_other_names_of_its_domain(editor: DirectoryEditor) -> None:
    editor.domains.add_name("example.com", "example.org")
    assert editor.accounts.find("Alice@example.com") == "alice@example.org"
    assert editor.accounts.enable("alice@example.com", False) == "alice@example.org"
    assert not editor.accounts.all()[0].is_enabled
    editor.accounts.set_password("alice@example.com", "new")
    editor.accounts.remove("alice@example.com")
    assert editor.accounts.all() == []
