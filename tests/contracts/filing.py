"""Messages delivered into mailboxes that a detail means."""

from collections.abc import Callable

import pytest

from tests.contracts.ground import ALICE, BOB, HELLO, Ground, NotedBlob, draft, listen, mail
from twisted_mail.interfaces import Account, Store
from twisted_mail.mail.mailbox.change import EntriesAdded
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused

CAROL = "carol@example.net"
MEANT = {  # what a detail means where these are mailboxes
    "lists": "lists",
    "LISTS": "lists",
    "Work": "Work",
    "work": "work",
    "WORK": "Work",  # the first by name
    "lists/python": "lists/python",
    "Lists/Python": "lists/python",
    "a.b": "a.b",
    "ÄRGER": "Ärger",
    "A\u0308rger": "Ärger",
    "INBOX/lists": "INBOX/lists",
    "inbox/Lists": "INBOX/lists",
}
NOTHING_MEANT = [
    *("nothing", "a/b", "lists/", "/lists", "lists//python", "only/a", "only", " lists"),
    *("INBOX", "inbox", "..", "../../etc", ".", "a\ud800b", "x" * 300, "/" * 30, "\0", "%", "*"),
    *("Sent", "sent", "Drafts", "TRASH", "Junk", "Archive", "Trash/old", "Spam", "Sent Items"),
    *("INBOX/Trash", "My own junk", "My own junk/old", "cur", "new", "tmp", ".lists"),
]


class FilingContract(Ground):
    """What a detail means, and what is delivered there."""

    def texts(self, account: Account, name: str) -> list[bytes | None]:
        mailbox = self.run(account.open(name))
        found = [self.whole(mailbox, uid) for uid in mailbox.columns.uids]
        mailbox.close()
        return found

    @pytest.fixture
    def filing(self, store: Store, account: Account) -> Account:
        """An account with mailboxes."""
        for name in ("lists/python", "Work", "work", "a.b", "Ärger", "INBOX/lists", "only/a/b"):
            self.run(account.create(name))
        for name in ("Spam", "Sent Items", "Trash/old", "INBOX/Trash"):
            self.run(account.create(name))
        self.run(account.delete("Junk"))
        self.run(account.create("My own junk", "\\Junk"))
        self.run(account.create("My own junk/old"))
        for name in ("only", "only/a"):
            self.run(account.delete(name))
        return account

    def test_a_detail_means_a_mailbox_that_is_there(self, store: Store, filing: Account) -> None:
        asked = {detail: self.run(store.detail_mailboxes({ALICE: detail})) for detail in MEANT}
        assert asked == {detail: {ALICE: name} for detail, name in MEANT.items()}

    def test_other_details_mean_none(self, store: Store, filing: Account) -> None:
        asked = [(one, self.run(store.detail_mailboxes({ALICE: one}))) for one in NOTHING_MEANT]
        assert [one for one, found in asked if found] == []

    def test_each_account_has_its_own_mailboxes(self, store: Store, filing: Account) -> None:
        asked = {ALICE: "lists", BOB: "lists", CAROL: "Sent"}
        assert self.run(store.detail_mailboxes(asked)) == {ALICE: "lists"}

    def test_one_message_goes_to_a_mailbox_and_to_inboxes(
        self, store: Store, filing: Account
    ) -> None:
        NotedBlob.closed.clear()
        message = Message(NotedBlob(HELLO), b"Return-Path: <>\r\n")
        answers = self.run(store.deliver([ALICE, BOB], message, {ALICE: "lists"}))
        assert answers == {ALICE: None, BOB: None}
        assert NotedBlob.closed == []
        assert self.texts(filing, "lists") == [b"Return-Path: <>\r\n" + HELLO]
        assert self.texts(filing, "INBOX") == []
        other = self.run(store.account(BOB))
        assert self.texts(other, "INBOX") == [b"Return-Path: <>\r\n" + HELLO]

    def test_what_is_filed_is_published(self, store: Store, filing: Account) -> None:
        mailbox = self.run(filing.open("lists"))
        heard = listen(mailbox)
        self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO)), {ALICE: "lists"}))
        assert [type(change) for change in heard] == [EntriesAdded]
        assert len(mailbox.columns) == 1
        mailbox.close()

    def test_a_mailbox_that_is_gone_gets_nothing_and_is_not_made(
        self, store: Store, filing: Account
    ) -> None:
        self.run(filing.delete("lists"))
        message = Message(MemoryBlob(HELLO))
        answers = self.run(store.deliver([ALICE, BOB], message, {ALICE: "lists"}))
        assert isinstance(answers[ALICE], Refused)
        assert answers[ALICE].condition == "NONEXISTENT"
        assert answers[BOB] is None
        assert "lists" not in self.selectable(filing)
        assert self.texts(filing, "INBOX") == []

    def test_what_is_filed_counts_towards_the_quota(self, make_store: Callable[..., Store]) -> None:
        if not self.has_quota:
            pytest.skip("there are no quotas")
        store = make_store(quota=100)
        account = self.run(store.account(ALICE))
        self.run(account.create("lists"))
        self.run(account.append("lists", [draft(mail("x"))]))
        big = Message(MemoryBlob(b"Subject: y\r\n\r\n" + b"y" * 90))
        [error] = self.run(store.deliver([ALICE], big, {ALICE: "lists"})).values()
        assert error is not None
        assert error.condition == "OVERQUOTA"
        assert self.texts(account, "lists") == [mail("x")]
