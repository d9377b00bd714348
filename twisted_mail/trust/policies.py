"""The MTA-STS policies of domains: found, fetched, kept (RFC 8461 §3.3, §5.1).

| the TXT record | kept | what is done |
| --- | --- | --- |
| none, or no answer | | what is kept counts |
| another id than that of what is kept | | fetched now; if that fails, what is kept counts |
| the same id | for less than a day | what is kept counts |
| the same id | for longer | what is kept counts, and is fetched anew meanwhile |

The record is asked for whenever mail for the domain is about to go, so a policy that was mended is known
before anything fails by the old one. What failed is fetched again after five minutes at the earliest.
"""

from dataclasses import dataclass

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    PolicyFetch,
    PolicyStore,
    PolicyStoreFailed,
    Resolver,
    StoredPolicy,
    Tasks,
)
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.trust.kept_policies import KeptPolicies
from twisted_mail.trust.sts import (
    HOST_PREFIX,
    MAX_POLICY,
    PATH,
    RECORD_PREFIX,
    StsPolicy,
    read_id,
    read_policy,
)

FETCH_SECONDS = 60.0
RETRY_SECONDS = 300.0  # after a fetch that failed
REFRESH_SECONDS = 86_400.0
MAX_FAILURES = 10_000  # domains of which it is remembered that a fetch failed
MAX_DOMAIN = 243  # octets of a domain to which both prefixes can be put

_Failure = tuple[str, float]  # the id, and until when it is not fetched again


@dataclass(frozen=True, slots=True)
class PolicyDoors:
    """What policies are found and kept with. ``blocking`` is a lane; no ``tasks``, no refreshing."""

    resolver: Resolver
    fetch: PolicyFetch
    store: PolicyStore
    blocking: Blocking
    clock: Clock
    tasks: Tasks | None
    report_fault: FaultReport


class StsPolicies:
    """Finds the policies of domains. Reactor thread only."""

    def __init__(self, doors: PolicyDoors) -> None:
        self._doors = doors
        self._kept = KeptPolicies(doors.clock)
        self._failed: dict[str, _Failure] = {}
        self._refreshed: set[str] = set()  # domains that are fetched anew at this moment

    async def find(self, domain: str) -> StsPolicy | None:
        """Return the policy of a domain in A-labels, or None."""
        if len(domain) > MAX_DOMAIN or domain.startswith("["):
            return None
        id = await self._published_id(domain)
        kept = self._kept.find(domain)
        if id is None or self._has_failed(domain, id):
            return None if kept is None else kept.policy
        if kept is None or kept.id != id:
            fetched = await self._fetch(domain, id)
            return fetched or (None if kept is None else kept.policy)
        if not 0 <= self._doors.clock.now() - kept.fetched < REFRESH_SECONDS:
            self._refresh(domain, id)
        return kept.policy

    async def _published_id(self, domain: str) -> str | None:
        try:
            return read_id(await self._doors.resolver.texts(RECORD_PREFIX + domain))
        except Unavailable:
            return None

    # ------------------------------------------------------------ fetching

    def _refresh(self, domain: str, id: str) -> None:
        """Fetch a policy anew, while mail goes by the old one."""
        tasks = self._doors.tasks
        if tasks is not None and domain not in self._refreshed:
            self._refreshed.add(domain)
            tasks.start("MTA-STS", self._fetch_anew(domain, id))

    async def _fetch_anew(self, domain: str, id: str) -> None:
        try:
            await self._fetch(domain, id)
        finally:
            self._refreshed.discard(domain)

    async def _fetch(self, domain: str, id: str) -> StsPolicy | None:
        """Fetch a policy and keep it; return None where there is none to be had."""
        doors = self._doors
        try:
            octets = await doors.fetch.fetch(HOST_PREFIX + domain, PATH, MAX_POLICY, FETCH_SECONDS)
            policy = read_policy(octets)
        except (Unavailable, ValueError):
            self._note_failure(domain, id)
            return None
        self._failed.pop(domain, None)
        stored = StoredPolicy(domain, id, doors.clock.now(), policy.text)
        removed = self._kept.keep(stored, policy)
        await self._store([stored], removed)
        return policy

    def _has_failed(self, domain: str, id: str) -> bool:
        failed, until = self._failed.get(domain, ("", 0.0))
        return failed == id and self._doors.clock.monotonic() < until

    def _note_failure(self, domain: str, id: str) -> None:
        self._failed.pop(domain, None)
        self._failed[domain] = id, self._doors.clock.monotonic() + RETRY_SECONDS
        if len(self._failed) > MAX_FAILURES:
            del self._failed[next(iter(self._failed))]

    # ------------------------------------------------------------ on disk

    async def start(self) -> None:
        """Read what is on disk, before anything is asked. What cannot be read is fetched again."""
        try:
            stored = await self._doors.blocking.run(self._doors.store.load)
        except (PolicyStoreFailed, Unavailable) as error:
            self._doors.report_fault("MTA-STS policies", error)
            return
        for one in stored:
            try:
                self._kept.keep(one, read_policy(one.text))
            except ValueError:
                continue  # somebody else wrote it

    async def _store(self, kept: list[StoredPolicy], removed: list[str]) -> None:
        """Write what has changed. A policy that is not on disk counts all the same, until a restart."""
        try:
            await self._doors.blocking.run(self._doors.store.alter, kept, removed)
        except (PolicyStoreFailed, Unavailable) as error:
            self._doors.report_fault("MTA-STS policies", error)
