import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.directory_entry import (
    MAX_SUBADDRESS_SPLITS,
    NO_ENTRY,
    DirectoryEntry,
    catch_all_address,
    postmasters,
    subaddress_splits,
)


def test_nobody_is_nobody() -> None:
    assert not NO_ENTRY.is_deliverable
    assert DirectoryEntry("alice@example.org").is_deliverable
    assert DirectoryEntry(programs=("ticket",)).is_deliverable


def test_the_catch_all_has_no_local_part() -> None:
    assert str(catch_all_address("example.org")) == '""@example.org'


def test_the_longest_user_comes_first() -> None:
    assert subaddress_splits("a+b-c", "+-") == [("a+b", "c"), ("a", "b-c")]
    assert subaddress_splits("+a", "+") == []
    assert subaddress_splits("a+b", "") == []


@given(st.text("ab+-"), st.sampled_from(["", "+", "-", "+-"]))
def test_cuts_are_few_and_lose_nothing(local: str, separators: str) -> None:
    found = subaddress_splits(local, separators)
    assert len(found) <= MAX_SUBADDRESS_SPLITS
    assert all(user and user + local[len(user)] + detail == local for user, detail in found)
    assert all(local[len(user)] in separators for user, _ in found)


@pytest.mark.parametrize(
    ("setting", "hostname", "domains", "asked"),
    [
        ("", "", [], []),
        ("", "mail", [], ["postmaster@mail"]),
        ("", "example.org", [], ["postmaster@example.org"]),
        (
            "",
            "MX.Mail.example.org",
            [],
            [
                "postmaster@mx.mail.example.org",
                "postmaster@mail.example.org",
                "postmaster@example.org",
            ],
        ),
        (
            "admin@b.example",
            "example.org",
            ["example.org", "b.example"],
            ["admin@b.example", "postmaster@example.org", "postmaster@b.example"],
        ),
    ],
)
def test_postmasters_of_the_host_and_of_the_domains_above_are_asked(
    setting: str, hostname: str, domains: list[str], asked: list[str]
) -> None:
    assert [str(one) for one in postmasters(setting, hostname, domains)] == asked
