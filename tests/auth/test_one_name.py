"""One account, whatever it is called: mail, logins and senders meet in the same place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.directory.refusals import CHEAP
from twisted_mail.auth.avatars import Avatar
from twisted_mail.auth.checkers import checker
from twisted_mail.auth.realm import Realm, logins
from twisted_mail.auth.throttle import LocalThrottle
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.interfaces import Peer
from twisted_mail.mail.address import parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.route import LocalRoute
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

SPELLINGS = [
    "\u00e4nne@example.org",
    "A\u0308NNE@Example.ORG",
    '"\u00c4nne"@example.org',
    "\u00c4nne@example.com",
]


@pytest.fixture(params=["\u00e4nne@example.org", "\u00c4nne@example.org"], ids=["new", "old"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteDirectory]:
    """A directory with an account as it is made now, or as an earlier release made it."""
    path = tmp_path / "accounts"
    with DirectoryEditor(path, CHEAP, ["example.org"]) as editor:
        editor.domains.add_name("example.com", "example.org")
        editor.accounts.add("\u00c4NNE@example.org", "secret")
        editor._tables.connection.execute("UPDATE account SET address = ?", (request.param,))
    found = SqliteDirectory(path, InlineBlocking(), InlineBlocking(), CHEAP, ["example.org"])
    yield found
    found.close()


def logged_in(directory: SqliteDirectory, checks: str, name: str) -> Avatar:
    realm = Realm(None, directory, "example.org")  # type: ignore[arg-type]
    clock = StillClock()
    checkers = checker([checks], directory, "example.org")
    made = logins(realm, checkers, clock, ListJournal(), LocalThrottle(clock))
    found = finish(made.submitter(Credentials(name, "secret"), Peer("192.0.2.1", 1)))
    assert isinstance(found, Avatar)
    return found


@pytest.mark.parametrize("name", SPELLINGS)
def test_mail_and_logins_meet(directory: SqliteDirectory, tmp_path: Path, name: str) -> None:
    route = finish(LocalRouter(directory).route(parse(name)))
    assert isinstance(route, LocalRoute)
    passwords = tmp_path / "passwords"
    passwords.write_text(f"{name}:secret\n")
    assumed = finish(Realm(None, directory, "example.org").assume(name))  # type: ignore[arg-type]
    names = {
        logged_in(directory, "directory", name).name,
        logged_in(directory, f"file:{passwords}", name).name,
        assumed.name,
    }
    assert names == {*route.accounts}


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_account_sends_as_itself(directory: SqliteDirectory, name: str) -> None:
    avatar = logged_in(directory, "directory", SPELLINGS[0])
    assert finish(avatar.may_send_as(parse(name)))
    assert finish(avatar.may_send_as(parse(name.replace("@", "+x@") if '"' not in name else name)))
    assert not finish(avatar.may_send_as(parse("anne@example.org")))
