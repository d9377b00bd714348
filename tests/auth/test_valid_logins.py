from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auth.fakes import NamedStore
from tests.directory.refusals import CHEAP
from twisted_mail.auth.avatars import Avatar
from twisted_mail.auth.realm import Realm
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import DirectoryEntry
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import InlineBlocking, finish

ALICE = "alice@example.org"


class Logins:
    """A directory, the editor that edits it from outside, and Alice's login."""

    def __init__(self, path: Path) -> None:
        self.now = 1000.0
        self.editor = DirectoryEditor(path, CHEAP, ["example.org"], now=lambda: self.now)
        self.editor.accounts.add(ALICE, "secret")
        self.directory = SqliteDirectory(
            path, InlineBlocking(), InlineBlocking(), CHEAP, ["example.org"]
        )
        self.realm = Realm(NamedStore(), self.directory, "example.org")  # type: ignore[arg-type]
        self.avatar = finish(self.realm.assume("alice"))

    def is_valid(self) -> bool:
        """Return whether Alice's login holds."""
        return finish(self.avatar.is_valid())

    def close(self) -> None:
        self.directory.close()
        self.editor.close()


@pytest.fixture
def logins(tmp_path: Path) -> Iterator[Logins]:
    made = Logins(tmp_path / "accounts")
    yield made
    made.close()


def test_a_login_holds_while_others_change(logins: Logins) -> None:
    assert logins.is_valid()
    logins.editor.accounts.add("bob@example.org", "secret")
    logins.editor.accounts.set_password(ALICE, "another")
    assert logins.is_valid()


@pytest.mark.parametrize("has_been_asked", [True, False])
def test_a_login_ends_with_its_account(logins: Logins, has_been_asked: bool) -> None:
    assert not has_been_asked or logins.is_valid()
    logins.editor.accounts.remove(ALICE)
    assert not logins.is_valid()


def test_a_login_that_has_ended_is_not_taken_for_valid_when_asked_again(logins: Logins) -> None:
    logins.editor.accounts.remove(ALICE)
    assert not logins.is_valid()
    assert not logins.is_valid()


def test_a_login_ends_when_logins_are_disabled(logins: Logins) -> None:
    logins.editor.accounts.enable(ALICE, False)
    assert not logins.is_valid()
    logins.editor.accounts.enable(ALICE, True)
    assert logins.is_valid()


def test_the_next_account_of_a_name_is_another_one(logins: Logins) -> None:
    assert logins.is_valid()
    logins.editor.accounts.remove(ALICE)
    logins.now += 1
    logins.editor.accounts.add(ALICE, "secret")
    assert not logins.is_valid()
    assert finish(finish(logins.realm.assume(ALICE)).is_valid())


def test_a_trusted_proxy_cannot_log_in_where_logins_are_disabled(logins: Logins) -> None:
    logins.editor.accounts.enable(ALICE, False)
    with pytest.raises(Refused) as caught:
        finish(logins.realm.assume(ALICE))
    assert caught.value.outcome.code == 550


class CountedDirectory:
    """Counts look-ups, and can fail."""

    def __init__(self) -> None:
        self.finds = 0
        self.looks = 0
        self.is_broken = False

    def version(self) -> object:
        if self.is_broken:
            raise Unavailable("The directory cannot be read now")
        self.looks += 1
        return 7

    async def find(self, address: Address) -> DirectoryEntry:
        self.finds += 1
        return DirectoryEntry(address.key)


def avatar_of(directory: CountedDirectory) -> Avatar:
    return Avatar(ALICE, NamedStore(), directory)  # type: ignore[arg-type]


def test_an_unchanged_directory_is_read_once() -> None:
    directory = CountedDirectory()
    avatar = avatar_of(directory)
    for _ in range(5):
        assert finish(avatar.is_valid())
    assert directory.looks == 5
    assert directory.finds == 1


def test_a_login_holds_while_the_directory_cannot_be_read() -> None:
    directory = CountedDirectory()
    avatar = avatar_of(directory)
    directory.is_broken = True
    assert finish(avatar.is_valid())
    assert directory.finds == 0
