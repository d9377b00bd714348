from types import SimpleNamespace
from typing import Any

import pytest

from twisted_mail.assembly import filters
from twisted_mail.config import FilterConfig
from twisted_mail.interfaces import Filter, Peer
from twisted_mail.mail.verdict import ACCEPT, FilterStage
from twisted_mail.testing.doubles import StillClock
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.workers.shared_services import SharedServices


class FakeFilter:
    stages = (FilterStage.CONNECT,)

    async def judge(self, stage: object, context: object) -> Any:
        return ACCEPT


class Maker:
    """Keeps the backends that filters are made with."""

    def __init__(self, is_common: bool) -> None:
        self.is_common = is_common
        self.backends: list[object] = []

    def make(self, settings: object, backend: object) -> FakeFilter:
        self.backends.append(backend)
        return FakeFilter()


class Shared(SharedServices):
    """Has another filter judge instead of a common one."""

    def __init__(self) -> None:
        self.other = FakeFilter()
        self.numbers: list[int] = []

    def filter(self, number: int, made: Filter) -> Filter:
        self.numbers.append(number)
        return self.other


CONFIGURED = [FilterConfig("own", "own"), FilterConfig("common", "common")]


def make(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Filter], Shared, dict[str, Maker]]:
    makers = {"own": Maker(is_common=False), "common": Maker(is_common=True)}
    monkeypatch.setattr(filters, "filters", lambda: makers)
    shared, backend = Shared(), SimpleNamespace(hostname="h")
    assembly = filters.FilterAssembly(shared)
    assert assembly.make(CONFIGURED, backend) == [0, 1]  # type: ignore[arg-type]
    return assembly.made, shared, makers


def test_filters_are_made_in_order_with_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, makers = make(monkeypatch)
    assert len(made) == 2
    assert [len(maker.backends) for maker in makers.values()] == [1, 1]


def test_a_filter_that_processes_have_in_common_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, shared, _ = make(monkeypatch)
    assert made[0] is not shared.other
    assert made[1] is shared.other
    assert shared.numbers == [1]


def test_a_filter_that_is_configured_as_before_stays_the_same_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers = {name: Maker(is_common=False) for name in ("own", "common")}
    monkeypatch.setattr(filters, "filters", lambda: makers)
    assembly, backend = filters.FilterAssembly(SharedServices()), SimpleNamespace(hostname="h")
    first: Any = assembly.make(CONFIGURED, backend)  # type: ignore[arg-type]
    changed = [FilterConfig("own", "own", seconds=5), CONFIGURED[1]]
    assert assembly.make(changed, backend) == [2, 1]  # type: ignore[arg-type]
    assert assembly.make(CONFIGURED, backend) == first  # type: ignore[arg-type]
    assert len(assembly.made) == 3


def test_the_policy_asks_each_filter_by_its_rules() -> None:
    config: Any = SimpleNamespace(filters=[FilterConfig("a", "a")])
    policy = filters.make_policy(config, [FakeFilter()], StillClock(), ListJournal())
    assert policy.begin("smtp", Peer("192.0.2.1", 1)) is not None
    assert policy.begin("lmtp", Peer("192.0.2.1", 1)) is None
