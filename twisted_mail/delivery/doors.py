"""The doors that final delivery needs, whoever asks for it."""

from dataclasses import dataclass

from twisted_mail.delivery.waiting import Waiting
from twisted_mail.interfaces import Clock, Journal, Router, Store


@dataclass(frozen=True, slots=True)
class Doors:
    """What ``local`` and ``each`` deliver with; without ``waiting`` there are no programs and lists."""

    router: Router
    store: Store
    journal: Journal
    clock: Clock
    waiting: Waiting | None = None
