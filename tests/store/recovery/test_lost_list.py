"""A list of UIDs that is lost, or replaced, while its mailbox is in use."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

Blow = Callable[[Path], object]

OLD = b"3 V%d N3 G%s\n1 :strange.one\n2 :strange.two\n"


class Served:
    """An account with three messages in INBOX, which is open."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.list = root / "example.org" / "alice" / "Maildir" / "dovecot-uidlist"
        self.account, self.inbox = self.opened()

    def opened(self) -> tuple[MaildirAccount, Mailbox]:
        disk = QuickDisk()
        store = MaildirStore(
            self.root, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=disk)
        )
        account = finish(store.account(ALICE))
        return account, finish(account.open("INBOX"))

    def put(self, account: MaildirAccount | None = None) -> int:
        [uid] = finish((account or self.account).append("INBOX", [draft(mail("one more"))])).targets
        return uid

    def deliver(self, name: str) -> None:
        (self.list.parent / "new" / name).write_bytes(mail(name))


@pytest.fixture
def served(tmp_path: Path) -> Served:
    served = Served(tmp_path)
    for _ in range(3):
        served.put()
    finish(served.inbox.expunge([2]))
    return served


def lose(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil(path: Path) -> None:
    path.write_bytes(b"\0" * 300)


def of_another(path: Path) -> None:
    path.write_bytes(OLD % (77, b"a" * 32))


def with_higher(path: Path) -> None:
    path.write_bytes(OLD % (4_000_000_000, b"b" * 32) + b"5000 :strange.three\n")


BLOWS = [lose, empty, spoil, of_another, with_higher]


@pytest.mark.parametrize("blow", BLOWS)
def test_a_list_that_is_lost_or_replaced_is_made_again(served: Served, blow: Blow) -> None:
    uidvalidity, mailbox_id = served.inbox.uidvalidity, served.inbox.id
    blow(served.list)
    fourth = served.put()
    assert fourth > 3
    assert list(served.inbox.columns.uids) == [1, 3, fourth]
    assert served.inbox.uidvalidity == uidvalidity
    fifth = served.put()
    assert fifth > fourth
    _, again = served.opened()
    assert (again.uidvalidity, again.id) == (uidvalidity, mailbox_id)
    assert list(again.columns.uids) == [1, 3, fourth, fifth]


@pytest.mark.parametrize("blow", BLOWS)
def test_mail_of_others_gets_uids_all_the_same(served: Served, blow: Blow) -> None:
    uidvalidity = served.inbox.uidvalidity
    blow(served.list)
    served.deliver("2000000001.a.b")
    finish(served.inbox.refresh())
    [one, three, fourth] = served.inbox.columns.uids
    assert (one, three) == (1, 3)
    assert fourth > 3
    assert served.inbox.uidvalidity == uidvalidity
    assert served.put() > fourth


@pytest.mark.parametrize("blow", BLOWS)
def test_the_index_may_be_lost_after_that(served: Served, blow: Blow) -> None:
    uidvalidity = served.inbox.uidvalidity
    blow(served.list)
    fourth = served.put()
    for path in served.list.parent.parent.glob("index.sqlite3*"):
        path.unlink()
    account, inbox = served.opened()
    assert list(inbox.columns.uids) == [1, 3, fourth]
    assert inbox.uidvalidity == uidvalidity
    assert served.put(account) > fourth


@pytest.mark.parametrize("blow", BLOWS)
def test_marking_and_expunging_go_on(served: Served, blow: Blow) -> None:
    blow(served.list)
    finish(served.inbox.mark([1], "add", normal(["\\Flagged", "Word"])))
    finish(served.inbox.expunge([3]))
    assert list(served.inbox.columns.uids) == [1]
    assert served.put() > 3


@pytest.mark.parametrize("blow", BLOWS)
def test_two_processes_recover_to_the_same(served: Served, blow: Blow) -> None:
    account, inbox = served.opened()
    blow(served.list)
    uids = [served.put(), served.put(account), served.put(), served.put(account)]
    assert uids == sorted({3, *uids})[1:]
    for each in (served.inbox, inbox):
        finish(each.refresh())
        assert list(each.columns.uids) == [1, 3, *uids]


def test_an_older_list_does_not_bring_back_uids(served: Served) -> None:
    older = served.list.read_bytes()
    uids = [served.put() for _ in range(3)]
    finish(served.inbox.expunge(uids[1:]))
    served.list.write_bytes(older)
    assert served.put() > uids[-1]
    assert list(served.inbox.columns.uids)[:3] == [1, 3, uids[0]]


def test_an_older_list_found_at_the_start_does_not_bring_back_uids(served: Served) -> None:
    older = served.list.read_bytes()
    uids = [served.put() for _ in range(3)]
    finish(served.inbox.expunge(uids[1:]))
    served.list.write_bytes(older)
    account, inbox = served.opened()
    assert list(inbox.columns.uids) == [1, 3, uids[0]]
    assert served.put(account) > uids[-1]


def test_a_torn_list_is_mended_though_the_index_has_seen_it(served: Served) -> None:
    with served.list.open("ab") as file:
        file.write(b"9 :2000000009.x.y")
    served.opened()
    account, _ = served.opened()
    last = served.put(account)
    for path in served.list.parent.parent.glob("index.sqlite3*"):
        path.unlink()
    _, inbox = served.opened()
    assert list(inbox.columns.uids) == [1, 3, last]
