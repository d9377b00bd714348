"""The account's mailboxes: made, listed, renamed, deleted, subscribed to."""

import pytest

from tests.contracts.ground import BOB, Ground, draft, listen, mail, refused
from twisted_mail.interfaces import Account, Store
from twisted_mail.mail.mailbox.change import MailboxCreated

FIRST = ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
ODD_NAMES = [
    "a.b",
    ".",
    "..",
    "../../etc",
    ".hidden",
    "~alice",
    "a b",
    " a ",
    "a&b",
    "&-",
    "&AOQ-",
    "50%",
    "a*b",
    'say "hi"',
    "back\\slash",
    "(x)",
    "{3}",
    "new",
    "cur",
    "tmp",
    "a:2,S",
    "a_b-c+d=e",
    "Entwürfe",
    "Ärger/Öl",
    "受信箱",
    "📬",
    "e\u0301",  # decomposed
    "NIL",
    "inboxes",
    "dovecot-uidlist",
]
IMPOSSIBLE_NAMES = [
    "",
    "/",
    "/a",
    "a//b",
    "a//",
    "a\0b",
    "a\r\nb",
    "a\tb",
    "a\x7f",
    "a\x85b",
    "a\ud800b",
    "x" * 256,
    "ä" * 128,
    "/".join(["x" * 100] * 11),
    "/".join("x" * 21),
]


class MadeContract(Ground):
    """What is there at first, and what is created."""

    def test_a_new_account_has_inbox_and_the_special_mailboxes(self, account: Account):
        assert self.names(account) == FIRST
        assert self.selectable(account) == FIRST

    def test_the_special_mailboxes_say_their_uses(self, account: Account):
        assert [info.use for info in self.run(account.mailboxes())] == [
            "\\Archive",
            "\\Drafts",
            "",
            "\\Junk",
            "\\Sent",
            "\\Trash",
        ]

    def test_the_first_mailboxes_are_subscribed(self, account: Account):
        assert all(info.is_subscribed for info in self.run(account.mailboxes()))

    def test_the_account_says_its_name(self, store: Store):
        assert self.run(store.account(BOB)).name == BOB

    def test_accounts_share_nothing(self, store: Store, account: Account):
        other = self.run(store.account(BOB))
        heard = listen(other)
        self.run(account.create("mine"))
        self.put(account, "INBOX", draft(mail("mine")))
        assert "mine" not in self.names(other)
        assert self.run(other.status("INBOX")).messages == 0
        assert heard == []

    def test_the_same_account_is_seen_by_all_who_ask_for_it(self, store: Store, account: Account):
        again = self.run(store.account(account.name))
        heard = listen(again)
        self.run(account.create("mine"))
        assert "mine" in self.names(again)
        assert heard == [MailboxCreated("mine")]

    @pytest.mark.parametrize("name", ["INBOX", "inbox", "InBoX"])
    def test_inbox_is_found_in_any_case(self, account: Account, name: str):
        mailbox = self.run(account.open(name))
        assert mailbox.name == "INBOX"
        assert self.run(account.status(name)).messages == 0

    def test_other_names_are_found_in_their_own_case_only(self, account: Account):
        with refused("NONEXISTENT"):
            self.run(account.open("sent"))

    def test_a_first_level_of_inbox_is_inbox_in_any_case(self, account: Account):
        self.run(account.create("inbox/lists"))
        assert "INBOX/lists" in self.names(account)
        assert self.run(account.open("Inbox/lists")).name == "INBOX/lists"

    def test_a_mailbox_is_created_and_rung(self, account: Account):
        heard = listen(account)
        self.run(account.create("work"))
        assert heard == [MailboxCreated("work")]
        assert self.info(account, "work") == ("", False, True)

    def test_a_created_mailbox_is_empty(self, account: Account):
        self.run(account.create("work"))
        status = self.run(account.status("work"))
        assert (status.messages, status.recent, status.unseen, status.size) == (0, 0, 0, 0)
        assert status.uidnext == 1
        assert status.highest_modseq >= 1
        assert 0 < status.uidvalidity < 2**32

    def test_levels_above_are_made_too_the_highest_first(self, account: Account):
        heard = listen(account)
        self.run(account.create("a/b/c"))
        assert heard == [MailboxCreated("a"), MailboxCreated("a/b"), MailboxCreated("a/b/c")]
        assert {"a", "a/b", "a/b/c"} <= {*self.selectable(account)}

    def test_levels_above_that_are_there_are_left_alone(self, account: Account):
        self.run(account.create("a"))
        before = self.run(account.status("a")).uidvalidity
        heard = listen(account)
        self.run(account.create("a/b"))
        assert heard == [MailboxCreated("a/b")]
        assert self.run(account.status("a")).uidvalidity == before

    def test_a_slash_at_the_end_is_passed_over(self, account: Account):
        self.run(account.create("work/"))
        assert "work" in self.selectable(account)

    @pytest.mark.parametrize("name", ["INBOX", "inbox", "Sent", "Sent/", "inbox/"])
    def test_what_is_there_cannot_be_created(self, account: Account, name: str):
        heard = listen(account)
        with refused("ALREADYEXISTS"):
            self.run(account.create(name))
        assert heard == []

    @pytest.mark.parametrize("name", IMPOSSIBLE_NAMES)
    def test_impossible_names_cannot_be_created(self, account: Account, name: str):
        with refused("CANNOT"):
            self.run(account.create(name))
        assert self.names(account) == FIRST

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_are_names_like_others(self, account: Account, name: str):
        self.run(account.create(name))
        assert name in self.selectable(account)
        self.put(account, name, draft(mail("odd")))
        assert self.subjects(account, name) == ["odd"]
        with refused("ALREADYEXISTS"):
            self.run(account.create(name))

    def test_odd_names_do_not_meet_each_other(self, account: Account):
        for name in ODD_NAMES:
            self.run(account.create(name))
        above = {name.rpartition("/")[0] for name in ODD_NAMES if "/" in name} | {"../.."}
        assert {*self.selectable(account)} == {*FIRST, *ODD_NAMES, *above}
        for name in ODD_NAMES:
            self.run(account.delete(name))
            assert name not in self.selectable(account)

    def test_names_that_differ_in_case_are_different(self, account: Account):
        self.run(account.create("Work"))
        self.run(account.create("work"))
        self.put(account, "work", draft(mail("one")))
        assert self.run(account.status("Work")).messages == 0

    def test_twenty_levels_are_allowed(self, account: Account):
        name = "/".join("abcdefghijklmnopqrst")
        self.run(account.create(name))
        assert name in self.selectable(account)

    def test_a_level_of_a_hundred_octets_is_allowed(self, account: Account):
        self.run(account.create("x" * 100))
        assert "x" * 100 in self.selectable(account)

    def test_a_special_use_can_be_given(self, account: Account):
        self.run(account.create("Spam", "\\Junk"))
        assert self.info(account, "Spam")[0] == "\\Junk"

    def test_a_special_use_is_told_in_its_usual_spelling(self, account: Account):
        self.run(account.create("Spam", "\\JUNK"))
        assert self.info(account, "Spam")[0] == "\\Junk"

    @pytest.mark.parametrize("use", ["\\All", "\\Flagged", "\\Nonsense", "Junk"])
    def test_a_use_that_no_mailbox_can_have_is_refused(self, account: Account, use: str):
        with refused("USEATTR"):
            self.run(account.create("new one", use))
        assert self.names(account) == FIRST

    def test_the_levels_above_do_not_get_the_use(self, account: Account):
        self.run(account.create("x/Spam", "\\Junk"))
        assert self.info(account, "x")[0] == ""
        assert self.info(account, "x/Spam")[0] == "\\Junk"

    def test_the_list_is_sorted_by_name(self, account: Account):
        for name in ("zebra", "Äpfel", "a/b", "a b", "Zoo"):
            self.run(account.create(name))
        assert self.names(account) == sorted(self.names(account))

    @pytest.mark.parametrize("name", ["nothing", "", "Sent/", "a//b", "x\0", "../x", "Sent/."])
    def test_what_is_not_there_cannot_be_opened_or_counted(self, account: Account, name: str):
        with refused("NONEXISTENT"):
            self.run(account.open(name))
        with refused("NONEXISTENT"):
            self.run(account.status(name))

    def test_mailboxes_of_one_account_differ_in_uidvalidity_when_made_again(self, account: Account):
        seen = []
        for _ in range(4):
            self.run(account.create("again"))
            seen.append(self.run(account.status("again")).uidvalidity)
            self.run(account.delete("again"))
        assert seen == sorted({*seen})
