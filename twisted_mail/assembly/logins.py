"""Logins: the checkers that the configuration names, the portal, and what slows down guessing."""

from dataclasses import dataclass

from twisted_mail.auth.checkers import checker
from twisted_mail.auth.realm import Realm, logins
from twisted_mail.auth.throttle import LoginThrottle
from twisted_mail.config import Config
from twisted_mail.interfaces import Clock, Directory, Journal, Store


@dataclass(frozen=True, slots=True)
class LoginDependencies:
    """What logins are made from, whatever the checkers."""

    store: Store
    directory: Directory
    clock: Clock
    journal: Journal
    throttle: LoginThrottle


class LoginAssembly:
    """``logins`` is the one portal, seen for each face; ``realm`` can open accounts without it.

    The first domain completes user names without one.
    """

    def __init__(self, config: Config, of: LoginDependencies) -> None:
        domain = (*config.domains, config.hostname)[0]
        credentials = checker(config.login.checkers, of.directory, domain)
        self.realm = Realm(of.store, of.directory, domain, config.addresses.separators)
        self.logins = logins(self.realm, credentials, of.clock, of.journal, of.throttle)
