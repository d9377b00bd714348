"""Mailboxes deleted, and what stays of them."""

import pytest

from tests.contracts.ground import Ground, draft, listen, mail, refused
from tests.contracts.names import FIRST
from twisted_mail.interfaces import Account
from twisted_mail.mail.mailbox.change import MailboxDeleted


class DeleteContract(Ground):
    """What is deleted."""

    def test_a_deleted_mailbox_is_gone_and_rung(self, account: Account):
        self.run(account.create("work"))
        heard = listen(account)
        self.run(account.delete("work"))
        assert heard == [MailboxDeleted("work")]
        assert "work" not in self.names(account)

    def test_its_messages_are_gone_too(self, account: Account):
        self.run(account.create("work"))
        self.put(account, "work", draft(mail("one")))
        self.run(account.delete("work"))
        self.run(account.create("work"))
        assert self.run(account.status("work")).messages == 0

    def test_a_mailbox_made_again_has_a_greater_uidvalidity(self, account: Account):
        self.run(account.create("work"))
        before = self.run(account.status("work")).uidvalidity
        self.run(account.delete("work"))
        self.run(account.create("work"))
        assert self.run(account.status("work")).uidvalidity > before

    def test_a_mailbox_made_again_is_opened_though_a_session_has_the_old_one(
        self, account: Account
    ):
        for _ in range(2):
            self.run(account.create("work"))
            old = self.run(account.open("work"))
            self.put(account, "work", draft(mail("one")))
            self.run(old.refresh())
            self.run(account.delete("work"))
        self.run(account.create("work"))
        assert len(self.run(account.open("work")).columns) == 0

    def test_inbox_cannot_be_deleted(self, account: Account):
        for name in ("INBOX", "inbox"):
            with refused("CANNOT"):
                self.run(account.delete(name))

    @pytest.mark.parametrize("name", ["nothing", "", "sent", "Sent/", "Sent/x", "..", "a\0"])
    def test_what_is_not_there_cannot_be_deleted(self, account: Account, name: str):
        with refused("NONEXISTENT"):
            self.run(account.delete(name))
        assert self.names(account) == FIRST

    def test_children_stay_and_the_name_with_them(self, account: Account):
        self.run(account.create("a/b"))
        self.put(account, "a/b", draft(mail("one")))
        heard = listen(account)
        self.run(account.delete("a"))
        assert heard == [MailboxDeleted("a")]
        assert self.info(account, "a") == ("", False, False)
        assert self.subjects(account, "a/b") == ["one"]

    def test_a_name_that_only_has_children_is_no_mailbox(self, account: Account):
        self.run(account.create("a/b"))
        self.run(account.delete("a"))
        with refused("NONEXISTENT"):
            self.run(account.open("a"))
        with refused("NONEXISTENT"):
            self.run(account.status("a"))
        with refused("CANNOT"):
            self.run(account.delete("a"))
        with refused("TRYCREATE"):
            self.put(account, "a", draft(mail("one")))

    def test_a_name_that_only_has_children_goes_with_the_last(self, account: Account):
        self.run(account.create("a/b/c"))
        self.run(account.delete("a/b"))
        self.run(account.delete("a"))
        assert {"a", "a/b"} <= {*self.names(account)}
        self.run(account.delete("a/b/c"))
        assert self.names(account) == FIRST

    def test_a_name_that_only_has_children_can_be_made_a_mailbox(self, account: Account):
        self.run(account.create("a/b"))
        self.run(account.delete("a"))
        self.run(account.create("a"))
        assert self.info(account, "a") == ("", False, True)

    def test_children_of_inbox_can_be_deleted(self, account: Account):
        self.run(account.create("INBOX/a"))
        self.run(account.delete("inbox/a"))
        assert self.names(account) == FIRST

    def test_a_special_mailbox_can_be_deleted_and_stays_away(self, account: Account):
        self.run(account.delete("Junk"))
        assert self.info(account, "Junk") == ("", True, False)

    def test_an_open_mailbox_that_was_deleted_is_refused(self, account: Account):
        self.run(account.create("work"))
        [uid] = self.put(account, "work", draft(mail("one")))
        mailbox = self.run(account.open("work"))
        self.run(account.delete("work"))
        self.run(account.create("work"))
        for attempt in (
            lambda: mailbox.mark([uid], "add", frozenset({"\\Seen"})),
            lambda: mailbox.expunge([uid]),
            lambda: mailbox.copy([uid], "INBOX"),
            lambda: mailbox.move([uid], "INBOX"),
            lambda: mailbox.items([uid]),
            lambda: mailbox.read([]),
            lambda: mailbox.refresh(),
        ):
            with refused("NONEXISTENT"):
                self.run(attempt())
        mailbox.close()
        assert self.run(account.status("INBOX")).messages == 0

    def test_who_watches_a_mailbox_hears_that_it_is_removed_and_no_more(self, account: Account):
        self.run(account.create("work"))
        heard = listen(self.run(account.open("work")))
        self.run(account.delete("work"))
        self.run(account.create("work"))
        self.put(account, "work", draft(mail("one")))
        assert heard == [MailboxDeleted("work")]
