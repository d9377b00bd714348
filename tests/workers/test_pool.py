"""Workers are started, replaced and ended, whatever becomes of them."""

import os
import signal
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet import tcp
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from twisted_mail.config import Config, ListenerConfig, WorkerSettings
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process.cpu_affinity import CpuAffinity
from twisted_mail.net.process.process_bridge import Bridge
from twisted_mail.net.server.connection_count import SharedCountMemory
from twisted_mail.net.server.listener import Listener
from twisted_mail.net.server.listening import StoppableFactory
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.workers import pool, spawn
from twisted_mail.workers import slots as room
from twisted_mail.workers.handed_mail import HANDOFF_PREFIX
from twisted_mail.workers.pool import FOLLOW_SECONDS, WorkerPool
from twisted_mail.workers.worker import BRIDGE, COUNTS, FIRST_PORT, WorkerConfig

PROTOCOLS = {"smtp": SimpleNamespace(is_spread=True), "daytime": SimpleNamespace()}


class FakeListener:
    """A listener that notes whether it accepts connections."""

    address = object()

    def __init__(self, number: int, descriptor: int | None) -> None:
        self.number = number
        self.socket = None if descriptor is None else (descriptor, socket.AF_INET)
        self.is_accepting = True

    def pause(self) -> None:
        self.is_accepting = False

    def resume(self) -> None:
        self.is_accepting = True


class FakeListeners:
    """The listeners of the configuration in force."""

    def __init__(self, *listeners: tuple[FakeListener, ListenerConfig]) -> None:
        self.pairs = list(listeners)

    @property
    def all(self) -> list[FakeListener]:
        return [made for made, _ in self.pairs]

    @property
    def configured(self) -> dict[int, ListenerConfig]:
        return {made.number: one for made, one in self.pairs}


class FakeWorker:
    """The other end of a bridge: the service that a worker has."""

    def __init__(self) -> None:
        self.orders: list[WorkerConfig] = []
        self.changes: list[WorkerConfig] = []
        self.released: list[int] = []
        self.is_leaving = False
        self.trouble: Exception | None = None

    def begin(self, orders: WorkerConfig) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.orders.append(orders)

    def change(self, orders: WorkerConfig) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.changes.append(orders)

    def release(self, numbers: list[int]) -> None:
        self.released += numbers

    def leave(self) -> None:
        self.is_leaving = True


class FakeProcess:
    """A process that was started."""

    def __init__(
        self, protocol: Any, command: list[str], descriptors: dict[int, int], near: Any
    ) -> None:
        self.protocol, self.command, self.descriptors = protocol, command, descriptors
        self.near = near
        self.worker, self.pid, self.signals = FakeWorker(), 1, list[str]()
        self.far = Bridge({"worker": self.worker}, ListJournal())
        self.far.makeConnection(StringTransport())
        protocol.makeConnection(self)

    def signalProcess(self, name: str) -> None:
        self.signals.append(name)

    def carry(self) -> None:
        """Carry what the two ends of the bridge have sent."""
        near = self.near
        while near.transport.value() or self.far.transport.value():
            for end, other in ((near, self.far), (self.far, near)):
                data = end.transport.value()
                end.transport.clear()
                other.dataReceived(data)

    def end(self, status: Exception) -> None:
        self.pid = 0
        self.protocol.processEnded(Failure(status))
        self.near.connectionLost()


class FakeTransport(StringTransport):
    """A transport that notes the descriptors sent."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors: list[int] = []

    def sendFileDescriptor(self, descriptor: int) -> None:
        self.descriptors.append(descriptor)


class FakeReactor(Clock):
    """Starts processes that are none."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.trouble: OSError | None = None

    def adoptStreamConnection(self, descriptor: int, family: int, factory: Factory) -> None:
        self.bridge: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        self.bridge.makeConnection(FakeTransport())

    def spawnProcess(
        self, protocol: Any, path: str, command: list[str], env: Any, childFDs: dict[int, int]
    ) -> None:
        if self.trouble is not None:
            self.bridge.connectionLost()
            raise self.trouble
        assert os.path.exists(path)
        self.processes.append(FakeProcess(protocol, command, dict(childFDs), self.bridge))


class FakeParts:
    """The parts of the main process, as far as the pool looks at them."""

    cpu_affinity = CpuAffinity()
    journal = ListJournal()
    conversations = SimpleNamespace(filter_numbers=(0,))

    def __init__(self, config: Config) -> None:
        self.config = config


class FakeServices:
    closed = 0

    def __init__(self, parts: Any) -> None:
        self.by_name: dict[str, object] = {}

    def close(self) -> None:
        FakeServices.closed += 1


class MainProcess:
    """A pool of two, with a listener for SMTP and one that cannot be spread."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spawn, "WorkerServices", FakeServices)
        monkeypatch.setattr(pool, "protocols", lambda: PROTOCOLS)
        FakeServices.closed = 0
        (folder / "tmp").mkdir()
        listeners = (ListenerConfig("smtp", "tcp:1"), ListenerConfig("daytime", "tcp:2"))
        config = Config(
            folder / "mail.toml",
            "h.example",
            folder,
            listeners=listeners,
            workers=WorkerSettings(2),
        )
        self.reactor = FakeReactor()
        self.pool = WorkerPool(self.reactor, config)
        self.smtp, self.daytime = FakeListener(0, 7), FakeListener(1, 8)
        self.parts = FakeParts(config)
        self.listeners = FakeListeners((self.smtp, listeners[0]), (self.daytime, listeners[1]))

    def start(self) -> None:
        parts: Any = self.parts
        listeners: Any = self.listeners
        self.pool.start(parts, listeners)

    @property
    def processes(self) -> list[FakeProcess]:
        return self.reactor.processes

    def begin(self, *numbers: int) -> None:
        """Let workers get their configuration and begin."""
        for number in numbers:
            self.processes[number].carry()


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainProcess:
    return MainProcess(tmp_path, monkeypatch)


KILLED = ProcessTerminated(signal=signal.SIGKILL)


def test_workers_get_what_they_need(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    for number, process in enumerate(main.processes, 1):
        assert process.command[1:] == ["-P", "-m", "twisted_mail.workers", str(number)]
        assert {*process.descriptors} == {0, 1, 2, BRIDGE, COUNTS, FIRST_PORT}
        assert process.descriptors[FIRST_PORT] == 7
        [orders] = process.worker.orders
        assert orders.process == number
        assert orders.ports == {0: (FIRST_PORT, socket.AF_INET)}


def test_the_main_process_accepts_until_a_worker_does_and_when_none_does(main: MainProcess) -> None:
    main.start()
    assert main.smtp.is_accepting
    main.begin(0)
    assert not main.smtp.is_accepting
    assert main.daytime.is_accepting
    main.begin(1)
    main.processes[0].end(KILLED)
    assert not main.smtp.is_accepting
    main.processes[1].end(KILLED)
    assert main.smtp.is_accepting


def test_a_worker_that_ends_is_replaced_after_pauses_that_grow(main: MainProcess) -> None:
    main.start()
    pauses = []
    for _ in range(9):
        main.begin(len(main.processes) - 1)
        main.processes[-1].end(KILLED)
        before, seconds = len(main.processes), 0
        while len(main.processes) == before:
            main.reactor.advance(1)
            seconds += 1
        pauses.append(seconds)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert FakeServices.closed == 9


def test_what_a_worker_sent_last_is_read_before_it_is_forgotten(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    process = main.processes[0]
    process.pid = 0
    process.protocol.processEnded(Failure(KILLED))  # the bridge has something to read yet
    main.reactor.advance(room.LONGEST_PAUSE)
    assert (len(main.processes), FakeServices.closed) == (2, 0)
    process.near.connectionLost()
    main.reactor.advance(room.FIRST_PAUSE)
    assert (len(main.processes), FakeServices.closed) == (3, 1)


def test_after_a_healthy_life_the_pause_is_short_again(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    for _ in range(3):
        main.processes[-1].end(KILLED)
        main.reactor.advance(room.LONGEST_PAUSE)
        main.begin(len(main.processes) - 1)
        main.reactor.advance(room.HEALTHY_SECONDS + 1)
    main.processes[-1].end(ProcessDone(0))
    count = len(main.processes)
    main.reactor.advance(room.FIRST_PAUSE)
    assert len(main.processes) == count + 1


def test_what_a_worker_counted_is_forgotten_with_it(main: MainProcess) -> None:
    main.start()
    counts = main.pool._counts
    worker = SharedCountMemory(counts.layout, 1, os.dup(counts.fd))
    worker.listener(0).change("192.0.2.1", 3)
    assert main.pool.shared.connection_counter(0).count("192.0.2.1") == 3
    main.processes[0].end(ProcessTerminated(exitCode=1))
    assert main.pool.shared.connection_counter(0).count("192.0.2.1") == 0


def test_a_worker_that_does_not_begin_in_time_is_killed(main: MainProcess) -> None:
    main.start()
    main.begin(1)
    main.reactor.advance(room.START_SECONDS)
    assert [one.signals for one in main.processes] == [["KILL"], []]


def test_a_worker_that_cannot_begin_is_killed_and_replaced(main: MainProcess) -> None:
    main.start()
    main.processes[0].worker.trouble = Unavailable("no")
    main.begin(0)
    main.begin(1)
    assert main.processes[0].signals == ["KILL"]
    assert not main.reactor.getDelayedCalls()
    main.processes[0].end(KILLED)
    main.processes[1].end(KILLED)
    main.reactor.advance(room.FIRST_PAUSE)
    assert len(main.processes) == 4
    assert main.smtp.is_accepting


def test_a_process_that_cannot_be_started_is_tried_again(main: MainProcess) -> None:
    main.reactor.trouble = OSError("no more processes")
    main.start()
    assert main.processes == []
    main.reactor.trouble = None
    main.reactor.advance(room.FIRST_PAUSE)
    assert len(main.processes) == 2


def test_all_are_asked_to_leave_and_waited_for(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    over: list[Any] = []
    main.pool.stop().addCallback(over.append)
    main.begin(0, 1)
    assert all(one.worker.is_leaving for one in main.processes)
    main.processes[0].end(ProcessDone(0))
    assert not over
    main.processes[1].end(ProcessDone(0))
    assert over
    main.reactor.advance(1000)
    assert len(main.processes) == 2
    assert not main.reactor.getDelayedCalls()


def test_who_does_not_leave_is_killed(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    main.pool.stop()
    main.processes[0].end(ProcessDone(0))
    main.reactor.advance(room.STOP_SECONDS)
    assert [one.signals for one in main.processes] == [[], ["KILL"]]


def test_a_worker_that_is_about_to_be_replaced_is_not(main: MainProcess) -> None:
    main.start()
    for process in main.processes:
        process.end(KILLED)
    over: list[Any] = []
    main.pool.stop().addCallback(over.append)
    assert over
    main.reactor.advance(1000)
    assert len(main.processes) == 2


def test_without_anything_to_serve_there_are_no_workers(main: MainProcess) -> None:
    main.smtp.socket = None  # a UNIX socket, or an endpoint that wraps its connections
    main.start()
    assert main.processes == []
    over: list[Any] = []
    main.pool.stop().addCallback(over.append)
    assert over


def test_messages_that_were_being_handed_over_are_swept_away(
    main: MainProcess, tmp_path: Path
) -> None:
    left, other = tmp_path / "tmp" / f"{HANDOFF_PREFIX}1-1", tmp_path / "tmp" / "other"
    left.touch()
    other.touch()
    main.start()
    assert (left.exists(), other.exists()) == (False, True)


# ---------------------------------------------------------------- another configuration


def ask(main: MainProcess, coroutine: Any) -> list[Any]:
    """Ask the workers, carry what is said, and return what the coroutine returned, if it did."""
    answers: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(answers.append)
    for process in main.processes:
        if process.pid:
            process.carry()
    return answers


def test_workers_get_another_configuration_and_the_sockets_that_are_new(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    reader, writer = os.pipe()
    main.listeners.pairs.append((FakeListener(2, reader), ListenerConfig("smtp", "tcp:3")))
    assert ask(main, main.pool.follow()) == [None]
    for process in main.processes:
        [change] = process.worker.changes
        assert change.listeners.keys() == {0, 2}
        assert change.ports.keys() == {2}
        assert len(process.near.transport.descriptors) == 1
    assert [one.is_accepting for one in main.listeners.all] == [False, True, False]
    os.close(reader)
    os.close(writer)


def test_a_listener_that_workers_cannot_serve_any_more_is_served_here(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    assert not main.smtp.is_accepting
    main.listeners.pairs[0] = main.smtp, ListenerConfig("daytime", "tcp:1")
    ask(main, main.pool.follow())
    assert main.smtp.is_accepting
    assert [one.worker.changes[0].listeners for one in main.processes] == [{}, {}]


def test_workers_release_a_listener_before_its_port_is_closed(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    listeners: Any = [main.smtp, main.daytime]
    assert ask(main, main.pool.release(listeners)) == [None]
    assert [one.worker.released for one in main.processes] == [[0], [0]]


def test_a_worker_that_does_not_follow_is_started_again(main: MainProcess) -> None:
    main.start()
    main.begin(0)  # the other has not begun yet, and would begin with the sockets of before
    main.processes[0].worker.trouble = Unavailable("no")
    assert ask(main, main.pool.follow()) == [None]
    assert [one.signals for one in main.processes] == [["KILL"], ["KILL"]]


def test_a_worker_that_does_not_answer_is_started_again_after_a_while(main: MainProcess) -> None:
    main.start()
    main.begin(0, 1)
    answers: list[Any] = []
    Deferred.fromCoroutine(main.pool.follow()).addBoth(answers.append)
    main.processes[0].carry()
    main.reactor.advance(FOLLOW_SECONDS - 1)
    assert (answers, [one.signals for one in main.processes]) == ([], [[], []])
    main.reactor.advance(1)
    assert answers == [None]
    assert [one.signals for one in main.processes] == [[], ["KILL"]]


def test_only_plain_ports_of_tcp_are_handed_over() -> None:
    factory, wrapped = StoppableFactory(), StoppableFactory()
    port: Any = tcp.Port(0, factory)
    port.socket = socket.socket()
    port.fileno = port.socket.fileno
    endpoint: Any = SimpleNamespace(listen=lambda _: succeed(port))
    listener = Listener(0, "smtp", endpoint, factory)
    assert listener.socket is None
    Deferred.fromCoroutine(listener.listen())
    assert listener.socket is None  # the port passes connections to another factory
    port.factory = listener._factory
    assert listener.socket == (port.fileno(), socket.AF_INET)
    port.factory = wrapped
    assert listener.socket is None
    port.socket.close()
