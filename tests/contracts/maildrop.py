"""The maildrop, which one POP3 session has at a time."""

from tests.contracts.ground import ALICE, BOB, Ground, refused
from twisted_mail.interfaces import Account, Store


class MaildropContract(Ground):
    """Who holds the maildrop."""

    def test_one_session_at_a_time_holds_the_maildrop(self, account: Account):
        give_up = self.run(account.lock_maildrop())
        with refused("IN-USE"):
            self.run(account.lock_maildrop())
        give_up()
        give_up()
        self.run(account.lock_maildrop())()
        self.run(account.lock_maildrop())

    def test_giving_up_twice_does_not_give_up_what_another_holds(self, account: Account):
        give_up = self.run(account.lock_maildrop())
        give_up()
        self.run(account.lock_maildrop())
        give_up()
        with refused("IN-USE"):
            self.run(account.lock_maildrop())

    def test_maildrops_of_two_accounts_are_two(self, store: Store):
        for name in (ALICE, BOB):
            self.run(self.run(store.account(name)).lock_maildrop())
