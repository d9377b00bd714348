"""What tests of pure rooms share: coroutines run to their end, time that stands still."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ParamSpec, TypeVar

from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost
from twisted_mail.mail.outcome import Unavailable

T = TypeVar("T")
P = ParamSpec("P")


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("the coroutine waits for something")


class InlineBlocking:
    """A Blocking door without threads."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)

    def lane(self) -> "InlineBlocking":
        return self


class StillClock:
    """A Clock that moves when told, and whose sleeps take no time."""

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.seconds = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        began = self.seconds
        result = await work
        if self.seconds - began > seconds:
            raise TimeoutError
        return result


class FakeResolver:
    """A Resolver that knows what it was told: ``tell("mail.example", "A", "192.0.2.1")``.

    Names in ``broken`` raise Unavailable; ``asked`` keeps what was asked, in order.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[Any]] = {}
        self.broken: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def tell(self, name: str, kind: str, *values: Any) -> "FakeResolver":
        self.records.setdefault((name, kind), []).extend(values)
        return self

    def _find(self, name: str, kind: str) -> DnsAnswer[Any]:
        self.asked.append((name, kind))
        if name in self.broken:
            raise Unavailable("The DNS does not answer now")
        return DnsAnswer(tuple(self.records.get((name.lower(), kind), ())))

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        kinds = {4: ["A"], 6: ["AAAA"], None: ["AAAA", "A"]}[version]
        return DnsAnswer(tuple(value for kind in kinds for value in self._find(name, kind)))

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        return [
            None if name in self.broken else await self.addresses(name, version) for name in names
        ]

    async def names(self, address: str) -> DnsAnswer[str]:
        return self._find(address, "PTR")

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        return self._find(domain, "MX")

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        return self._find(name, "TXT")


class NoteJournal:
    """A Journal that keeps what it is told: a list of (event, arguments)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, event: str) -> Callable[..., None]:
        if event.startswith("_"):
            raise AttributeError(event)
        return lambda *args: self.events.append((event, args))
