"""A real DNS server on loopback, UDP and TCP on one port, for tests: it knows what it was told."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.whole.ports import free_port

Records = Mapping[str, Mapping[str, list[str]]]  # name -> type -> texts, as in a zone file


class NameServer:
    """Answers from ``records``. Names in ``broken`` get SERVFAIL, those in ``silent`` nothing at all.

    Before an answer the datagrams in ``noise`` come; what is asked over TCP gets ``torrent`` instead, if
    there is one. With ``is_validating`` answers have AD, but for names in ``unsigned`` and what they lead
    to. CNAMEs are followed. ``asked`` counts questions by way and name.
    """

    def __init__(self, records: Records, host: str = "127.0.0.1") -> None:
        self.records = {name.lower(): dict(kinds) for name, kinds in records.items()}
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.is_validating = False
        self.unsigned: set[str] = set()
        self.noise: list[bytes] = []
        self.torrent: bytes | None = None
        self.asked: Counter[tuple[str, str]] = Counter()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.port = free_port()
        self._tcp = socket.create_server((host, self.port), family=family)
        self._udp = socket.socket(family, socket.SOCK_DGRAM)
        self._udp.bind((host, self.port))
        self.host = host
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    @property
    def where(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def close_tcp(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()

    def close(self) -> None:
        for one in (self._tcp, self._udp):
            one.close()

    def _serve_udp(self) -> None:
        while True:
            try:
                wire, client = self._udp.recvfrom(65535)
            except OSError:
                return
            response = self._response(wire, "udp")
            for noise in self.noise:
                self._udp.sendto(noise, client)
            if response is not None:
                most = max(512, dns.message.from_wire(wire).payload)
                try:
                    answer = response.to_wire(max_size=most)
                except dns.exception.TooBig:
                    response.answer.clear()
                    response.flags |= dns.flags.TC
                    answer = response.to_wire(max_size=65535)
                self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client:
                (size,) = struct.unpack("!H", client.recv(2, socket.MSG_WAITALL))
                response = self._response(client.recv(size, socket.MSG_WAITALL), "tcp")
                if self.torrent is not None:
                    with suppress(OSError):
                        client.sendall(self.torrent)
                elif response is not None:
                    wire = response.to_wire(max_size=65535)
                    client.sendall(struct.pack("!H", len(wire)) + wire)

    def _response(self, wire: bytes, way: str) -> dns.message.Message | None:
        try:
            query = dns.message.from_wire(wire)
            [question] = query.question
        except (dns.exception.DNSException, ValueError):
            return None  # no question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[way, name] += 1
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | (dns.flags.AD if self.is_validating else 0)
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.records:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            self._answer(response, name, kind)
        return response

    def _answer(self, response: dns.message.Message, name: str, kind: str) -> None:
        seen: set[str] = set()
        while name in self.records and name not in seen:
            seen.add(name)
            if name in self.unsigned:
                response.flags &= ~dns.flags.AD
            kinds = self.records[name]
            found = kind if kind in kinds else "CNAME"
            if texts := kinds.get(found):
                response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", found, *texts))
            name = "" if found == kind else kinds.get("CNAME", [""])[0].removesuffix(".").lower()
