"""The DNS of the demonstration: it knows the domains of both servers, and no other name exists."""

from collections.abc import Mapping
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from twisted.internet.protocol import DatagramProtocol

from twisted_mail.control.setup.demo.folders import DemoServer

TTL = 60


def records(*servers: DemoServer) -> Mapping[tuple[str, str], str]:
    """Return the records of the servers, by name and type: the MX of a domain, and its host's address."""
    found = {}
    for server in servers:
        found[f"{server.domain}.", "MX"] = f"10 {server.hostname}."
        found[f"{server.hostname}.", "A"] = server.address
    return found


class DemoNameServer(DatagramProtocol):
    """Answers questions over UDP, with authority for everything. What is no question gets no answer."""

    def __init__(self, known: Mapping[tuple[str, str], str]) -> None:
        self._known = known
        self._names = {name for name, _ in known}

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Answer one question."""
        try:
            asked = dns.message.from_wire(datagram)
            answer = self._answer(asked)
        except (dns.exception.DNSException, IndexError):
            return
        assert self.transport is not None
        self.transport.write(answer.to_wire(), addr)

    def _answer(self, asked: dns.message.Message) -> dns.message.Message:
        """Return the answer. Raises IndexError for a message that asks nothing."""
        question = asked.question[0]
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.AA
        name, kind = str(question.name).lower(), dns.rdatatype.to_text(question.rdtype)
        if name not in self._names:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (value := self._known.get((name, kind))) is not None:
            answer.answer.append(dns.rrset.from_text(question.name, TTL, "IN", kind, value))
        return answer
