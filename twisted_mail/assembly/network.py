"""What this process asks of other hosts and programs: names, connections, HTTP."""

from typing import Any

from twisted_mail.config import Config
from twisted_mail.interfaces import Clock
from twisted_mail.net.client.connector import ReactorConnector
from twisted_mail.net.client.http_client import AgentHttpClient
from twisted_mail.net.dns.questions import DnsQuestions
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import StubResolver


class NetworkAssembly:
    """``resolver``, ``connector`` and ``http_client``. Nothing is opened before it is asked for."""

    def __init__(self, reactor: Any, config: Config, clock: Clock) -> None:
        dns = config.dns
        stub = StubResolver(reactor, dns.server_addresses(), dns.timeout)
        self.resolver = DnsResolver(DnsQuestions(stub.ask, clock))
        self.connector = ReactorConnector(reactor)
        self.http_client = AgentHttpClient(reactor)

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self.http_client.close()
