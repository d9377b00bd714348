"""Mailboxes renamed, with all that goes along."""

import pytest

from tests.contracts.ground import Ground, draft, listen, mail, refused
from tests.contracts.names import FIRST, IMPOSSIBLE_NAMES
from twisted_mail.interfaces import Account, Mailbox
from twisted_mail.mail.mailbox.change import (
    EntriesAdded,
    EntriesExpunged,
    MailboxCreated,
    MailboxRenamed,
)


class RenameContract(Ground):
    """What is renamed."""

    def test_a_mailbox_gets_another_name_and_it_is_rung(self, account: Account):
        self.run(account.create("old"))
        self.put(account, "old", draft(mail("one")))
        heard = listen(account)
        self.run(account.rename("old", "new one"))
        assert heard == [MailboxRenamed("old", "new one")]
        assert "old" not in self.names(account)
        assert self.subjects(account, "new one") == ["one"]

    def test_uids_and_uidvalidity_go_along(self, account: Account):
        self.run(account.create("old"))
        self.put(account, "old", draft(mail("one")), draft(mail("two")))
        before = self.run(account.status("old"))
        self.run(account.rename("old", "fresh"))
        assert self.run(account.status("fresh")) == before

    def test_an_old_name_made_again_has_another_uidvalidity(self, account: Account):
        self.run(account.create("old"))
        before = self.run(account.status("old")).uidvalidity
        self.run(account.rename("old", "fresh"))
        self.run(account.create("old"))
        assert self.run(account.status("old")).uidvalidity > before

    def test_children_go_along_higher_levels_first(self, account: Account):
        self.run(account.create("a/b/c"))
        self.run(account.create("ab"))
        heard = listen(account)
        self.run(account.rename("a", "z"))
        assert heard == [
            MailboxRenamed("a", "z"),
            MailboxRenamed("a/b", "z/b"),
            MailboxRenamed("a/b/c", "z/b/c"),
        ]
        assert self.selectable(account) == [*FIRST, "ab", "z", "z/b", "z/b/c"]

    def test_a_name_that_only_has_children_is_renamed_with_them(self, account: Account):
        self.run(account.create("a/b"))
        self.run(account.delete("a"))
        heard = listen(account)
        self.run(account.rename("a", "z"))
        assert heard == [MailboxRenamed("a/b", "z/b")]
        assert self.info(account, "z") == ("", False, False)

    def test_levels_above_the_new_name_are_made(self, account: Account):
        self.run(account.create("old"))
        heard = listen(account)
        self.run(account.rename("old", "x/y/z"))
        assert heard == [MailboxCreated("x"), MailboxCreated("x/y"), MailboxRenamed("old", "x/y/z")]
        assert {"x", "x/y", "x/y/z"} <= {*self.selectable(account)}

    def test_a_mailbox_can_take_the_place_of_the_name_above_it(self, account: Account):
        self.run(account.create("a/b/b"))
        self.run(account.delete("a"))
        self.put(account, "a/b", draft(mail("upper")))
        self.put(account, "a/b/b", draft(mail("lower")))
        self.run(account.rename("a/b", "a"))
        assert self.selectable(account) == sorted([*FIRST, "a", "a/b"])
        assert self.subjects(account, "a") == ["upper"]
        assert self.subjects(account, "a/b") == ["lower"]

    def test_a_mailbox_can_move_under_another(self, account: Account):
        self.run(account.create("work"))
        self.run(account.rename("work", "Archive/work"))
        assert self.selectable(account) == sorted([*FIRST, "Archive/work"])

    @pytest.mark.parametrize("name", ["Sent", "INBOX", "inbox", "a", "a/b"])
    def test_a_name_that_is_taken_is_refused(self, account: Account, name: str):
        self.run(account.create("a/b"))
        heard = listen(account)
        with refused("ALREADYEXISTS"):
            self.run(account.rename("a", name))
        assert heard == []
        assert self.selectable(account) == sorted([*FIRST, "a", "a/b"])

    def test_a_name_taken_by_a_child_is_refused(self, account: Account):
        self.run(account.create("a/c"))
        self.run(account.create("z/c"))
        self.run(account.delete("z"))
        with refused("ALREADYEXISTS"):
            self.run(account.rename("a", "z"))
        assert self.selectable(account) == sorted([*FIRST, "a", "a/c", "z/c"])

    def test_a_mailbox_cannot_be_put_into_itself(self, account: Account):
        self.run(account.create("a/b"))
        with refused("CANNOT"):
            self.run(account.rename("a", "a/x"))
        with refused("CANNOT"):
            self.run(account.rename("a", "a/b/c"))
        assert self.selectable(account) == sorted([*FIRST, "a", "a/b"])

    @pytest.mark.parametrize("name", IMPOSSIBLE_NAMES)
    def test_impossible_names_are_refused(self, account: Account, name: str):
        with refused("CANNOT"):
            self.run(account.rename("Sent", name))
        assert self.names(account) == FIRST

    def test_a_rename_that_makes_a_child_impossible_is_refused(self, account: Account):
        self.run(account.create("/".join("abcdefghijklmnopqrst")))
        before = self.names(account)
        with refused("CANNOT"):
            self.run(account.rename("a", "y/z"))
        assert self.names(account) == before

    @pytest.mark.parametrize("name", ["nothing", "", "sent", "Sen", "Sent/", "a\0b"])
    def test_what_is_not_there_cannot_be_renamed(self, account: Account, name: str):
        with refused("NONEXISTENT"):
            self.run(account.rename(name, "new one"))
        assert self.names(account) == FIRST

    def test_subscriptions_stay_with_the_names(self, account: Account):
        self.run(account.create("old"))
        self.run(account.subscribe("old", True))
        self.run(account.rename("old", "fresh"))
        assert self.info(account, "old") == ("", True, False)
        assert self.info(account, "fresh") == ("", False, True)

    def test_a_special_use_goes_along(self, account: Account):
        self.run(account.rename("Trash", "Papierkorb"))
        assert self.info(account, "Papierkorb")[0] == "\\Trash"

    def test_an_open_mailbox_stays_open_under_its_new_name(self, account: Account):
        self.run(account.create("a/b"))
        mailbox = self.run(account.open("a/b"))
        heard = listen(mailbox)
        columns = mailbox.columns
        self.run(account.rename("a", "z"))
        assert mailbox.name == "z/b"
        [uid] = self.put(account, "z/b", draft(mail("one")))
        assert list(mailbox.columns.uids) == [uid]
        assert mailbox.columns is columns
        self.run(mailbox.mark([uid], "add", frozenset({"\\Seen"})))
        assert [type(change).__name__ for change in heard] == [
            "MailboxRenamed",
            "EntriesAdded",
            "FlagsChanged",
        ]
        assert [change.mailbox for change in heard] == ["a/b", "z/b", "z/b"]

    def test_renaming_inbox_moves_its_messages(self, account: Account, inbox: Mailbox):
        self.put(account, "INBOX", draft(mail("one"), "\\Seen", date=123456), draft(mail("two")))
        before = self.run(account.status("INBOX"))
        heard = listen(account)
        self.run(account.rename("inbox", "old/mail"))
        assert self.subjects(account, "old/mail") == ["one", "two"]
        after = self.run(account.status("INBOX"))
        assert (after.messages, after.uidnext) == (0, before.uidnext)
        assert after.uidvalidity == before.uidvalidity
        assert [type(change) for change in heard] == [
            MailboxCreated,
            MailboxCreated,
            EntriesAdded,
            EntriesExpunged,
        ]
        assert [change.mailbox for change in heard] == ["old", "old/mail", "old/mail", "INBOX"]
        moved = self.run(account.open("old/mail"))
        assert moved.columns[0].flags == {"\\Seen"}
        assert moved.columns[0].date == 123456
        assert inbox.name == "INBOX"

    def test_renaming_an_empty_inbox_makes_a_mailbox(self, account: Account):
        heard = listen(account)
        self.run(account.rename("INBOX", "old"))
        assert heard == [MailboxCreated("old")]
        assert {"INBOX", "old"} <= {*self.selectable(account)}

    def test_renaming_inbox_leaves_its_children(self, account: Account):
        self.run(account.create("INBOX/a"))
        self.run(account.rename("INBOX", "old"))
        assert self.selectable(account) == sorted([*FIRST, "INBOX/a", "old"])

    def test_renaming_inbox_to_a_name_that_is_taken_moves_nothing(self, account: Account):
        self.put(account, "INBOX", draft(mail("one")))
        for name in ("Sent", "INBOX", "inbox"):
            with refused("ALREADYEXISTS"):
                self.run(account.rename("INBOX", name))
        assert self.subjects(account, "INBOX") == ["one"]
