from tests.directory.refusals import refusal
from twisted_mail.directory.editing.editor import DirectoryEditor


def test_domains_are_listed_with_what_is_in_them(editor: DirectoryEditor) -> None:
    editor.aliases.add("info@example.net", ["alice@example.org"])
    rows = [
        (row.name, row.accounts, row.aliases, row.is_configured) for row in editor.domains.all()
    ]
    assert rows == [("example.net", 0, 1, False), ("example.org", 1, 0, True)]


def test_a_domain_is_added_in_its_normal_form(editor: DirectoryEditor) -> None:
    assert editor.domains.add("BÜCHER.example.") == "xn--bcher-kva.example"
    assert "already" in refusal(editor.domains.add, "xn--bcher-kva.example")
    assert "already" in refusal(editor.domains.add, "example.org")
    assert "not a domain" in refusal(editor.domains.add, "exa mple")


def test_a_domain_with_addresses_stays(editor: DirectoryEditor) -> None:
    editor.accounts.add("bob@example.net", "x")
    assert "still has accounts (1)" in refusal(editor.domains.remove, "example.net")
    editor.accounts.remove("bob@example.net")
    assert editor.domains.remove("Example.Net") == "example.net"
    assert "no domain" in refusal(editor.domains.remove, "example.net")


def test_a_domain_of_the_configuration_file_is_removed_there(editor: DirectoryEditor) -> None:
    assert "configuration file" in refusal(editor.domains.remove, "example.org")


def test_a_domain_has_other_names(editor: DirectoryEditor) -> None:
    assert editor.domains.add_name("Example.COM.", "example.org") == (
        "example.com",
        "example.org",
    )
    assert [row.other_names for row in editor.domains.all()] == [(), ("example.com",)]
    assert "another name of example.org" in refusal(editor.accounts.check_free, "bob@example.com")
    assert "another name of" in refusal(editor.domains.add, "example.com")
    assert "another name of" in refusal(editor.domains.add_name, "example.com", "example.net")
    assert editor.domains.remove("example.com") == "example.com"
    assert "no domain" in refusal(editor.domains.remove, "example.com")


def test_other_names_are_of_domains_that_are_there(editor: DirectoryEditor) -> None:
    editor.domains.add_name("example.com", "example.net")
    assert "no domain" in refusal(editor.domains.add_name, "b.example", "a.example")
    told = refusal(editor.domains.add_name, "b.example", "example.com")
    assert told == "example.com is another name itself: name example.net"
    assert "there already" in refusal(editor.domains.add_name, "example.org", "example.net")
    assert "other names (1)" in refusal(editor.domains.remove, "example.net")
