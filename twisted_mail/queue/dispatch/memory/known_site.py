"""What is known of a site: little while it rests, for there may be a hundred thousand of them."""

from twisted_mail.interfaces import Site, SiteRecord
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.queue.dispatch.memory.pace import MessageLimit, Pace
from twisted_mail.queue.dispatch.memory.remembered import (
    Remembered,
    recalled,
    remembered,
    shared,
)


class KnownSite:
    """A site, how it was reached or not, and what was learned of its hosts.

    It rests until ``rest_until``, after so many ``failures`` in a row. ``max_messages`` is what its hosts
    take over a connection, or 0; ``avoids`` the IP version that they refuse, or 0. What only a site in
    use needs is made when that begins.
    """

    __slots__ = (
        "_last",
        "_limit",
        "_pace",
        "avoids",
        "carrier",
        "failures",
        "limits",
        "max_messages",
        "name",
        "rest_until",
    )

    def __init__(self, site: Site, record: SiteRecord | None = None) -> None:
        record = record or SiteRecord(site_key(site))
        self.carrier, self.name, self.limits = site.carrier, site.name, shared(site.limits)
        self.rest_until = record.rest_until
        self.failures = record.failures
        self._last: Remembered | None = None
        self.last = record.last
        self.max_messages = record.max_messages
        self._limit: MessageLimit | None = None
        self.avoids = record.avoids
        self._pace: Pace | None = None

    @property
    def site(self) -> Site:
        """Return what carriers know it by."""
        return Site(self.carrier, self.name, self.limits)

    @property
    def key(self) -> str:
        """Return the name by which it is remembered."""
        return f"{self.carrier}:{self.name}"

    @property
    def last(self) -> Attempt | None:
        """Return how the last attempt ended that failed because of the site, without its phases."""
        return None if self._last is None else recalled(self._last)

    @last.setter
    def last(self, attempt: Attempt | None) -> None:
        self._last = None if attempt is None else remembered(attempt)

    # ------------------------------------------------------------ how many connections

    @property
    def pace(self) -> Pace:
        """Return how many connections it may have; after a failure it is probed with one."""
        if self._pace is None:
            self._pace = Pace(self._first_window)
        return self._pace

    @property
    def window(self) -> int:
        """Return the number of connections that it may have now."""
        return self._first_window if self._pace is None else self._pace.window

    @property
    def _first_window(self) -> int:
        return 1 if self.failures else self.limits.begin

    @property
    def is_proven(self) -> bool:
        """Return whether something has been delivered since it last failed."""
        return self._pace is not None and self._pace.is_proven

    def begin_anew(self) -> None:
        """Let it begin with as many connections as one of which nothing is known."""
        self._pace = None

    def closed_at(self, use: int) -> bool:
        """Note that a connection was closed at its so-manieth message; return whether that taught it."""
        if self._limit is None:
            self._limit = MessageLimit(self.max_messages)
        was_learned = self._limit.closed_at(use)
        self.max_messages = self._limit.most
        return was_learned

    # ------------------------------------------------------------ what is remembered

    @property
    def record(self) -> SiteRecord:
        """Return what is remembered of it over restarts."""
        return SiteRecord(
            self.key,
            self.rest_until,
            self.failures,
            self.last,
            self.max_messages,
            self.avoids,
        )


def site_key(site: Site) -> str:
    """Return the name by which a site is remembered."""
    return f"{site.carrier}:{site.name}"
