from itertools import count

import pytest
from zope.interface.verify import verifyObject

from tests.auth.fakes import NamedAccount, NamedStore, directory
from twisted_mail.auth.avatars import Avatar, IMailboxes, IMaildrop, ISubmitter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.testing.doubles import finish


def avatar(account=None, error=None, **aliases):
    account = account or NamedAccount("alice@example.org", error)
    return Avatar(account.name, NamedStore({account.name: account}), directory(**aliases))


def may_send(address, **aliases):
    return finish(avatar(**aliases).may_send_as(parse(address)))


@pytest.mark.parametrize("interface", [IMailboxes, IMaildrop, ISubmitter])
def test_an_avatar_has_all_three_faces(interface):
    assert verifyObject(interface, avatar())


def test_mail_is_opened_once_and_not_before_it_is_wanted():
    store = NamedStore()
    found = Avatar("alice@example.org", store, directory())
    assert not store.accounts
    first = finish(found.open())
    store.accounts.clear()
    assert finish(found.open()) is first
    assert not store.accounts


def test_the_maildrop_is_the_inbox():
    assert finish(avatar().lock()).name == "INBOX"


def test_a_second_session_finds_the_maildrop_in_use():
    account = NamedAccount("alice@example.org")
    first, second = avatar(account), avatar(account)
    finish(first.lock())
    with pytest.raises(Refused) as caught:
        finish(second.lock())
    assert caught.value.condition == "IN-USE"
    second.logout()
    with pytest.raises(Refused):
        finish(second.lock())
    first.logout()
    first.logout()
    finish(second.lock())


def test_an_inbox_that_does_not_open_leaves_no_lock():
    account = NamedAccount("alice@example.org", Unavailable("disk"))
    with pytest.raises(Unavailable):
        finish(avatar(account).lock())
    assert not account.is_held


@pytest.mark.parametrize(
    "address", ["alice@example.org", "Alice@EXAMPLE.org", "alice+lists@example.org"]
)
def test_the_own_address_with_or_without_detail_may_send(address):
    assert may_send(address)


@pytest.mark.parametrize(
    "address", ["bob@example.org", "alice@example.com", "+alice@example.org", "x+alice@example.org"]
)
def test_other_addresses_may_not(address):
    assert not may_send(address)


def test_the_null_sender_impersonates_nobody():
    assert finish(avatar().may_send_as(NULL))


@pytest.mark.parametrize(
    ("separators", "may"), [("+", True), ("-", False), ("-+", True), ("", False)]
)
def test_a_detail_is_what_follows_a_separator_that_is_set(separators, may):
    one = Avatar("alice@example.org", NamedStore(), directory(), separators)
    assert finish(one.may_send_as(parse("alice+x@example.org"))) is may


def test_an_alias_that_leads_to_the_account_may_send():
    assert may_send("team@example.org", team=["bob@example.org", "alice@example.org"])
    assert may_send("team+x@example.org", team=["alice+team@example.org"])


def test_an_alias_may_lead_here_in_several_steps():
    assert may_send("a@example.org", a=["b@example.org"], b=["alice@example.org"])


def test_an_alias_that_leads_elsewhere_may_not_send():
    assert not may_send("sales@example.org", sales=["bob@example.org", "x@example.com"])


def test_aliases_that_turn_in_circles_come_to_an_end():
    assert not may_send("a@example.org", a=["b@example.org"], b=["a@example.org"])


def test_endless_aliases_come_to_an_end():
    asked = []
    numbers = count()

    class Endless:
        async def account(self, address):
            asked.append(address)

        async def targets(self, address):
            return tuple(Address(f"a{next(numbers)}", "example.org") for _ in range(100))

        async def may_send_as(self, account, address):
            return False

    endless = Avatar("alice@example.org", NamedStore(), Endless())
    assert not finish(endless.may_send_as(parse("a@example.org")))
    assert len(asked) <= 1000


def test_the_last_target_of_a_large_alias_may_send_as_it():
    members = [parse(f"member{n}@example.org") for n in range(999)]
    names = {str(member): "secret" for member in members}
    directory = FixedDirectory(names, {"all@example.org": members})
    last = Avatar(str(members[-1]), NamedStore(), directory)
    assert finish(last.may_send_as(parse("all@example.org")))


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("office@example.org", True),
        ("office+x@example.org", True),
        ("me@private.example", True),
        ("anybody@whole.example", True),
        ("bob@example.org", False),
        ("x@private.example", False),
    ],
)
def test_what_was_granted_may_be_used_as_sender(address, may):
    granted = {"alice@example.org": ["office@example.org", "me@private.example", "@whole.example"]}
    alice = Avatar("alice@example.org", NamedStore(), FixedDirectory({}, grants=granted))
    bob = Avatar("bob@example.org", NamedStore(), FixedDirectory({}, grants=granted))
    assert finish(alice.may_send_as(parse(address))) is may
    assert not finish(bob.may_send_as(parse(address)))
