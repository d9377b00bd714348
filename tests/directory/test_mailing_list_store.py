from pathlib import Path

import pytest

from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.mailing_list_store import MAX_REQUESTS, SqliteMailingListStore
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.mail.address import parse
from twisted_mail.mail.mailing_list_definition import (
    BounceRule,
    BounceStatus,
    ListRole,
    SubscriptionRequest,
)
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE, BOB, NEWS = "Alice@example.org", "bob@example.org", "news@example.org"
RULE = BounceRule(3, 1000, 100)
DAY = 86400.0


class MailingListFixture:
    def __init__(self, path: Path) -> None:
        self.clock = StillClock()
        self.editor = DirectoryEditor(path, CHEAP, ["example.org"], self.clock.now)
        for name in (ALICE, BOB):
            self.editor.accounts.add(name, "secret")
        self.editor.lists.add(NEWS)
        self.editor.lists.add_members(NEWS, [ALICE])
        self.mailing_lists = SqliteMailingListStore(
            path, InlineBlocking(), ["example.org"], now=self.clock.now
        )

    def ask(self, role: ListRole, address: str) -> str:
        return finish(self.mailing_lists.ask(NEWS, role, parse(address)))

    def confirm(self, word: str) -> SubscriptionRequest | None:
        return finish(self.mailing_lists.confirm(NEWS, word, DAY))

    def bounce(self, after: float) -> BounceStatus:
        self.clock.seconds += after
        return finish(self.mailing_lists.bounced(NEWS, 1, RULE))

    @property
    def members(self) -> list[str]:
        return [row.address for row in self.editor.lists.members(NEWS)]


@pytest.fixture
def fixture(tmp_path: Path) -> MailingListFixture:
    return MailingListFixture(tmp_path / "accounts")


def test_lists_and_members_are_found(fixture: MailingListFixture) -> None:
    found = finish(fixture.mailing_lists.find("News@example.org"))
    assert found is not None
    assert found.name == NEWS
    assert finish(fixture.mailing_lists.find("x@example.org")) is None
    (alice,) = finish(fixture.mailing_lists.members(NEWS, 0, 10))
    assert (alice.number, str(alice.address)) == (1, ALICE)
    assert finish(fixture.mailing_lists.members(NEWS, 1, 10)) == []
    assert finish(fixture.mailing_lists.member(NEWS, parse("ALICE@example.org"))) == alice
    assert finish(fixture.mailing_lists.member(NEWS, 1)) == alice
    assert finish(fixture.mailing_lists.member(NEWS, 2)) is None


def test_the_secret_stays(fixture: MailingListFixture, tmp_path: Path) -> None:
    secret = finish(fixture.mailing_lists.secret())
    assert len(secret) == 32
    again = SqliteMailingListStore(tmp_path / "accounts", InlineBlocking())
    assert finish(again.secret()) == secret


def test_who_asks_and_confirms_is_a_member(fixture: MailingListFixture) -> None:
    word = fixture.ask(ListRole.SUBSCRIBE, BOB)
    assert fixture.members == [ALICE]
    assert fixture.confirm(word.upper()) == SubscriptionRequest(ListRole.SUBSCRIBE, parse(BOB))
    assert fixture.members == [ALICE, BOB]
    assert fixture.confirm(word) is None


def test_who_asks_and_confirms_is_a_member_no_more(fixture: MailingListFixture) -> None:
    assert fixture.confirm(fixture.ask(ListRole.UNSUBSCRIBE, ALICE)) is not None
    assert fixture.members == []


def test_nobody_is_asked_twice_in_a_short_time(fixture: MailingListFixture) -> None:
    assert fixture.ask(ListRole.SUBSCRIBE, BOB)
    assert not fixture.ask(ListRole.SUBSCRIBE, BOB)
    assert fixture.ask(ListRole.UNSUBSCRIBE, ALICE)
    fixture.clock.seconds += 3601
    assert fixture.ask(ListRole.SUBSCRIBE, BOB)


def test_a_late_answer_is_none(fixture: MailingListFixture) -> None:
    word = fixture.ask(ListRole.SUBSCRIBE, BOB)
    fixture.clock.seconds += DAY + 1
    assert fixture.confirm(word) is None
    assert fixture.members == [ALICE]


@pytest.mark.parametrize(
    ("role", "address"),
    [
        (ListRole.SUBSCRIBE, "nobody@example.org"),
        (ListRole.SUBSCRIBE, NEWS),
        (ListRole.UNSUBSCRIBE, BOB),
    ],
)
def test_some_cannot_ask(fixture: MailingListFixture, role: ListRole, address: str) -> None:
    with pytest.raises(Refused):
        fixture.ask(role, address)


def test_who_lives_elsewhere_can_ask_too(fixture: MailingListFixture) -> None:
    word = fixture.ask(ListRole.SUBSCRIBE, "x@elsewhere.example")
    fixture.confirm(word)
    assert "x@elsewhere.example" in fixture.members


def test_only_so_many_requests_are_kept(fixture: MailingListFixture) -> None:
    word = fixture.ask(ListRole.SUBSCRIBE, BOB)
    fixture.clock.seconds += 1
    fixture.editor._tables.connection.executemany(
        "INSERT INTO list_request VALUES (?, ?, 'subscribe', ?, 'x@example.org', ?)",
        [(f"t{at}", NEWS, f"k{at}", fixture.clock.seconds) for at in range(MAX_REQUESTS)],
    )
    fixture.ask(ListRole.UNSUBSCRIBE, ALICE)
    assert fixture.confirm(word) is None


def test_members_leave_at_once_where_they_are_known(fixture: MailingListFixture) -> None:
    assert finish(fixture.mailing_lists.leave(NEWS, parse(ALICE)))
    assert not finish(fixture.mailing_lists.leave(NEWS, parse(ALICE)))


def test_after_so_many_bounces_a_member_is_suspended(fixture: MailingListFixture) -> None:
    assert fixture.bounce(0) == BounceStatus(1)
    assert fixture.bounce(100) == BounceStatus(2)
    assert fixture.bounce(100) == BounceStatus(3, True, True)
    assert fixture.bounce(100) == BounceStatus(3, True)
    assert finish(fixture.mailing_lists.members(NEWS, 0, 10)) == []
    assert fixture.editor.lists.all()[0].suspended == 1


def test_bounces_close_together_count_once(fixture: MailingListFixture) -> None:
    assert fixture.bounce(0) == fixture.bounce(50) == fixture.bounce(49) == BounceStatus(1)
    assert fixture.bounce(1) == BounceStatus(2)


def test_old_bounces_are_forgotten(fixture: MailingListFixture) -> None:
    assert fixture.bounce(0) == BounceStatus(1)
    assert fixture.bounce(900) == BounceStatus(2)
    assert fixture.bounce(101) == BounceStatus(1)


def test_a_bounce_of_nobody_counts_nothing(fixture: MailingListFixture) -> None:
    assert finish(fixture.mailing_lists.bounced(NEWS, 99, RULE)) == BounceStatus()


def test_a_member_is_found_by_another_name_of_the_domain(tmp_path: Path) -> None:
    fixture = MailingListFixture(tmp_path / "accounts")
    fixture.editor.domains.add_name("example.com", "example.org")
    found = finish(fixture.mailing_lists.member(NEWS, parse("aLICE@example.com")))
    assert found is not None
    assert found.address == parse("Alice@example.org")
    assert fixture.ask(ListRole.UNSUBSCRIBE, "alice@example.com")


def test_requests_with_many_details_of_one_user_displace_those_alone(
    fixture: MailingListFixture,
) -> None:
    first = fixture.ask(ListRole.SUBSCRIBE, BOB)
    fixture.clock.seconds += 1
    fixture.editor._tables.connection.executemany(
        "INSERT INTO list_request VALUES (?, ?, 'subscribe', ?, 'x@example.org', ?)",
        [
            (f"t{at}", NEWS, f"alice+{at}@example.org", fixture.clock.seconds)
            for at in range(MAX_REQUESTS + 20)
        ],
    )
    fixture.ask(ListRole.UNSUBSCRIBE, ALICE)
    rows = fixture.editor._tables.connection.execute("SELECT count(*) FROM list_request")
    assert list(rows) == [(MAX_REQUESTS,)]
    assert fixture.confirm(first) is not None
