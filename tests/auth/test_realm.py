from dataclasses import replace

import pytest
from twisted.cred.checkers import ANONYMOUS
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface
from zope.interface.verify import verifyObject

from tests.auth.fakes import NamedStore, directory
from twisted_mail.auth.avatars import IMailboxes, IMaildrop, ISubmitter
from twisted_mail.auth.checkers import FirstOf, checker
from twisted_mail.auth.realm import Realm, account_name, logins
from twisted_mail.auth.throttle import TOO_MANY, LocalThrottle
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.interfaces import Peer
from twisted_mail.mail.address import parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

PEER = Peer("192.0.2.1", 4711)
RIGHT = Credentials("alice@example.org", "secret")
case = SynchronousTestCase()


class LoginFixture:
    def __init__(self, *strings, checks=None, accounts=None):
        self.store, self.clock, self.journal = NamedStore(), StillClock(), ListJournal()
        self.realm = Realm(self.store, accounts or directory(), "example.org")
        checks = checks or checker(strings or ("directory",), directory(), "example.org")
        throttle = LocalThrottle(self.clock)
        self.logins = logins(self.realm, checks, self.clock, self.journal, throttle)

    def refusal(self, credentials):
        with pytest.raises(MailError) as caught:
            finish(self.logins.maildrop(credentials, PEER))
        return caught.value


def test_each_protocol_gets_its_face():
    fixture = LoginFixture()
    assert finish(fixture.logins.mailboxes(RIGHT, PEER)).name == "alice@example.org"
    assert finish(finish(fixture.logins.maildrop(RIGHT, PEER)).lock()).name == "INBOX"
    assert finish(fixture.logins.submitter(RIGHT, PEER)).name == "alice@example.org"
    assert fixture.clock.slept == []


def test_the_realm_keeps_its_interface_and_gives_each_face():
    realm = LoginFixture().realm
    assert verifyObject(IRealm, realm)
    for face in (IMailboxes, IMaildrop, ISubmitter):
        given, avatar, logout = case.successResultOf(realm.requestAvatar(b"alice", None, face))
        assert given is face
        assert face.providedBy(avatar)
        assert logout() is None
    with pytest.raises(NotImplementedError):
        realm.requestAvatar(b"alice", None, Interface)


def test_wrong_password_and_unknown_name_are_answered_alike():
    wrong = LoginFixture().refusal(Credentials("alice@example.org", "wrong"))
    unknown = LoginFixture().refusal(Credentials("nobody@example.org", "wrong"))
    for refusal in (wrong, unknown):
        assert isinstance(refusal, Refused)
        assert refusal.condition == "AUTHENTICATIONFAILED"
        assert refusal.outcome.code == 535
        assert refusal.outcome.enhanced == "5.7.8"
        assert refusal.outcome.text == "Authentication credentials invalid"


def test_wrong_password_and_unknown_name_take_the_same_time():
    for name in ("alice@example.org", "nobody@example.org"):
        fixture = LoginFixture()
        for _ in range(3):
            fixture.refusal(Credentials(name, "wrong"))
        assert fixture.clock.slept == [2.0, 4.0, 8.0]


def test_a_bare_name_and_a_full_one_count_for_the_same_account():
    fixture = LoginFixture()
    fixture.refusal(Credentials("alice", "wrong"))
    finish(fixture.logins.maildrop(RIGHT, PEER))
    assert list(fixture.logins.maildrop.throttle._failures) == ["192.0.2.0/24"]


def test_acting_as_oneself_is_allowed():
    fixture = LoginFixture()
    for name, wanted in [
        ("alice", "alice"),
        ("alice", "alice@example.org"),
        ("alice@example.org", "alice"),
        ("alice@example.org", "Alice@Example.Org"),
    ]:
        finish(fixture.logins.submitter(Credentials(name, "secret", wanted), PEER))


def test_acting_as_another_is_refused():
    refusal = LoginFixture().refusal(Credentials("alice", "secret", "bob@example.org"))
    assert isinstance(refusal, Refused)
    assert refusal.condition == "AUTHORIZATIONFAILED"
    assert refusal.outcome.code == 535


def test_a_login_needs_no_store():
    fixture = LoginFixture()
    fixture.store.is_broken = True
    for login in (fixture.logins.submitter, fixture.logins.mailboxes, fixture.logins.maildrop):
        assert finish(login(RIGHT, PEER)).name == "alice@example.org"


def test_a_store_that_is_away_is_no_wrong_password():
    fixture = LoginFixture()
    fixture.store.is_broken = True
    with pytest.raises(Unavailable):
        finish(finish(fixture.logins.maildrop(RIGHT, PEER)).lock())
    with pytest.raises(Unavailable):
        finish(finish(fixture.logins.mailboxes(RIGHT, PEER)).open())
    assert fixture.clock.slept == []


def test_a_checker_that_breaks_is_a_bug_and_no_wrong_password():
    class BrokenChecker:
        credentialInterfaces = FirstOf(()).credentialInterfaces

        def requestAvatarId(self, credentials):
            raise ZeroDivisionError

    fixture = LoginFixture(checks=FirstOf((BrokenChecker(),)))
    refusal = fixture.refusal(RIGHT)
    assert isinstance(refusal, Unavailable)
    assert (refusal.outcome.code, refusal.outcome.enhanced) == (454, "4.7.0")
    assert fixture.journal.events == [("failed", ("login",))]


def test_other_checkers_name_accounts_too():
    fixture = LoginFixture("memory:alice:f")
    maildrop = finish(fixture.logins.submitter(Credentials("alice", "f"), PEER))
    assert maildrop.name == "alice@example.org"


def test_the_lock_is_shared_by_all_logins_and_given_back():
    fixture = LoginFixture()
    first = finish(fixture.logins.maildrop(RIGHT, PEER))
    second = finish(fixture.logins.maildrop(RIGHT, PEER))
    finish(first.lock())
    with pytest.raises(Refused):
        finish(second.lock())
    first.logout()
    finish(second.lock())


@pytest.mark.parametrize(
    ("avatar_id", "expected"),
    [
        (b"alice", "alice@example.org"),
        ("Alice@Example.COM", "alice@example.com"),
        ("ålice".encode(), "ålice@example.org"),
        ("A\u030alice", "ålice@example.org"),
    ],
)
def test_avatar_ids_become_account_names(avatar_id, expected):
    assert account_name(avatar_id, "example.org") == expected


class CapitalDirectory(FixedDirectory):
    """A directory in which alice's account was made with a capital letter."""

    async def find(self, address):
        found = await super().find(address)
        return found and replace(found, account=found.account and found.account.capitalize())

    async def verify(self, credentials, attempt):
        name = await super().verify(credentials, attempt)
        return name and name.capitalize()


@pytest.mark.parametrize("string", ["directory", "memory:alice:secret"])
def test_the_account_is_the_one_that_mail_goes_to_however_it_is_spelled(string):
    capital = CapitalDirectory({"alice@example.org": "secret"})
    fixture = LoginFixture(checks=checker([string], capital, "example.org"), accounts=capital)
    found = finish(fixture.logins.submitter(Credentials("alice", "secret", "alice"), PEER))
    assert found.name == finish(capital.account(parse("alice@example.org")))
    assert finish(found.may_send_as(parse("alice@example.org")))


def test_a_right_password_without_an_account_is_refused_and_the_log_has_the_cause():
    fixture = LoginFixture("memory:carol:secret")
    refusal = fixture.refusal(Credentials("carol", "secret"))
    assert (refusal.outcome.code, refusal.condition) == (535, "AUTHENTICATIONFAILED")
    ((kind, (where, text)),) = fixture.journal.events
    assert (kind, where) == ("warned", "login:")
    assert "twisted-mail account add carol@example.org --no-password" in text


class DisabledDirectory(FixedDirectory):
    """A directory in which the logins of all accounts are disabled."""

    async def find(self, address):
        found = await super().find(address)
        return found and replace(found, is_enabled=False)


def test_logins_that_are_disabled_are_so_for_every_checker():
    disabled = DisabledDirectory({"alice@example.org": "secret"})
    fixture = LoginFixture("memory:alice:f", accounts=disabled)
    assert fixture.refusal(Credentials("alice", "f")).outcome.code == 535
    assert fixture.journal.events == []


@pytest.mark.parametrize("name", ["ALICE", "Alice@example.org", "alice@example.com"])
def test_another_checker_logs_in_to_the_account_that_mail_goes_to(name):
    accounts = FixedDirectory(
        {"alice@example.org": "secret"}, domain_aliases={"example.com": "example.org"}
    )
    fixture = LoginFixture(f"memory:{name}:f", accounts=accounts)
    found = finish(fixture.logins.submitter(Credentials(name, "f"), PEER))
    assert found.name == "alice@example.org"
    assert finish(found.may_send_as(parse(name if "@" in name else f"{name}@example.org")))


def test_all_spellings_of_a_name_slow_down_the_same_account():
    fixture = LoginFixture()
    for name in ("\u00e4nne", "A\u0308NNE", '"\u00c4nne"@Example.ORG'):
        fixture.refusal(Credentials(name, "wrong"))
    assert fixture.clock.slept == [2.0, 4.0, 8.0]
    assert len(fixture.logins.maildrop.throttle._failures) == 2


@pytest.mark.parametrize("avatar_id", [ANONYMOUS, b"", b"\xff", "a b", "a@b@c", None, "x" * 257])
def test_what_names_no_account_is_refused(avatar_id):
    with pytest.raises(UnauthorizedLogin):
        account_name(avatar_id, "example.org")


class FullThrottle(LocalThrottle):
    def admit(self, where):
        raise Unavailable(TOO_MANY)


class RememberingDirectory(FixedDirectory):
    """A directory that remembers alice."""

    async def verify(self, credentials, attempt):
        if credentials.name != "alice@example.org":
            attempt.admit()
        return await super().verify(credentials, replace(attempt, admit=lambda: None))


@pytest.mark.parametrize("string", ["directory", "memory:bob:f"])
def test_where_refusals_wait_a_remembered_login_passes_and_no_password_is_checked(string):
    known = RememberingDirectory({"alice@example.org": "secret", "bob@example.org": "f"})
    strings = dict.fromkeys([string, "directory"])
    fixture = LoginFixture(checks=checker(strings, known, "example.org"), accounts=known)
    door = replace(fixture.logins.submitter, throttle=FullThrottle(fixture.clock))
    assert finish(door(RIGHT, PEER)).name == "alice@example.org"
    with pytest.raises(Unavailable) as caught:
        finish(door(Credentials("bob", "f"), PEER))
    assert caught.value.outcome == TOO_MANY


def test_what_checks_passwords_knows_who_tries_one():
    seen = []

    class SeeingDirectory(FixedDirectory):
        async def verify(self, credentials, attempt):
            seen.append((attempt.network, attempt.has_hung_up()))
            return await super().verify(credentials, attempt)

    seeing = SeeingDirectory({"alice@example.org": "secret"})
    fixture = LoginFixture(checks=checker(["directory"], seeing, "example.org"), accounts=seeing)
    finish(fixture.logins.submitter(RIGHT, PEER))
    finish(fixture.logins.submitter(RIGHT, PEER, lambda: True))
    assert seen == [("192.0.2.0/24", False), ("192.0.2.0/24", True)]


def test_all_names_of_a_domain_slow_down_the_same_account():
    accounts = FixedDirectory(
        {"alice@example.org": "secret"}, domain_aliases={"example.com": "example.org"}
    )
    fixture = LoginFixture(accounts=accounts)
    for name in ("alice@example.com", "alice", "Alice@EXAMPLE.COM"):
        fixture.refusal(Credentials(name, "wrong"))
    assert fixture.clock.slept == [2.0, 4.0, 8.0]
