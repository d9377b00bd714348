"""The account's mailboxes: made, listed, renamed, deleted, subscribed to."""

import pytest

from tests.contracts.ground import BOB, Ground, draft, listen, mail, refused
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.change import Added, Gone, Made, Removed, Renamed, Subscribed

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
SOME = ["a", "a/b", "a/b/c", "ab"]


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
        assert heard == [Made("mine")]

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
        assert heard == [Made("work")]
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
        assert heard == [Made("a"), Made("a/b"), Made("a/b/c")]
        assert {"a", "a/b", "a/b/c"} <= {*self.selectable(account)}

    def test_levels_above_that_are_there_are_left_alone(self, account: Account):
        self.run(account.create("a"))
        before = self.run(account.status("a")).uidvalidity
        heard = listen(account)
        self.run(account.create("a/b"))
        assert heard == [Made("a/b")]
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


class DeleteContract(Ground):
    """What is deleted."""

    def test_a_deleted_mailbox_is_gone_and_rung(self, account: Account):
        self.run(account.create("work"))
        heard = listen(account)
        self.run(account.delete("work"))
        assert heard == [Removed("work")]
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
        assert heard == [Removed("a")]
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
        assert heard == [Removed("work")]


class RenameContract(Ground):
    """What is renamed."""

    def test_a_mailbox_gets_another_name_and_it_is_rung(self, account: Account):
        self.run(account.create("old"))
        self.put(account, "old", draft(mail("one")))
        heard = listen(account)
        self.run(account.rename("old", "new one"))
        assert heard == [Renamed("old", "new one")]
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
        for name in SOME:
            self.run(account.create(name)) if name not in self.names(account) else None
        heard = listen(account)
        self.run(account.rename("a", "z"))
        assert heard == [Renamed("a", "z"), Renamed("a/b", "z/b"), Renamed("a/b/c", "z/b/c")]
        assert self.selectable(account) == [*FIRST, "ab", "z", "z/b", "z/b/c"]

    def test_a_name_that_only_has_children_is_renamed_with_them(self, account: Account):
        self.run(account.create("a/b"))
        self.run(account.delete("a"))
        heard = listen(account)
        self.run(account.rename("a", "z"))
        assert heard == [Renamed("a/b", "z/b")]
        assert self.info(account, "z") == ("", False, False)

    def test_levels_above_the_new_name_are_made(self, account: Account):
        self.run(account.create("old"))
        heard = listen(account)
        self.run(account.rename("old", "x/y/z"))
        assert heard == [Made("x"), Made("x/y"), Renamed("old", "x/y/z")]
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
        assert [type(change).__name__ for change in heard] == ["Renamed", "Added", "Marked"]
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
        assert [type(change) for change in heard] == [Made, Made, Added, Gone]
        assert [change.mailbox for change in heard] == ["old", "old/mail", "old/mail", "INBOX"]
        moved = self.run(account.open("old/mail"))
        assert moved.columns[0].flags == {"\\Seen"}
        assert moved.columns[0].date == 123456
        assert inbox.name == "INBOX"

    def test_renaming_an_empty_inbox_makes_a_mailbox(self, account: Account):
        heard = listen(account)
        self.run(account.rename("INBOX", "old"))
        assert heard == [Made("old")]
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


class SubscribeContract(Ground):
    """What is subscribed to."""

    def test_a_mailbox_is_subscribed_to_and_no_longer(self, account: Account):
        self.run(account.create("work"))
        heard = listen(account)
        self.run(account.subscribe("work", True))
        assert self.info(account, "work") == ("", True, True)
        self.run(account.subscribe("work", False))
        assert self.info(account, "work") == ("", False, True)
        assert heard == [Subscribed("work", True), Subscribed("work", False)]

    def test_subscribing_twice_changes_nothing(self, account: Account):
        heard = listen(account)
        self.run(account.subscribe("Sent", True))
        self.run(account.subscribe("nothing", False))
        assert heard == []

    def test_a_name_without_a_mailbox_can_be_subscribed_to(self, account: Account):
        self.run(account.subscribe("some/where", True))
        assert self.info(account, "some/where") == ("", True, False)
        assert "some" not in self.names(account)
        self.run(account.subscribe("some/where", False))
        assert self.names(account) == FIRST

    def test_a_mailbox_made_under_a_subscribed_name_is_subscribed(self, account: Account):
        self.run(account.subscribe("work", True))
        self.run(account.create("work"))
        assert self.info(account, "work") == ("", True, True)

    def test_the_subscription_outlives_the_mailbox(self, account: Account):
        self.run(account.create("work"))
        self.run(account.subscribe("work", True))
        self.run(account.delete("work"))
        assert self.info(account, "work") == ("", True, False)

    def test_inbox_is_subscribed_to_in_any_case(self, account: Account):
        self.run(account.subscribe("inbox", False))
        assert self.info(account, "INBOX")[1] is False
        self.run(account.subscribe("iNBOX", True))
        assert self.info(account, "INBOX")[1] is True

    @pytest.mark.parametrize("name", IMPOSSIBLE_NAMES)
    def test_impossible_names_cannot_be_subscribed_to(self, account: Account, name: str):
        with refused("CANNOT"):
            self.run(account.subscribe(name, True))
        self.run(account.subscribe(name, False))
        assert self.names(account) == FIRST

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_can_be_subscribed_to(self, account: Account, name: str):
        self.run(account.subscribe(name, True))
        assert self.info(account, name) == ("", True, False)

    def test_who_no_longer_watches_hears_nothing(self, account: Account):
        heard = []
        end = account.watch(heard.append)
        end()
        end()
        self.run(account.create("work"))
        assert heard == []
