"""Who may send as whom: what the control command grants, the server sees at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from twisted_mail.directory.editing import send_as
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import InlineBlocking, finish

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE = "Alice@example.org"


class DirectoryFixture:
    def __init__(self, path: Path) -> None:
        self.editor = DirectoryEditor(path, CHEAP, ["example.org"])
        for name in (ALICE, "bob@example.org"):
            self.editor.accounts.add(name, "secret")
        self.grants = self.editor.grants
        self.directory = SqliteDirectory(
            path, InlineBlocking(), InlineBlocking(), CHEAP, ["example.org"]
        )

    def may(self, address: str, account: str = ALICE) -> bool:
        return finish(self.directory.may_send_as(account, parse(address)))


@pytest.fixture
def fixture(tmp_path: Path) -> Iterator[DirectoryFixture]:
    made = DirectoryFixture(tmp_path / "accounts.sqlite3")
    yield made
    made.directory.close()
    made.editor.close()


def test_nobody_may_send_as_others_until_it_is_granted(fixture: DirectoryFixture) -> None:
    assert not fixture.may("office@example.org")
    assert fixture.grants.allow(ALICE, ["Office@example.org", "me@Private.example"]) == (
        "me@private.example",
        "Office@example.org",
    )
    assert fixture.may("OFFICE@example.org")
    assert fixture.may("me@private.example")
    assert not fixture.may("office@example.org", "bob@example.org")
    assert not fixture.may("other@private.example")


def test_all_of_a_domain_may_be_granted(fixture: DirectoryFixture) -> None:
    assert fixture.grants.allow(ALICE, ["@private.example"]) == ("@private.example",)
    assert fixture.may("anybody@private.example")
    assert not fixture.may("anybody@other.example")


def test_another_name_of_a_domain_is_meant_too(fixture: DirectoryFixture) -> None:
    fixture.editor.domains.add_name("example.net", "example.org")
    fixture.grants.allow(ALICE, ["office@example.org"])
    assert fixture.may("office@example.net")


def test_a_grant_is_taken_back(fixture: DirectoryFixture) -> None:
    fixture.grants.allow(ALICE, ["a@example.org", "b@example.org", "a@example.org"])
    assert fixture.grants.revoke(ALICE, ["A@example.org"]) == ("b@example.org",)
    assert not fixture.may("a@example.org")
    assert fixture.may("b@example.org")
    with pytest.raises(Refused, match="anyway"):
        fixture.grants.revoke(ALICE, ["b@example.org", "c@example.org"])
    assert fixture.grants.of(ALICE) == ("b@example.org",)


def test_what_is_no_address_is_refused(fixture: DirectoryFixture) -> None:
    for text in ("office", "@", "a b@example.org"):
        with pytest.raises(Refused):
            fixture.grants.allow(ALICE, [text])
    with pytest.raises(Refused, match="no account"):
        fixture.grants.allow("nobody@example.org", ["a@example.org"])


def test_grants_go_with_the_account(fixture: DirectoryFixture) -> None:
    fixture.grants.allow("bob@example.org", ["office@example.org"])
    fixture.editor.accounts.remove("bob@example.org")
    fixture.editor.accounts.add("bob@example.org", "other")
    assert fixture.grants.of("bob@example.org") == ()
    assert not fixture.may("office@example.org", "bob@example.org")


def test_grants_are_not_endless(fixture: DirectoryFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_as, "MAX_GRANTS", 2)
    with pytest.raises(Refused, match="at most"):
        fixture.grants.allow(ALICE, [f"a{number}@example.org" for number in range(3)])
    assert fixture.grants.of(ALICE) == ()
