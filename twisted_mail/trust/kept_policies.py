"""The MTA-STS policies in memory: as many as on disk, bounded in number and octets."""

from dataclasses import dataclass

from twisted_mail.interfaces import Clock, StoredPolicy
from twisted_mail.trust.sts import StsPolicy

MAX_KEPT = 10_000  # policies
MAX_OCTETS = 8 * 1024 * 1024  # of the text of all of them


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy, its id, and when it was fetched."""

    policy: StsPolicy
    id: str
    fetched: float
    size: int


class KeptPolicies:
    """Policies by domain; those that were fetched first go first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._policies: dict[str, KeptPolicy] = {}
        self._octets = 0

    def __len__(self) -> int:
        return len(self._policies)

    def find(self, domain: str) -> KeptPolicy | None:
        """Return the policy of a domain, unless its time is over."""
        kept = self._policies.get(domain)
        if kept is None or kept.fetched + kept.policy.max_age <= self._clock.now():
            return None
        return kept

    def keep(self, stored: StoredPolicy, policy: StsPolicy) -> list[str]:
        """Keep a policy instead of an older one of its domain; return the domains that had to go."""
        self._remove(stored.domain)
        size = len(stored.text)
        self._policies[stored.domain] = KeptPolicy(policy, stored.id, stored.fetched, size)
        self._octets += size
        removed = []
        while len(self._policies) > MAX_KEPT or self._octets > MAX_OCTETS:
            removed.append(next(iter(self._policies)))
            self._remove(removed[-1])
        return removed

    def _remove(self, domain: str) -> None:
        kept = self._policies.pop(domain, None)
        if kept is not None:
            self._octets -= kept.size
