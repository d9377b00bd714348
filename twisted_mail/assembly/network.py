"""What this process asks of other hosts and programs: names, connections, HTTP."""

from typing import Any

from twisted_mail.assembly.on_demand import (
    DNS,
    HTTP,
    HttpClientOnDemand,
    OnDemand,
    ResolverOnDemand,
)
from twisted_mail.config import Config
from twisted_mail.interfaces import Blocking, Clock
from twisted_mail.net.client.connector import ReactorConnector


class NetworkAssembly:
    """``resolver``, ``connector`` and ``http_client``. Nothing is opened before it is asked for.

    ``blocking`` imports what a part needs, when it is first asked.
    """

    def __init__(self, reactor: Any, config: Config, clock: Clock, blocking: Blocking) -> None:
        servers, timeout = config.dns.server_addresses(), config.dns.timeout
        self.resolver = ResolverOnDemand(
            OnDemand(DNS, blocking, lambda dns: dns.make_resolver(reactor, servers, timeout, clock))
        )
        self.connector = ReactorConnector(reactor)
        self.http_client = HttpClientOnDemand(
            OnDemand(HTTP, blocking, lambda http: http.AgentHttpClient(reactor))
        )

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self.http_client.close()
