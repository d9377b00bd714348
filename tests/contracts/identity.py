"""What messages and mailboxes are called (RFC 8474), and when messages came (RFC 8514)."""

from collections.abc import Sequence

from tests.contracts.ground import Ground, draft, mail
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.entry import MessageIdentity
from twisted_mail.testing.doubles import StillClock


class IdentityContract(Ground):
    """Names that stay."""

    def identities(
        self, account: Account, name: str, uids: Sequence[int]
    ) -> list[MessageIdentity | None]:
        mailbox = self.run(account.open(name))
        found = list(self.run(mailbox.identities(uids)))
        mailbox.close()
        return found

    def emails(self, account: Account, name: str, uids: Sequence[int]) -> list[str]:
        return [each.email for each in self.identities(account, name, uids) if each]

    def test_each_message_has_its_own_id(self, account: Account, three: tuple[int, ...]):
        found = self.emails(account, "INBOX", three)
        assert len(set(found)) == 3
        assert all(text.isalnum() for text in found)
        assert self.emails(account, "INBOX", three[::-1]) == found[::-1]

    def test_nothing_is_called_anything(self, account: Account, three: tuple[int, ...]):
        assert self.identities(account, "INBOX", [99]) == [None]

    def test_a_copy_and_a_moved_message_keep_their_id(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        before = self.emails(account, "INBOX", three)
        first = self.run(inbox.copy(three, "Sent")).targets
        assert self.emails(account, "Sent", first) == before
        again = self.run(self.run(account.open("Sent")).move(first, "Trash")).targets
        assert self.emails(account, "Trash", again) == before
        assert self.emails(account, "INBOX", three) == before

    def test_flags_do_not_alter_the_id(
        self, account: Account, inbox: Mailbox, three: tuple[int, ...]
    ):
        before = self.identities(account, "INBOX", three)
        self.run(inbox.mark(three, "add", frozenset({"\\Seen"})))
        assert self.identities(account, "INBOX", three) == before

    def test_the_save_date_is_when_a_message_came_here(
        self, account: Account, inbox: Mailbox, clock: StillClock
    ):
        uids = self.put(account, "INBOX", draft(mail("one"), date=1))
        clock.seconds += 100
        copied = self.run(inbox.copy(uids, "Sent")).targets
        [here], [there] = (
            self.identities(account, name, found)
            for name, found in (("INBOX", uids), ("Sent", copied))
        )
        assert here is not None
        assert there is not None
        assert (here.saved, there.saved) == (int(clock.now()) - 100, int(clock.now()))

    def test_each_mailbox_has_its_own_id_for_life(self, account: Account):
        self.run(account.create("work"))
        ids = {name: self.run(account.status(name)).id for name in self.selectable(account)}
        assert len(set(ids.values())) == len(ids)
        assert all(ids.values())
        self.run(account.rename("work", "play"))
        play = self.run(account.open("play"))
        assert play.id == self.run(account.status("play")).id == ids["work"]
        self.run(account.delete("play"))
        self.run(account.create("play"))
        assert self.run(account.status("play")).id not in ids.values()

    def test_ids_survive_a_restart(self, store: Store, account: Account, three: tuple[int, ...]):
        before = self.identities(account, "INBOX", three), self.run(account.status("Sent")).id
        again = self.reopened(store)
        if again is not None:
            account = self.run(again.account(account.name))
            found = self.identities(account, "INBOX", three), self.run(account.status("Sent")).id
            assert found == before
