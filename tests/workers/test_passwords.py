"""Passwords of logins in workers are checked by the main process, and remembered by both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock as TwistedClock

from tests.net.bridged import Pair
from twisted_mail.auth.throttle import MAX_WAITING, LocalThrottle
from twisted_mail.directory import passwords
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.interfaces import LoginAttempt
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.testing.doubles import InlineBlocking, StillClock
from twisted_mail.workers.passwords import WATCH_SECONDS, PasswordService, RemotePasswords

ALICE, BOB = "alice@example.org", "bob@example.org"
CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
NETWORK = "192.0.2.0/24"


@dataclass
class Server:
    """The directory of the main process, and those of two workers, over one file."""

    folder: Path
    checked: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "accounts"
        self.edit(lambda editor: editor.accounts.add(ALICE, "secret"))
        self.reactor = TwistedClock()
        self.throttle = LocalThrottle(StillClock())
        self.main = self._directory()
        self.service = PasswordService(self.main.passwords, self.throttle)
        self.pair = Pair({"passwords": self.service})
        self.remote = RemotePasswords(self.pair.near, ReactorClock(self.reactor))
        self.workers = [self._directory(self.remote) for _ in range(2)]

    def _directory(self, checks: RemotePasswords | None = None) -> SqliteDirectory:
        blocking = InlineBlocking()
        return SqliteDirectory(
            self.path, blocking, blocking, CHEAP, ["example.org"], password_checks=checks
        )

    def edit(self, work: Callable[[DirectoryEditor], object]) -> None:
        with DirectoryEditor(self.path, CHEAP, ["example.org"]) as editor:
            work(editor)

    def verify(self, worker: int, password: str, name: str = ALICE) -> object:
        verified = self.workers[worker].verify(Credentials(name, password), LoginAttempt(NETWORK))
        return self.pair.finish(verified)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    check = passwords.check

    def noted(stored: str | None, password: str, settings: PasswordSettings) -> bool:
        made.checked.append(stored and password)
        return check(stored, password, settings)

    monkeypatch.setattr(passwords, "check", noted)
    return made


def test_a_password_is_hashed_once_for_all_processes(server: Server) -> None:
    for _ in range(2):
        for worker in (0, 1):
            assert server.verify(worker, "secret") == ALICE
    assert server.checked == ["secret"]


def test_who_logs_in_again_needs_nobody_else(server: Server) -> None:
    server.verify(0, "secret")
    server.pair.far.connectionLost()
    server.pair.near.connectionLost()
    assert server.verify(0, "secret") == ALICE
    with pytest.raises(Unavailable):
        server.verify(1, "secret")


def test_wrong_passwords_are_checked_each_time(server: Server) -> None:
    for worker in (0, 1, 0):
        assert server.verify(worker, "wrong") is None
    assert server.checked == ["wrong"] * 3


def test_a_name_that_nobody_has_is_checked_all_the_same(server: Server) -> None:
    assert server.verify(0, "secret", "nobody@example.org") is None
    assert server.checked == [None]


def test_a_changed_password_counts_at_once_in_every_process(server: Server) -> None:
    server.verify(0, "secret")
    server.edit(lambda editor: editor.accounts.set_password(ALICE, "other"))
    assert server.verify(0, "secret") is None
    assert server.verify(0, "other") == ALICE
    assert server.verify(1, "other") == ALICE
    assert server.checked == ["secret", "secret", "other"]


def test_a_hash_of_another_strength_is_renewed_once(server: Server) -> None:
    server.edit(lambda editor: editor.accounts.import_lines([f"{BOB}:{{PLAIN}}secret"]))
    for worker in (0, 1, 0, 1):
        assert server.verify(worker, "secret", BOB) == BOB
    assert server.checked == ["secret"]


def test_a_guesser_whose_answers_are_held_back_is_not_admitted_by_any_worker(
    server: Server,
) -> None:
    failures = server.throttle._counted(NETWORK)
    failures.waiting = MAX_WAITING
    for worker in (0, 1):
        with pytest.raises(Unavailable):
            server.verify(worker, "guess")
    assert server.checked == []
    failures.waiting = 0
    assert server.verify(0, "secret") == ALICE


class BusyChecks:
    """Has no time."""

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        raise Unavailable(Outcome(454, "4.7.0", "Too busy"))


def test_reasons_against_a_check_reach_the_worker() -> None:
    pair = Pair({"passwords": PasswordService(BusyChecks(), LocalThrottle(StillClock()))})
    remote = RemotePasswords(pair.near, ReactorClock(TwistedClock()))
    with pytest.raises(Unavailable, match="Too busy"):
        pair.finish(remote.check(LoginAttempt(NETWORK), ALICE, None, "x"))


class SlowChecks:
    """Waits with each answer, for one of ``ends``."""

    def __init__(self) -> None:
        self.attempts: list[LoginAttempt] = []
        self.ends: list[Deferred[None]] = []

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        self.attempts.append(attempt)
        self.ends.append(Deferred())
        await self.ends[-1]
        return stored

    def hung_up(self) -> list[bool]:
        return [one.has_hung_up() for one in self.attempts]


def test_the_main_process_learns_who_has_hung_up() -> None:
    reactor, checks = TwistedClock(), SlowChecks()
    service = PasswordService(checks, LocalThrottle(StillClock()))
    pair = Pair({"passwords": service})
    remote = RemotePasswords(pair.near, ReactorClock(reactor))
    gone: list[bool] = []
    answers = [
        pair.begin(remote.check(LoginAttempt(NETWORK, lambda: bool(gone)), ALICE, "hash", "x")),
        pair.begin(remote.check(LoginAttempt(NETWORK), ALICE, "hash", "y")),
    ]
    pair.carry()
    reactor.advance(WATCH_SECONDS)
    pair.carry()
    assert checks.hung_up() == [False, False]
    gone.append(True)
    reactor.advance(WATCH_SECONDS)
    pair.carry()
    assert checks.hung_up() == [True, False]
    checks.ends[1].callback(None)
    pair.carry()
    assert answers == [[], ["hash"]]
    checks.ends[0].callback(None)
    pair.carry()
    reactor.advance(WATCH_SECONDS)
    assert not reactor.getDelayedCalls()


def test_nobody_waits_any_more_in_a_worker_that_has_ended() -> None:
    checks = SlowChecks()
    service = PasswordService(checks, LocalThrottle(StillClock()))
    pair = Pair({"passwords": service})
    remote = RemotePasswords(pair.near, ReactorClock(TwistedClock()))
    pair.begin(remote.check(LoginAttempt(NETWORK), ALICE, "hash", "x"))
    pair.carry()
    service.close()
    assert checks.hung_up() == [True]
