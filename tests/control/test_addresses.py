import os
from pathlib import Path

import pytest

from tests.control.terminal import Terminal

PROGRAM = """
[[program]]
name = "ticket"
command = ["/bin/cat"]
"""


@pytest.fixture
def address_terminal(server: Terminal) -> Terminal:
    """A server with aliases of every kind; alice is its only account."""
    (server.folder / "mail.toml.d" / "programs.toml").write_text(PROGRAM)
    assert server("domain", "alias", "example.com", "example.org") == 0
    assert server("domain", "add", "b.example") == 0
    assert server("alias", "add", "@b.example", "alice@example.org") == 0
    assert server("alias", "add", "team@example.org", "alice@example.org", "x@b.example") == 0
    assert server("alias", "remove", "@b.example") == 0
    assert server("domain", "remove", "b.example") == 0
    assert server("alias", "add", "tickets@example.org", "|ticket") == 0
    return server


def explained(address_terminal: Terminal, address: str) -> list[str]:
    address_terminal("address", "explain", address)
    assert not address_terminal.err, address_terminal.err
    return [line.strip() for line in address_terminal.out.splitlines()]


def test_an_account_is_explained_in_one_step(address_terminal: Terminal) -> None:
    assert explained(address_terminal, "Alice@example.org") == [
        "mail for Alice@example.org:",
        "Alice@example.org: the account alice@example.org",
        "it goes to the account alice@example.org",
    ]


def test_a_detail_and_another_name_of_the_domain_are_steps(address_terminal: Terminal) -> None:
    assert explained(address_terminal, "alice+lists@example.com")[1:] == [
        "alice+lists@example.com: example.com is another name of example.org",
        "alice+lists@example.com: nobody, so alice gets it, with the detail lists",
        "alice+lists@example.com: the account alice@example.org",
        "it goes to the account alice@example.org (detail lists)",
    ]


def test_mail_for_elsewhere_is_explained(address_terminal: Terminal) -> None:
    assert address_terminal("address", "explain", "team@example.org") == 0
    assert "it goes on to x@b.example\n" in address_terminal.out


def test_programs_and_unknown_addresses_are_explained(address_terminal: Terminal) -> None:
    assert explained(address_terminal, "tickets@example.org")[-1] == "it goes to the program ticket"
    assert explained(address_terminal, "nobody@example.org")[1:] == [
        "nobody@example.org: nobody here has this address",
        "it is refused: 550 5.1.1 There is no such mailbox here",
    ]
    assert address_terminal("address", "explain", "nobody@example.org") == 1
    assert address_terminal("address", "explain", "nonsense") == 1
    assert "not an address" in address_terminal.err


def test_the_postmaster_needs_no_domain(address_terminal: Terminal) -> None:
    assert address_terminal("alias", "add", "postmaster@example.org", "alice@example.org") == 0
    assert explained(address_terminal, "Postmaster")[1] == (
        "Postmaster: without a domain, looked for as postmaster@example.org"
    )


def test_the_explanation_is_json_too(address_terminal: Terminal) -> None:
    answer = address_terminal.json("address", "explain", "alice+x@example.org")
    assert answer["accounts"] == ["alice@example.org"]
    assert answer["details"] == {"alice@example.org": "x"}
    assert answer["refusal"] is None
    assert [step["turn"] for step in answer["steps"]] == ["subaddress", "account"]
    onward = address_terminal.json("address", "explain", "x@b.example")
    assert (onward["refusal"], onward["elsewhere"]) == (None, ["x@b.example"])
    assert address_terminal("address", "explain", "nobody@example.org", "--json") == 1


def test_a_catch_all_is_made_and_explained(address_terminal: Terminal) -> None:
    assert address_terminal("alias", "add", "@example.org", "alice@example.org") == 0
    assert address_terminal.out == "@example.org leads to alice@example.org\n"
    assert explained(address_terminal, "any@example.org")[1:3] == [
        "any@example.org: nobody, so @example.org takes it",
        "any@example.org: leads to alice@example.org",
    ]
    assert address_terminal("alias", "remove", "@example.org") == 0


def test_only_programs_of_the_configuration_can_be_led_to(address_terminal: Terminal) -> None:
    assert address_terminal("alias", "add", "x@example.org", "|rm -rf /") == 1
    assert "no [[program]]" in address_terminal.err
    assert address_terminal("check") == 0
    (address_terminal.folder / "mail.toml.d" / "programs.toml").unlink()
    address_terminal("check")
    assert "tickets@example.org: there is no program ticket" in address_terminal.out


def test_programs_that_cannot_run_are_found(address_terminal: Terminal) -> None:
    wrong = '[[program]]\nname = "x"\ncommand = ["/no/x"]\nuser = "no-such"\nfolder = "/no"\n'
    (address_terminal.folder / "mail.toml.d" / "wrong.toml").write_text(wrong)
    address_terminal("check")
    for text in ("/no/x cannot be run", "/no is no folder", "there is no user no-such"):
        assert f"program x: {text}" in address_terminal.out


def test_other_names_stand_with_their_domain(address_terminal: Terminal) -> None:
    assert address_terminal("domain", "list") == 0
    assert "example.com" in address_terminal.out
    assert address_terminal.json("domain", "list")["domains"][0]["other_names"] == ["example.com"]
    assert address_terminal("domain", "remove", "example.com") == 0
    assert explained(address_terminal, "alice@example.com")[-1] == "it goes on to alice@example.com"


def test_separators_are_those_of_the_configuration(
    address_terminal: Terminal, tmp_path: Path
) -> None:
    (address_terminal.folder / "mail.toml.d" / "separators.toml").write_text(
        '[addresses]\nseparators = "=-"\n'
    )
    assert address_terminal("address", "explain", "alice+x@example.org") == 1
    assert address_terminal("address", "explain", "alice-x@example.org") == 0
    assert address_terminal("alias", "add", "a@example.org", "alice=x@example.org") == 0


def test_without_a_directory_there_is_nothing_to_explain(address_terminal: Terminal) -> None:
    os.unlink(next(address_terminal.folder.rglob("accounts.sqlite3")))
    assert address_terminal("address", "explain", "alice@example.org") == 1
    assert "no directory" in address_terminal.err
