"""What a reload does in which order, and what becomes of it where something fails."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from twisted_mail.assembly.reload import Reload, ReloadAnswer, Workers
from twisted_mail.config import Config, ConfigError, ListenerConfig
from twisted_mail.config.mistakes import ConfigMistake
from twisted_mail.net.server.listener import CannotListen
from twisted_mail.testing.doubles import InlineBlocking, finish


class SlowFiles:
    """Reading the configuration lasts until the test ends it, and fails."""

    def __init__(self) -> None:
        self.reading: list[Deferred[None]] = []

    async def run(self, *_: object) -> Any:
        self.reading.append(Deferred())
        await self.reading[-1]
        raise ValueError(f"mistake {len(self.reading)}")


class ReloadFixture:
    """A reload, and what its calls were answered."""

    def __init__(self) -> None:
        self.files = SlowFiles()
        parts: Any = SimpleNamespace(
            threads=SimpleNamespace(files=self.files), config=SimpleNamespace(path="mail.toml")
        )
        self.reload = Reload(parts, None, Workers())  # type: ignore[arg-type]
        self.answers: list[tuple[int, str]] = []

    def call(self, number: int) -> None:
        def note(answer: ReloadAnswer) -> None:
            self.answers.append((number, *answer.mistakes))  # type: ignore[arg-type]

        Deferred.fromCoroutine(self.reload.run()).addCallback(note)


def test_calls_during_a_reload_share_the_next_one(capsys: Any) -> None:
    fixture = ReloadFixture()
    for number in range(1, 6):
        fixture.call(number)
    assert len(fixture.files.reading) == 1
    fixture.files.reading[0].callback(None)
    assert fixture.answers == [(1, "mistake 1")]
    fixture.call(6)  # one runs now that was begun before this call
    fixture.files.reading[1].callback(None)
    assert sorted(fixture.answers[1:]) == [(number, "mistake 2") for number in range(2, 6)]
    fixture.files.reading[2].callback(None)
    assert fixture.answers[-1] == (6, "mistake 3")
    assert len(fixture.files.reading) == 3


def test_the_next_reload_begins_when_one_has_failed() -> None:
    fixture = ReloadFixture()
    for number in (1, 2):
        fixture.call(number)
        fixture.files.reading[-1].callback(None)
    assert fixture.answers == [(1, "mistake 1"), (2, "mistake 2")]


OLD = Config(
    Path("/etc/mail.toml"),
    "mail.example.org",
    Path("/var/lib/mail"),
    listeners=(ListenerConfig("smtp", "tcp:25"),),
)


class Ports:
    """The listeners of a server, which take what is configured, or cannot be opened."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.error: CannotListen | None = None

    async def change(self, configured: Any, make_factory: Any, release: Any) -> None:
        if self.error is not None:
            raise self.error
        await release(())
        self.events.append(f"listen on {', '.join(one.endpoint for one in configured)}")


class RecordedWorkers(Workers):
    """Workers that note what is asked of them."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    async def release(self, listeners: Any) -> None:
        self.events.append("workers release")

    async def follow(self) -> None:
        self.events.append("workers follow")


class Server:
    """The parts of a server that a reload looks at, and what happened to them.

    ``found`` is what the file has: a configuration, or the error of reading it.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.config = OLD
        self.found: Config | Exception = OLD
        self.new = self._conversations("stamp 1", "a certificate")
        self.conversations = self.new
        self.threads = SimpleNamespace(files=InlineBlocking())
        self.ports = Ports(self.events)
        parts: Any = self
        ports: Any = self.ports
        self.reload = Reload(parts, ports, RecordedWorkers(self.events), self._read)

    def _conversations(self, stamp: str, summary: str) -> Any:
        certificates = SimpleNamespace(stamp=stamp, summary=summary, unusable=())
        listeners = SimpleNamespace(
            certificates=certificates, lacks_certificate=False, make_factory=object()
        )
        return SimpleNamespace(listeners=listeners)

    def renew_certificate(self) -> None:
        self.new = self._conversations("stamp 2", "another certificate")

    def _read(self, path: Path) -> Config:
        assert path == OLD.path
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def prepare(self, config: Config) -> Any:
        self.events.append("prepare")
        return self.new

    def take_over(self, config: Config, conversations: Any) -> None:
        self.events.append("take over")
        self.config, self.conversations = config, conversations

    def run(self) -> tuple[ReloadAnswer, list[str]]:
        """Reload; return the answer and the lines of the log."""
        with capturedLogs() as events:
            answer = finish(self.reload.run())
        return answer, [f"{one['log_level'].name} {formatEvent(one)}" for one in events]


@pytest.fixture
def server() -> Server:
    return Server()


def test_everything_is_made_before_anything_changes_and_workers_follow_last(server: Server) -> None:
    server.found = replace(
        OLD, hostname="mx.example.org", listeners=(ListenerConfig("imap", "tcp:143"),)
    )
    answer, lines = server.run()
    assert server.events == [
        "prepare",
        "workers release",
        "listen on tcp:143",
        "take over",
        "workers follow",
    ]
    assert server.config == replace(server.found, hostname=OLD.hostname)
    assert answer == ReloadAnswer(
        ("listener imap on tcp:143: added", "listener smtp on tcp:25: removed"),
        needs_restart=("hostname",),
    )
    assert lines == [
        "info reload: listener imap on tcp:143: added",
        "info reload: listener smtp on tcp:25: removed",
        "warn reload: hostname needs a restart",
    ]


def test_where_nothing_is_new_the_log_has_it(server: Server) -> None:
    assert server.run() == (ReloadAnswer(), ["info reload: nothing changes"])


def test_new_certificates_are_named_and_those_that_cannot_be_used(server: Server) -> None:
    server.renew_certificate()
    server.new.listeners.certificates.unusable = ("old.pem: it has expired",)
    answer, lines = server.run()
    assert answer == ReloadAnswer(
        ("certificates: another certificate",), warnings=("old.pem: it has expired",)
    )
    assert lines == ["info reload: certificates: another certificate"]


def refused(*mistakes: str) -> tuple[ReloadAnswer, list[str]]:
    lines = [f"error reload: {text}" for text in mistakes]
    last = "error reload: refused; the configuration that was in force stays in force"
    return ReloadAnswer(mistakes=mistakes), [*lines, last]


def test_mistakes_in_the_file_are_the_answer_and_nothing_is_made(server: Server) -> None:
    file = Path("mail.toml")
    mistakes = [ConfigMistake(file, 3, "store", "one"), ConfigMistake(file, 0, "", "two")]
    server.found = ConfigError(mistakes)
    assert server.run() == refused(*map(str, mistakes))
    assert server.events == []


def test_a_listener_with_tls_needs_a_certificate_that_can_be_used(server: Server) -> None:
    server.new.listeners.lacks_certificate = True
    server.new.listeners.certificates.unusable = ("new.pem: no key",)
    folder = OLD.tls.folder
    assert server.run() == refused("new.pem: no key", f"no usable certificate in {folder}")
    assert server.events == ["prepare"]


def test_a_port_that_is_taken_leaves_all_as_it_was_and_workers_get_the_sockets_again(
    server: Server,
) -> None:
    server.ports.error = CannotListen("listener[1]: taken\nlistener[2]: taken too")
    assert server.run() == refused("listener[1]: taken", "listener[2]: taken too")
    assert server.events == ["prepare", "workers follow"]
    assert server.config == OLD


@pytest.mark.parametrize(
    ("error", "text"), [(KeyError("x"), "'x'"), (RuntimeError(), "RuntimeError")]
)
def test_a_bug_costs_the_reload_alone_and_is_in_the_log(
    server: Server, error: Exception, text: str
) -> None:
    server.found = error
    answer, lines = server.run()
    assert answer.mistakes == (text,)
    assert lines[0] == "critical the reload failed"
    assert lines[1:] == refused(text)[1]
    server.found = OLD
    assert server.run()[0] == ReloadAnswer()


def test_a_server_that_ends_changes_nothing_any_more(server: Server) -> None:
    server.reload.close()
    assert server.run() == refused("the server is ending")
    assert server.events == ["prepare"]


def test_without_workers_nothing_follows() -> None:
    finish(Workers().release(()))
    finish(Workers().follow())
