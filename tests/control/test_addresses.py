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
def house(server: Terminal) -> Terminal:
    """A server with aliases of every kind; alice is its only account."""
    (server.folder / "mail.toml.d" / "programs.toml").write_text(PROGRAM)
    assert server("domain", "alias", "example.com", "example.org") == 0
    assert server("alias", "add", "team@example.org", "alice@example.org", "x@b.example") == 0
    assert server("alias", "add", "tickets@example.org", "|ticket") == 0
    return server


def explained(house: Terminal, address: str) -> list[str]:
    house("address", "explain", address)
    assert not house.err, house.err
    return [line.strip() for line in house.out.splitlines()]


def test_an_account_is_explained_in_one_step(house: Terminal) -> None:
    assert explained(house, "Alice@example.org") == [
        "mail for Alice@example.org:",
        "Alice@example.org: the account alice@example.org",
        "it goes to the account alice@example.org",
    ]


def test_a_detail_and_another_name_of_the_domain_are_steps(house: Terminal) -> None:
    assert explained(house, "alice+lists@example.com")[1:] == [
        "alice+lists@example.com: example.com is another name of example.org",
        "alice+lists@example.com: nobody, so alice gets it, with the detail lists",
        "alice+lists@example.com: the account alice@example.org",
        "it goes to the account alice@example.org (detail lists)",
    ]


def test_mail_for_elsewhere_is_explained_with_its_refusal(house: Terminal) -> None:
    assert house("address", "explain", "team@example.org") == 1
    assert "it would go on to x@b.example\n" in house.out
    assert "it is refused: 550 5.1.2" in house.out


def test_programs_and_unknown_addresses_are_explained(house: Terminal) -> None:
    assert explained(house, "tickets@example.org")[-1] == "it goes to the program ticket"
    assert explained(house, "nobody@example.org")[1:] == [
        "nobody@example.org: nobody here has this address",
        "it is refused: 550 5.1.1 There is no such mailbox here",
    ]
    assert house("address", "explain", "nobody@example.org") == 1
    assert house("address", "explain", "nonsense") == 1
    assert "not an address" in house.err


def test_the_postmaster_needs_no_domain(house: Terminal) -> None:
    assert house("alias", "add", "postmaster@example.org", "alice@example.org") == 0
    assert explained(house, "Postmaster")[1] == (
        "Postmaster: without a domain, looked for as postmaster@example.org"
    )


def test_the_explanation_is_json_too(house: Terminal) -> None:
    answer = house.json("address", "explain", "alice+x@example.org")
    assert answer["accounts"] == ["alice@example.org"]
    assert answer["details"] == {"alice@example.org": "x"}
    assert answer["refusal"] is None
    assert [step["turn"] for step in answer["steps"]] == ["subaddress", "account"]
    assert house.json("address", "explain", "x@b.example")["refusal"]["code"] == 550


def test_a_catch_all_is_made_and_explained(house: Terminal) -> None:
    assert house("alias", "add", "@example.org", "alice@example.org") == 0
    assert house.out == "@example.org leads to alice@example.org\n"
    assert explained(house, "any@example.org")[1:3] == [
        "any@example.org: nobody, so @example.org takes it",
        "any@example.org: leads to alice@example.org",
    ]
    assert house("alias", "remove", "@example.org") == 0


def test_only_programs_of_the_configuration_can_be_led_to(house: Terminal) -> None:
    assert house("alias", "add", "x@example.org", "|rm -rf /") == 1
    assert "no [[program]]" in house.err
    assert house("check") == 0
    (house.folder / "mail.toml.d" / "programs.toml").unlink()
    house("check")
    assert "tickets@example.org: there is no program ticket" in house.out


def test_programs_that_cannot_run_are_found(house: Terminal) -> None:
    wrong = '[[program]]\nname = "x"\ncommand = ["/no/x"]\nuser = "no-such"\nfolder = "/no"\n'
    (house.folder / "mail.toml.d" / "wrong.toml").write_text(wrong)
    house("check")
    for text in ("/no/x cannot be run", "/no is no folder", "there is no user no-such"):
        assert f"program x: {text}" in house.out


def test_other_names_stand_with_their_domain(house: Terminal) -> None:
    assert house("domain", "list") == 0
    assert "example.com" in house.out
    assert house.json("domain", "list")["domains"][0]["other_names"] == ["example.com"]
    assert house("domain", "remove", "example.com") == 0
    assert house("address", "explain", "alice@example.com") == 1


def test_separators_are_those_of_the_configuration(house: Terminal, tmp_path: Path) -> None:
    (house.folder / "mail.toml.d" / "separators.toml").write_text(
        '[addresses]\nseparators = "=-"\n'
    )
    assert house("address", "explain", "alice+x@example.org") == 1
    assert house("address", "explain", "alice-x@example.org") == 0
    assert house("alias", "add", "a@example.org", "alice=x@example.org") == 0


def test_without_a_directory_there_is_nothing_to_explain(house: Terminal) -> None:
    os.unlink(next(house.folder.rglob("accounts.sqlite3")))
    assert house("address", "explain", "alice@example.org") == 1
    assert "no directory" in house.err
