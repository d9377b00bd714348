"""Logins: the checkers that the configuration names, the portal, and what slows down guessing."""

from twisted_mail.auth.checkers import checker
from twisted_mail.auth.realm import Realm, logins, portal
from twisted_mail.config import Config
from twisted_mail.interfaces import Clock, Directory, Journal, Store
from twisted_mail.workers.shared import SharedServices


class LoginAssembly:
    """``logins`` is the one portal, seen for each face; ``realm`` can open accounts without it.

    The first domain completes user names without one.
    """

    def __init__(
        self,
        config: Config,
        shared: SharedServices,
        store: Store,
        directory: Directory,
        clock: Clock,
        journal: Journal,
    ) -> None:
        domain = (*config.domains, config.hostname)[0]
        credentials = checker(config.login.checkers, directory, domain)
        self.throttle = shared.throttle(clock)
        self.realm = Realm(store, directory, domain, config.addresses.separators)
        self.logins = logins(portal(self.realm, credentials), domain, clock, journal, self.throttle)
