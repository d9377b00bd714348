"""The policies of domains: when they are fetched, and which of them count."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.interfaces import PolicyStoreFailed, StoredPolicy
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.trust import kept_policies
from twisted_mail.trust.kept_policies import KeptPolicies
from twisted_mail.trust.policies import REFRESH_SECONDS, RETRY_SECONDS, PolicyDoors, StsPolicies
from twisted_mail.trust.policy_store import SqlitePolicyStore
from twisted_mail.trust.sts import MAX_POLICY, StsMode, StsPolicy

DOMAIN = "there.example"
WEEK = 604_800


def text(host: str, age: int = WEEK, mode: str = "enforce") -> bytes:
    return f"version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: {age}\n".encode()


class Web:
    """A web server that has one policy, or none."""

    def __init__(self) -> None:
        self.policy: bytes | None = None
        self.asked: list[str] = []

    async def fetch(self, host: str, path: str, limit: int, seconds: float) -> bytes:
        self.asked.append(f"https://{host}{path}")
        assert (limit, seconds) == (MAX_POLICY, 60)
        if self.policy is None:
            raise Unavailable("404")
        return self.policy


class Later:
    """Tasks that run when a test says so."""

    def __init__(self) -> None:
        self.works: list[Coroutine[Any, Any, object]] = []

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> Callable[[], None]:
        self.works.append(work)
        return work.close

    def signal(self) -> Any:
        raise NotImplementedError

    def run(self) -> None:
        works, self.works = self.works, []
        for work in works:
            finish(work)


class Disk:
    """A disk that fails."""

    def load(self) -> Sequence[StoredPolicy]:
        raise PolicyStoreFailed("the disk")

    def alter(self, kept: Sequence[StoredPolicy], removed: Sequence[str]) -> None:
        raise PolicyStoreFailed("the disk")


class There:
    """A domain, its web server, and we with our disk."""

    def __init__(self, store: Any) -> None:
        self.dns, self.web, self.clock = FakeResolver(), Web(), StillClock()
        self.tasks, self.store = Later(), store
        self.faults: list[str] = []
        self.restart()

    def restart(self) -> None:
        doors = PolicyDoors(
            self.dns,
            self.web,
            self.store,
            InlineBlocking(),
            self.clock,
            self.tasks,
            lambda where, error: self.faults.append(f"{where}: {error}"),
        )
        self.policies = StsPolicies(doors)
        finish(self.policies.start())

    def publish(self, id: str, policy: bytes | None) -> None:
        self.dns.records["_mta-sts.there.example", "TXT"] = [f"v=STSv1; id={id};".encode()]
        self.web.policy = policy

    def suppress(self) -> None:
        """Have nothing be found of it any more."""
        self.dns.broken.add("_mta-sts.there.example")
        self.web.policy = None

    def hosts(self, domain: str = DOMAIN) -> Sequence[str] | None:
        policy = finish(self.policies.find(domain))
        return None if policy is None else policy.patterns


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(SqlitePolicyStore(tmp_path / "policies"))


def test_a_domain_without_a_record_is_not_asked_further(there: There) -> None:
    assert there.hosts() is None
    assert there.web.asked == []


def test_a_policy_is_fetched_once(there: There) -> None:
    there.publish("1", text("a.example"))
    assert there.hosts() == ("a.example",)
    assert there.hosts() == ("a.example",)
    assert there.web.asked == ["https://mta-sts.there.example/.well-known/mta-sts.txt"]


def test_a_policy_counts_after_a_restart_though_nothing_is_found_of_it(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.suppress()
    there.restart()
    assert there.hosts() == ("a.example",)


def test_a_policy_counts_though_its_record_is_gone(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.dns.records.clear()
    assert there.hosts() == ("a.example",)


def test_a_policy_counts_until_its_time_is_over(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.suppress()
    there.clock.seconds += WEEK - 1
    assert there.hosts() == ("a.example",)
    there.clock.seconds += 1
    assert there.hosts() is None


def test_a_new_id_brings_the_new_policy_at_once(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.publish("2", text("b.example"))
    assert there.hosts() == ("b.example",)
    there.suppress()
    there.restart()
    assert there.hosts() == ("b.example",)


@pytest.mark.parametrize("policy", [None, b"<html>", text("a.example", mode="strict")])
def test_a_new_policy_that_is_none_leaves_the_old_one(there: There, policy: bytes | None) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.publish("2", policy)
    assert there.hosts() == ("a.example",)


def test_a_domain_whose_policy_cannot_be_fetched_has_none(there: There) -> None:
    there.publish("1", None)
    assert there.hosts() is None


def test_what_failed_is_fetched_again_after_five_minutes(there: There) -> None:
    there.publish("1", None)
    there.hosts()
    there.web.policy = text("a.example")
    there.clock.seconds += RETRY_SECONDS - 1
    assert there.hosts() is None
    there.clock.seconds += 2
    assert there.hosts() == ("a.example",)
    assert len(there.web.asked) == 2


def test_another_id_is_fetched_at_once_though_the_one_before_failed(there: There) -> None:
    there.publish("1", None)
    there.hosts()
    there.publish("2", text("a.example"))
    assert there.hosts() == ("a.example",)


def test_a_policy_is_refreshed_each_day_while_mail_goes_by_the_old_one(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.web.policy = text("a.example", WEEK - 1)
    there.clock.seconds += REFRESH_SECONDS
    assert there.hosts() == there.hosts() == ("a.example",)
    assert len(there.tasks.works) == 1
    assert len(there.web.asked) == 1
    there.tasks.run()
    assert len(there.web.asked) == 2
    there.suppress()
    there.clock.seconds += WEEK - 2
    assert there.hosts() == ("a.example",)


def test_a_refresh_that_fails_is_tried_later_and_costs_nothing(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.web.policy = None
    there.clock.seconds += REFRESH_SECONDS
    there.hosts()
    there.tasks.run()
    assert there.hosts() == ("a.example",)
    assert there.tasks.works == []


def test_a_clock_that_was_set_back_forgets_nothing(there: There) -> None:
    there.publish("1", text("a.example"))
    there.hosts()
    there.suppress()
    there.clock.seconds -= 10 * WEEK
    assert there.hosts() == ("a.example",)


@pytest.mark.parametrize("domain", ["[192.0.2.1]", "a." * 121 + "example"])
def test_what_can_have_no_policy_is_not_looked_for(there: There, domain: str) -> None:
    assert there.hosts(domain) is None
    assert there.dns.asked == []


def test_a_disk_that_fails_is_reported_and_the_policy_counts() -> None:
    there = There(Disk())
    assert there.faults == ["MTA-STS policies: the disk"]
    there.publish("1", text("a.example"))
    assert there.hosts() == ("a.example",)
    assert there.hosts() == ("a.example",)
    assert len(there.faults) == 2


# ------------------------------------------------------------ keeping


def stored(domain: str, policy: StsPolicy, at: float = 0.0) -> StoredPolicy:
    return StoredPolicy(domain, "1", at, policy.text)


POLICY = StsPolicy(StsMode.ENFORCE, WEEK, ("a.example",))


def test_of_too_many_policies_those_go_that_were_fetched_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_policies, "MAX_KEPT", 2)
    clock = StillClock()
    kept = KeptPolicies(clock)
    now = clock.now()
    assert [kept.keep(stored(name, POLICY, now), POLICY) for name in ("a", "b", "a")] == [[]] * 3
    assert kept.keep(stored("c", POLICY, now), POLICY) == ["b"]
    assert kept.find("a") is not None
    assert len(kept) == 2


def test_large_policies_take_the_place_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    large = StsPolicy(StsMode.ENFORCE, WEEK, ("x" * 60 + ".example",) * 10)
    monkeypatch.setattr(kept_policies, "MAX_OCTETS", len(large.text) + 10)
    kept = KeptPolicies(StillClock())
    kept.keep(stored("a", POLICY), POLICY)
    kept.keep(stored("b", POLICY), POLICY)
    assert kept.keep(stored("c", large), large) == ["a", "b"]


def test_what_had_to_go_is_gone_from_the_disk(tmp_path: Path) -> None:
    store = SqlitePolicyStore(tmp_path / "policies")
    store.alter([stored("a", POLICY, 2), stored("b", POLICY, 1), stored("c", POLICY, 3)], [])
    store.alter([], ["a", "nobody"])
    store.close()
    found = SqlitePolicyStore(tmp_path / "policies").load()
    assert [one.domain for one in found] == ["b", "c"]
    assert found[0] == stored("b", POLICY, 1)


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "policies").write_bytes(b"nonsense" * 1000)
    store = SqlitePolicyStore(tmp_path / "policies")
    with pytest.raises(PolicyStoreFailed, match="policies: "):
        store.load()
    with pytest.raises(PolicyStoreFailed):
        store.alter([stored("a", POLICY)], [])


def test_a_row_that_somebody_else_wrote_is_passed_over(tmp_path: Path) -> None:
    store = SqlitePolicyStore(tmp_path / "policies")
    store.alter([StoredPolicy("there.example", "1", 0.0, b"?"), stored("b", POLICY)], [])
    assert There(store).hosts() is None
