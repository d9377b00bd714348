"""What a durable store still has after a restart."""

import pytest

from tests.contracts.ground import (
    ALICE,
    HELLO,
    Ground,
    draft,
    mail,
    rows,
)
from twisted_mail.interfaces import Account, Store
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message


class RestartContract(Ground):
    """Skipped unless the subclass has ``reopened``."""

    def again(self, store: Store) -> Account:
        found = self.reopened(store)
        if found is None:
            pytest.skip("this store is not durable")
        return self.run(found.account(ALICE))

    def test_messages_keep_uid_flags_date_size_and_mod_sequence(self, store: Store):
        account = self.run(store.account(ALICE))
        self.put(account, "INBOX", draft(mail("one"), "\\Seen", "$Work", date=123456))
        self.put(account, "INBOX", draft(mail("two")), draft(mail("three")))
        self.run(store.deliver([ALICE], Message(MemoryBlob(HELLO), b"Return-Path: <>\r\n")))
        inbox = self.run(account.open("INBOX"))
        self.run(inbox.mark([2, 4], "add", normal(["\\Flagged", "$WORK", "other"])))
        self.run(inbox.expunge([3]))
        before, status = rows(inbox), self.run(account.status("INBOX"))
        inbox.close()
        account = self.again(store)
        inbox = self.run(account.open("INBOX"))
        assert rows(inbox) == before
        assert self.run(account.status("INBOX")) == status
        assert self.whole(inbox, 1) == mail("one")
        assert self.whole(inbox, 4) == b"Return-Path: <>\r\n" + HELLO
        assert {*inbox.keywords} == {"$Work", "other"}

    def test_uids_are_not_used_again_after_a_restart(self, store: Store):
        account = self.run(store.account(ALICE))
        uids = self.put(account, "INBOX", draft(HELLO), draft(HELLO))
        inbox = self.run(account.open("INBOX"))
        self.run(inbox.expunge(uids))
        validity, highest = inbox.uidvalidity, inbox.columns.highest_modseq
        inbox.close()
        account = self.again(store)
        inbox = self.run(account.open("INBOX"))
        assert inbox.uidvalidity == validity
        assert inbox.columns.highest_modseq >= highest
        [uid] = self.put(account, "INBOX", draft(HELLO))
        assert uid > max(uids)
        assert inbox.columns.highest_modseq > highest

    def test_names_uses_and_subscriptions_stay(self, store: Store):
        account = self.run(store.account(ALICE))
        self.run(account.create("Ärger/a.b"))
        self.run(account.create("Spam", "\\Junk"))
        self.run(account.rename("Trash", "Papierkorb"))
        self.run(account.delete("Archive"))
        self.run(account.subscribe("Ärger/a.b", True))
        self.run(account.subscribe("some/where", True))
        self.run(account.subscribe("Drafts", False))
        before = [*self.run(account.mailboxes())]
        validity = {n: self.run(account.status(n)).uidvalidity for n in self.selectable(account)}
        account = self.again(store)
        assert [*self.run(account.mailboxes())] == before
        assert validity == {
            n: self.run(account.status(n)).uidvalidity for n in self.selectable(account)
        }

    def test_a_mailbox_made_again_after_a_restart_has_a_greater_uidvalidity(self, store: Store):
        account = self.run(store.account(ALICE))
        self.run(account.create("work"))
        before = self.run(account.status("work")).uidvalidity
        self.run(account.delete("work"))
        account = self.again(store)
        self.run(account.create("work"))
        assert self.run(account.status("work")).uidvalidity > before

    def test_moved_messages_are_in_one_place(self, store: Store):
        account = self.run(store.account(ALICE))
        self.put(account, "INBOX", draft(mail("one")), draft(mail("two")))
        inbox = self.run(account.open("INBOX"))
        self.run(inbox.move([1], "Sent"))
        inbox.close()
        account = self.again(store)
        assert self.subjects(account, "INBOX") == ["two"]
        assert self.subjects(account, "Sent") == ["one"]
