"""Parts that are made when they are first asked for, and what a fresh server has not imported."""

import subprocess
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from twisted_mail.assembly import on_demand
from twisted_mail.assembly.on_demand import (
    DNS,
    HTTP,
    HTTPS,
    MODULES,
    HttpClientOnDemand,
    OnDemand,
    ResolverOnDemand,
)
from twisted_mail.mail.dns import DnsAnswer
from twisted_mail.testing.doubles import InlineBlocking, finish

HEAVY = (
    "dns.resolver",
    "twisted.conch",
    "twisted.web.client",
    "twisted_mail.control",
    "twisted_mail.policy.milter",
    "twisted_mail.policy.scanners",
    "twisted_mail.testing",
    "twisted_mail.workers.pool",
)
START = """
import sys
from pathlib import Path
from twisted.internet import reactor
from twisted_mail.config import load
from twisted_mail.service import MailService
service = MailService(reactor, load(Path(sys.argv[1])))
service.privilegedStartService()
service.startService()
print(*sys.modules)
sys.stdout.flush()
import os
os._exit(0)
"""
CONFIG = """\
hostname = "mail.example.org"
state = "state"
domains = ["example.org"]
[[listener]]
service = "smtp"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[[listener]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
cleartext_passwords = true
"""


def test_a_fresh_server_has_not_imported_what_nobody_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "mail.toml"
    config.write_text(CONFIG)
    started = subprocess.run(
        [sys.executable, "-c", START, str(config)], capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stderr
    imported = set(started.stdout.split())
    assert "twisted_mail.imap.loop" in imported
    assert sorted(imported & set(HEAVY)) == []


@pytest.mark.parametrize("name", MODULES)
def test_what_is_imported_later_can_be_imported(name: str) -> None:
    makers = {DNS: "make_resolver", HTTP: "AgentHttpClient", HTTPS: "HttpsFetcher"}
    maker = makers[name]
    assert callable(getattr(import_module(name), maker))


@pytest.mark.parametrize("name", MODULES)
def test_what_is_not_installed_is_found_out_at_the_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_demand, "find_spec", lambda wanted: None)
    with pytest.raises(ImportError, match=name):
        OnDemand(name, InlineBlocking(), lambda module: module)


class SlowThreads(InlineBlocking):
    """Work whose end the test decides."""

    def __init__(self) -> None:
        self.running: list[Deferred[None]] = []

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.running.append(Deferred())
        await self.running[-1]
        return work(*args, **kwargs)


def test_two_who_ask_at_the_same_time_get_the_same_part() -> None:
    threads, made = SlowThreads(), []

    def make(module: ModuleType) -> object:
        made.append(module.__name__)
        return object()

    part = OnDemand(DNS, threads, make)
    asking = [Deferred.fromCoroutine(part.get()) for _ in range(2)]
    for one in threads.running:
        one.callback(None)
    found: list[object] = []
    for each in asking:
        each.addCallback(found.append)
    assert found[0] is found[1]
    assert made == [DNS]


class StillResolver:
    """Answers each question with the question and who asked it."""

    def __init__(self, asker: str = "") -> None:
        self.asker = asker

    def asked_by(self, asker: str) -> "StillResolver":
        return StillResolver(asker)

    def __getattr__(self, method: str) -> Any:
        async def answer(*words: object) -> DnsAnswer[str]:
            return DnsAnswer((f"{self.asker} {method} {words}",))

        return answer


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("addresses", ("a.example", 4)),
        ("addresses_of_each", (("a.example",), 6)),
        ("names", ("192.0.2.1",)),
        ("mail_hosts", ("a.example",)),
        ("texts", ("a.example",)),
    ],
)
def test_each_question_goes_to_the_resolver_for_who_asks(method: str, words: Any) -> None:
    still: Any = StillResolver()
    resolver = ResolverOnDemand(OnDemand(DNS, InlineBlocking(), lambda _: still))
    answer = finish(getattr(resolver.asked_by("192.0.2.0/24"), method)(*words))
    assert list(answer) == [f"192.0.2.0/24 {method} {words}"]


class StillClient:
    def __init__(self) -> None:
        self.is_closed = False

    async def post(self, *words: object) -> object:
        return words

    async def close(self) -> None:
        self.is_closed = True


async def no_body() -> AsyncIterator[bytes]:
    yield b""


def test_a_client_that_was_never_used_is_not_made_to_be_closed() -> None:
    made: list[StillClient] = []

    def make(module: ModuleType) -> StillClient:
        made.append(StillClient())
        return made[-1]

    client = HttpClientOnDemand(OnDemand(HTTP, InlineBlocking(), make))
    finish(client.close())
    assert not made
    body = no_body()
    sent: Any = finish(client.post("http://127.0.0.1/", (), 0, body, 10))
    assert sent == ("http://127.0.0.1/", (), 0, body, 10)
    finish(client.close())
    assert made[0].is_closed
