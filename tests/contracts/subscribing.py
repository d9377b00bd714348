"""Names subscribed to."""

import pytest

from tests.contracts.ground import Ground, listen, refused
from tests.contracts.names import FIRST, IMPOSSIBLE_NAMES, ODD_NAMES
from twisted_mail.interfaces import Account
from twisted_mail.mail.mailbox.change import SubscriptionChanged


class SubscribeContract(Ground):
    """What is subscribed to."""

    def test_a_mailbox_is_subscribed_to_and_no_longer(self, account: Account):
        self.run(account.create("work"))
        heard = listen(account)
        self.run(account.subscribe("work", True))
        assert self.info(account, "work") == ("", True, True)
        self.run(account.subscribe("work", False))
        assert self.info(account, "work") == ("", False, True)
        assert heard == [SubscriptionChanged("work", True), SubscriptionChanged("work", False)]

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
