"""The carrier of mail to other hosts over real sockets: to Postfix's sink, and to a server of our own."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.delivery.onward.fakes import FakeWork, transaction
from tests.whole.live import PATIENCE, LiveServer, await_in_reactor, in_reactor, needs, the_reactor
from tests.whole.names import NameServer
from tests.whole.ports import free_port
from tests.whole.process import select_nothing
from twisted_mail.assembly.sending import SendingDependencies, make_remote_carrier
from twisted_mail.config import Config
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.remote import RemoteCarrier
from twisted_mail.interfaces import Reports, Site, unreported
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, Transaction
from twisted_mail.net.dns.questions import DnsQuestions
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import StubResolver
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.queue.dispatch.dispatcher import Dispatcher
from twisted_mail.queue.dispatch.dispatching_spool import DispatchingSpool
from twisted_mail.queue.dispatch.memory.state import DispatchDoors
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.events import QueueEvents
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.wire import FakeBlobWriter
from twisted_mail.trust.demands import TrustDemands
from twisted_mail.trust.settings import OutgoingTlsSettings

pytestmark = pytest.mark.whole

RECORDS = {
    "there.example": {"MX": ["10 mx1.there.example.", "20 mx2.there.example."]},
    "other.example": {"MX": ["10 mx2.there.example."]},
    "mx1.there.example": {"A": ["127.0.0.3"]},  # where nobody listens
    "mx2.there.example": {"A": ["127.0.0.2"]},
    "inward.example": {"MX": ["10 localhost.inward.example."]},
    "localhost.inward.example": {"A": ["127.0.0.2"]},
    "example.org": {"MX": ["10 mail.example.org."]},
    "mail.example.org": {"A": ["127.0.0.1"]},
}


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer(RECORDS)
    yield server
    server.close()


@pytest.fixture
def blocking() -> Iterator[ThreadBlocking]:
    threads = ThreadBlocking(the_reactor(), "test", 1)
    in_reactor(threads.start)
    yield threads
    in_reactor(threads.stop)


@pytest.fixture
def carrier(
    names: NameServer, blocking: ThreadBlocking, tmp_path: Path
) -> Callable[..., RemoteCarrier]:
    """Make a carrier that asks our DNS; it may dial this machine, unless a test says no."""
    clock = ReactorClock(the_reactor())

    def make(**settings: Any) -> RemoteCarrier:
        stub = StubResolver(the_reactor(), [(names.host, names.port)], 1.0)
        values = {"allows_private": ("127.0.0.0/8",), "idle": 0.0} | settings
        config = Config(
            tmp_path / "none", "mail.here.example", tmp_path, sending=SendingSettings(**values)
        )
        resolver = DnsResolver(DnsQuestions(stub.ask, clock))
        doors = SendingDependencies(
            the_reactor(),
            clock,
            resolver,
            blocking,
            unreported,
            FakeBlobWriter,
            TrustDemands(OutgoingTlsSettings()),
        )
        return in_reactor(lambda: make_remote_carrier(config, doors))  # type: ignore[no-any-return]

    return make


@contextlib.contextmanager
def sink(port: int, *options: str) -> Iterator[None]:
    """Run Postfix's sink on 127.0.0.2."""
    user = () if os.geteuid() else ("-u", "nobody")
    command = [needs("smtp-sink"), *user, "-h", "mx2.there.example", *options]
    process = subprocess.Popen([*command, f"127.0.0.2:{port}", "20"])
    try:
        wait_for_sink(port)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for_sink(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.2", port)) == 0:
                return
        select_nothing(0.02)
    raise AssertionError("the sink does not listen")


def serve(carrier: RemoteCarrier, *transactions: Transaction) -> FakeWork:
    """Hand these on, as the queue does."""
    work = FakeWork(list(transactions))

    async def run() -> None:
        sites = [await carrier.site(one.destination) for one in transactions]
        site = sites[0] if isinstance(sites[0], Site) else Site("smtp", "none")
        await carrier.serve(site, work)

    await_in_reactor(run())
    return work


def site(carrier: RemoteCarrier, domain: str) -> Site | Attempt:
    return await_in_reactor(carrier.site(Destination("smtp", domain)))


def test_mail_goes_to_the_next_host_where_the_first_is_down(
    carrier: Callable[..., RemoteCarrier],
) -> None:
    port = free_port()
    with sink(port):
        mails = [transaction("bob@there.example", id=f"a{number}") for number in range(20)]
        work = serve(carrier(port=port), *mails, transaction("x@other.example", id="b"))
    assert [codes for _, codes in work.codes] == [{1: 250}] * 21
    attempts = [one for _, attempts in work.ended for one in attempts.values()]
    assert {(one.host, one.address) for one in attempts} == {
        ("mx2.there.example", f"127.0.0.2:{port}")
    }
    assert [one.use for one in attempts] == list(range(1, 22))  # one connection, for both domains


def test_a_refusal_has_its_words_and_its_class(
    carrier: Callable[..., RemoteCarrier],
) -> None:
    port = free_port()
    with sink(port, "-f", "RCPT"):
        work = serve(carrier(port=port), transaction("bob@there.example", "c@there.example"))
    ((_, attempts),) = work.ended
    assert [one.outcome.code for one in attempts.values()] == [500, 500]
    assert attempts[1].command == "RCPT TO:<bob@there.example>"


def test_a_site_where_nobody_listens_rests(carrier: Callable[..., RemoteCarrier]) -> None:
    work = serve(carrier(port=free_port()), transaction("bob@there.example"))
    (attempt,) = work.unreached
    assert attempt.reply_class is ReplyClass.NETWORK
    assert work.ended == []


def test_a_host_that_closes_after_the_greeting_is_not_reached(
    carrier: Callable[..., RemoteCarrier],
) -> None:
    port = free_port()
    with sink(port, "-q", "CONNECT"):
        work = serve(carrier(port=port), transaction("bob@there.example"))
    assert len(work.unreached) == 1
    assert work.ended == []


def test_this_machine_is_not_dialled_because_the_dns_says_so(
    carrier: Callable[..., RemoteCarrier],
) -> None:
    port = free_port()
    with sink(port):
        made = carrier(port=port, allows_private=())
        found = site(made, "inward.example")
        work = serve(made, transaction("bob@inward.example"), transaction("x@[127.0.0.2]"))
    assert isinstance(found, Attempt)
    assert found.outcome.enhanced == "5.4.4"
    assert [codes for _, codes in work.codes] == [{1: 550}, {1: 550}]


def test_names_that_do_not_exist_are_final_and_broken_ones_are_not(
    carrier: Callable[..., RemoteCarrier], names: NameServer
) -> None:
    names.broken.add("broken.example")
    made = carrier()
    gone, broken = site(made, "gone.example"), site(made, "broken.example")
    assert isinstance(gone, Attempt)
    assert isinstance(broken, Attempt)
    assert (gone.outcome.enhanced, broken.outcome.enhanced) == ("5.1.2", "4.4.3")


HOSTILE = {
    "thousand.example": {"MX": [f"{at} mx{at}.thousand.example." for at in range(1000)]},
    "ours.example": {"MX": ["10 mail.here.example.", "20 mx2.there.example."]},
    "mail.here.example": {"A": ["127.0.0.2"]},
    "odd.example": {"MX": ["10 a\\000b\\010.example.", "20 192.0.2.1.", "30 -x.example."]},
    "circle.example": {"CNAME": ["circle.example."]},
    "null.example": {"MX": ["0 ."]},
    "private.example": {"A": ["10.0.0.1", "169.254.169.254"], "AAAA": ["fe80::1", "::1"]},
    "mapped.example": {"AAAA": ["::ffff:10.0.0.1"]},
    "nothing.example": {"TXT": ['"x"']},
}


@pytest.mark.parametrize(
    ("domain", "enhanced"),
    [
        ("thousand.example", "5.4.4"),
        ("ours.example", "5.4.6"),
        ("odd.example", "5.4.4"),
        ("circle.example", "4.4.3"),
        ("null.example", "5.1.10"),
        ("private.example", "5.4.4"),
        ("mapped.example", "5.4.4"),
        ("nothing.example", "5.1.2"),
        ("silent.example", "4.4.3"),
        ("broken.example", "4.4.3"),
        ("noisy.example", "4.4.3"),
    ],
)
def test_what_a_hostile_dns_says_has_its_answer(
    carrier: Callable[..., RemoteCarrier], names: NameServer, domain: str, enhanced: str
) -> None:
    names.records |= HOSTILE
    names.silent |= {"silent.example", "noisy.example"}
    names.broken.add("broken.example")
    if domain == "noisy.example":
        names.noise = [b"nonsense", b"\xff" * 600] * 3
    for _ in range(3):  # on a busy machine an answer may come too late
        found = site(carrier(), domain)
        assert isinstance(found, Attempt)
        if found.outcome.enhanced == enhanced:
            break
    assert found.outcome.enhanced == enhanced


def test_mail_arrives_at_a_server_of_ours(
    carrier: Callable[..., RemoteCarrier], tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    server = LiveServer(tmp_path / "there")
    try:
        work = serve(
            carrier(port=server.ports["smtp"]),
            transaction("bob@example.org", "nobody@example.org", id="a"),
            transaction("alice@example.org", id="b"),
        )
        (arrived,) = (server.maildir("bob@example.org") / "new").iterdir()
        text = arrived.read_text()
    finally:
        server.stop()
    assert [codes for _, codes in work.codes] == [{1: 250, 2: 550}, {1: 250}]
    attempts = work.ended[0][1]
    assert attempts[2].reply_class is ReplyClass.MAILBOX
    assert attempts[1].tls.startswith("TLS")
    assert attempts[1].outcome.text.startswith("Ok: queued as")
    assert "from mail.here.example" in text
    assert text.endswith("Subject: x\n\n")


def test_a_relay_gets_mail_with_a_login_over_proven_tls(
    carrier: Callable[..., RemoteCarrier], names: NameServer, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    server = LiveServer(tmp_path / "there")
    (tmp_path / "login").write_text("alice@example.org\nsecret\n")
    relay = {"relay": f"smtp://mail.example.org:{server.ports['submission']}"}
    authorities = {"authorities": str(tmp_path / "there" / "ca.pem")}
    mail = transaction("bob@example.org", sender="alice@example.org")
    try:
        work = serve(carrier(**relay, **authorities, relay_login="login"), mail)
        unproven = serve(carrier(**relay, relay_login="login"), mail)
        (tmp_path / "login").write_text("alice@example.org\nwrong\n")
        wrong = serve(carrier(**relay, **authorities, relay_login="login"), mail)
    finally:
        server.stop()
    assert [codes for _, codes in work.codes] == [{1: 250}]
    assert unproven.ended == wrong.ended == []
    assert unproven.unreached[0].reply_class is ReplyClass.TLS
    assert wrong.unreached[0].reply_class is ReplyClass.CONFIGURATION
    assert wrong.unreached[0].outcome.code == 535


def test_the_queue_sends_to_many_domains_while_some_are_dead(
    carrier: Callable[..., RemoteCarrier], names: NameServer
) -> None:
    names.records |= {f"d{number}.example": {"A": ["127.0.0.2"]} for number in range(10)}
    names.records |= {f"dead{number}.example": {"A": ["127.0.0.3"]} for number in range(10)}
    port, spool = free_port(), MemoryJobSpool()
    domains = [f"d{at % 10}.example" for at in range(200)]
    domains += [f"dead{at % 10}.example" for at in range(50)]
    jobs = [
        NewJob(replace(one.job, arrived=time.time()), one.recipients, one.message)
        for one in (transaction(f"x@{name}", id=f"j{at}") for at, name in enumerate(domains))
    ]
    with sink(port):
        await_in_reactor(dispatched(carrier(port=port), spool, jobs, left=50))
    assert sorted(spool.jobs) == sorted(f"j{at}" for at in range(200, 250))
    assert {one.tries for job in spool.jobs.values() for one in job.recipients.values()} == {0}
    assert "smtp:d0.example" not in spool.site_records
    assert spool.site_records["smtp:dead0.example"].failures == 1


async def dispatched(
    carrier: RemoteCarrier, spool: MemoryJobSpool, jobs: Sequence[NewJob], left: int
) -> None:
    """Send jobs until so many are left."""
    clock, journal = ReactorClock(the_reactor()), ListJournal()
    tasks = ReactorTasks(the_reactor(), journal)
    reports = cast("Reports", None)  # nobody asked for any
    doors = DispatchDoors(
        spool, {"smtp": carrier}, reports, clock, tasks, journal, QueueEvents(journal)
    )
    dispatcher = Dispatcher(doors, ScheduleSettings(), DispatchSettings())
    await dispatcher.start()
    queue = DispatchingSpool(spool, dispatcher)
    for job in jobs:
        await queue.accept(job)
    deadline = clock.monotonic() + PATIENCE
    while len(spool.jobs) > left and clock.monotonic() < deadline:
        await clock.sleep(0.02)
    await dispatcher.stop(1.0)
