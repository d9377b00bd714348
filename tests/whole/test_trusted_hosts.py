"""Mail to hosts that have to prove who they are: the DNS, a policy that is kept, and TLS, all real."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.delivery.onward.fakes import FakeWork, transaction
from tests.net.client.certificates import SignedCertificate
from tests.whole.live import await_in_reactor, the_reactor
from tests.whole.names import NameServer
from tests.whole.next_hops import NAME
from tests.whole.test_trust import KNOWN, ROOT, SELF_MADE, TlsHost
from twisted_mail.assembly.sending import SendingDependencies, make_remote_carrier
from twisted_mail.assembly.trust import TrustAssembly, TrustDependencies
from twisted_mail.config import Config
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.interfaces import Site, StoredPolicy, unreported
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.net.dns.resolver import make_resolver
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.testing.wire import FakeBlobWriter
from twisted_mail.trust.policy_store import FILE, SqlitePolicyStore
from twisted_mail.trust.settings import OutgoingTlsSettings

pytestmark = pytest.mark.whole

POLICY = b"version: STSv1\nmode: enforce\nmx: %s\nmax_age: 604800\n"
NO_DOMAINS: Any = MappingProxyType({})


class There:
    """A domain whose one mail host is a TlsHost here, and our carrier."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names = NameServer(
            {
                "there.example": {"MX": [f"10 {NAME}."]},
                NAME: {"A": ["127.0.0.1"]},
            }
        )
        self._blocking = ThreadBlocking(the_reactor(), "test", 2)
        self._blocking.start()
        self.hosts: list[TlsHost] = []

    def host(self, does: str) -> TlsHost:
        self.hosts.append(TlsHost(self._folder, does))
        return self.hosts[-1]

    def tlsa(self, host: TlsHost, certificate: SignedCertificate) -> str:
        """Publish a TLSA record; return its name."""
        name = f"_{host.port}._tcp.{NAME}"
        digest = sha256(certificate.public_key).hexdigest()
        self.names.records[name] = {"TLSA": [f"3 1 1 {digest}"]}
        return name

    def keep_policy(self, host: str) -> None:
        clock = ReactorClock(the_reactor())
        store = SqlitePolicyStore(self._folder / FILE)
        policy = StoredPolicy("there.example", "1", clock.now(), POLICY % host.encode())
        store.alter([policy], [])
        store.close()

    def send(self, host: TlsHost, level: Any = "may", domains: Any = NO_DOMAINS) -> Attempt:
        """Send one message; return how that ended."""
        authorities = self._folder / "authorities.pem"
        authorities.write_bytes(ROOT.pem)
        config = Config(
            self._folder / "none",
            "mail.example.org",
            self._folder,
            sending=SendingSettings(
                port=host.port,
                allows_private=("127.0.0.0/8",),
                idle=0.0,
                authorities="authorities.pem",
            ),
            outgoing_tls=OutgoingTlsSettings(level, dict(domains)),
        )
        work = FakeWork([transaction("bob@there.example")])
        await_in_reactor(self._send(config, work))
        if work.unreached:
            return work.unreached[0]
        [(_, attempts)] = work.ended
        return attempts[1]

    async def _send(self, config: Config, work: FakeWork) -> None:
        reactor, clock = the_reactor(), ReactorClock(the_reactor())
        servers = [(self.names.host, self.names.port)]
        resolver = make_resolver(reactor, servers, 2.0, clock)
        doors = TrustDependencies(reactor, clock, resolver, self._blocking, None, unreported)
        trust = TrustAssembly(config, doors)
        await trust.start()
        carrier = make_remote_carrier(
            config,
            SendingDependencies(
                reactor, clock, resolver, self._blocking, unreported, FakeBlobWriter, trust.demands
            ),
        )
        site = await carrier.site(work.waiting[0].destination)
        assert isinstance(site, Site)
        await carrier.serve(site, work)
        await trust.close()

    def close(self) -> None:
        self._blocking.stop()
        self.names.close()
        for host in self.hosts:
            host.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    there = There(tmp_path)
    yield there
    there.close()


def test_nothing_is_demanded_where_nothing_is_known(there: There) -> None:
    attempt = there.send(there.host("self-made"))
    assert (attempt.outcome.code, attempt.demanded, attempt.proven) == (250, "may", "encrypted")


def test_a_tlsa_record_that_fits(there: There) -> None:
    host = there.host("self-made")
    there.tlsa(host, SELF_MADE)
    there.names.is_validating = True
    attempt = there.send(host)
    assert (attempt.outcome.code, attempt.demanded, attempt.proven) == (250, "dane", "dane")


def test_a_tlsa_record_that_fits_nothing_keeps_the_mail_here(there: There) -> None:
    host = there.host("self-made")
    there.tlsa(host, KNOWN)
    there.names.is_validating = True
    attempt = there.send(host)
    assert (attempt.outcome.code, attempt.reply_class) == (451, ReplyClass.TLS)
    assert attempt.outcome.text == "The certificate fits none of the TLSA records of the host"


@pytest.mark.parametrize("unsigned", ["there.example", NAME, "tlsa"])
def test_tlsa_records_count_only_if_dnssec_vouches_for_all(there: There, unsigned: str) -> None:
    host = there.host("self-made")
    record = there.tlsa(host, KNOWN)
    there.names.is_validating = True
    there.names.unsigned.add(record if unsigned == "tlsa" else unsigned)
    attempt = there.send(host)
    assert (attempt.outcome.code, attempt.demanded) == (250, "may")


def test_a_tlsa_answer_that_fails_keeps_the_mail_here(there: There) -> None:
    host = there.host("self-made")
    there.names.broken.add(there.tlsa(host, SELF_MADE))
    there.names.is_validating = True
    attempt = there.send(host)
    assert (attempt.outcome.enhanced, attempt.reply_class) == ("4.4.3", ReplyClass.TLS)


def test_a_policy_that_is_kept_wants_a_name(there: There) -> None:
    there.keep_policy(NAME)
    attempt = there.send(there.host("known"))
    assert (attempt.outcome.code, attempt.demanded) == (250, "verify/mta-sts")
    assert attempt.proven == "name"


@pytest.mark.parametrize("does", ["no-tls", "failed", "stranger", "self-made"])
def test_a_host_without_that_name_gets_nothing(there: There, does: str) -> None:
    there.keep_policy(NAME)
    host = there.host(does)
    attempt = there.send(host)
    assert (attempt.outcome.code, attempt.reply_class) == (451, ReplyClass.TLS)
    assert host.clear == 0


def test_a_host_outside_of_the_policy_gets_nothing(there: There) -> None:
    there.keep_policy("other.example")
    attempt = there.send(there.host("known"))
    assert (attempt.outcome.enhanced, attempt.reply_class) == ("4.7.5", ReplyClass.TLS)


def test_a_level_of_a_domain(there: There) -> None:
    host = there.host("no-tls")
    assert there.send(host, "may", {"there.example": "encrypt"}).reply_class is ReplyClass.TLS
    attempt = there.send(host, "encrypt", {"there.example": "none"})
    assert (attempt.outcome.code, attempt.demanded, host.clear) == (250, "none/setting", 1)
