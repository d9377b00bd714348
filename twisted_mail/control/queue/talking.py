"""Asking the hosts of a domain whether they would take a message: all of the dialogue up to RSET."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.queue.onward_facts import OnwardFacts
from twisted_mail.control.queue.phrases import circumstances, said
from twisted_mail.control.synchronous import SynchronousBlocking
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.delivery.onward.relay_login import RelayLogin
from twisted_mail.interfaces import Clock, unreported
from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.trust import Demand, TlsLevel, Whence
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.net.client.host_tls import HostTls
from twisted_mail.smtp.client import ClientSession, SmtpClient
from twisted_mail.smtp.dialogue.rehearsal import Rehearsed
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import DEFAULT_LIMITS, ClientSettings, NextHop

# Somebody waits at a terminal: no reply is waited for as long as with mail.
LIMITS = replace(
    DEFAULT_LIMITS, greeting=60.0, hello=60.0, mail=60.0, recipient=60.0, message=120.0
)


@dataclass(frozen=True, slots=True)
class Talk:
    """What a host said: why it could not be spoken to, or what it offers and answered."""

    host: str
    address: str
    failure: Attempt | None = None
    tls: str = ""
    tls_failure: str = ""
    keywords: tuple[str, ...] = ()
    largest: int = 0
    answers: Sequence[Rehearsed] = ()


class Talker:
    """Speaks to hosts as the server would, and sends nothing."""

    def __init__(self, config: Config, reactor: Any, clock: Clock) -> None:
        authorities = config.sending.authorities
        doors = DialogueDoors(clock, SynchronousBlocking(), unreported)
        trusted = str(config.state / authorities) if authorities else ""
        self._client = SmtpClient(HostDialer(reactor), HostTls(trusted), doors, _no_blob)
        self._config = config

    async def talk(
        self, facts: OnwardFacts, sender: Address, recipient: Address, size: int
    ) -> list[Talk]:
        """Ask the hosts in turn, until one was spoken to; return what each said."""
        found: list[Talk] = []
        if isinstance(facts.hosts, Outcome):
            return found
        settings = await self._settings(facts.hosts)
        port = self._config.sending.port if facts.hosts.relay is None else facts.hosts.relay.port
        for host, address in facts.order:
            demand = facts.hosts.demand(host) or settings.demand
            of_host = settings if facts.hosts.relay else replace(settings, demand=demand)
            session = await self._client.connect(NextHop(host, address, port), of_host)
            if isinstance(session, Attempt):
                found.append(Talk(host, address, session))
                continue
            answers = await session.rehearse(sender, recipient, size)
            session.close()
            found.append(_talk(host, address, session, answers))
            break
        return found

    async def _settings(self, hosts: NextHosts) -> ClientSettings:
        config, relay = self._config, hosts.relay
        if relay is None:
            return ClientSettings(config.hostname, limits=LIMITS)
        level, login = TlsLevel(config.sending.relay_tls), None
        if config.sending.relay_login:
            path = config.state / config.sending.relay_login
            login = await RelayLogin(path, SynchronousBlocking(), unreported).read()
        return ClientSettings(
            config.hostname,
            demand=Demand(level, Whence.RELAY, (relay.host,)),
            is_tls_implicit=relay.has_implicit_tls,
            login=login,
            trusts_unproven=level is not TlsLevel.VERIFY,
            limits=LIMITS,
        )


def _no_blob() -> Any:
    raise Unavailable("Nothing is sent")


def _talk(host: str, address: str, session: ClientSession, answers: Sequence[Rehearsed]) -> Talk:
    offered = session.offered
    return Talk(
        host,
        address,
        tls=session.tls,
        tls_failure=session.tls_failure,
        keywords=tuple(offered.keywords),
        largest=offered.size,
        answers=answers,
    )


# ---------------------------------------------------------------- in words


def is_refused(talks: Sequence[Talk]) -> bool:
    """Return whether nobody was reached, or the last host has refused something."""
    answers = talks[-1].answers if talks else ()
    return not answers or any(not one.outcome.is_success for one in answers)


def talk_lines(talks: Sequence[Talk], size: int) -> list[str]:
    """Return what was said, for people."""
    lines: list[str] = []
    for talk in talks:
        where = f"  spoken to   {talk.host} [{talk.address}]"
        if talk.failure is not None:
            lines += [
                f"{where}: {said(talk.failure)}",
                f"              {circumstances(talk.failure)}",
            ]
            continue
        tls = talk.tls or "without TLS"
        lines.append(f"{where}, {tls}" + (f" ({talk.tls_failure})" * bool(talk.tls_failure)))
        lines.append(f"  offers      {', '.join(sorted(talk.keywords)) or 'nothing'}")
        if talk.largest and size > talk.largest:
            lines.append(f"  too large   it takes {talk.largest} octets at most")
        lines += [f"  {_answer(one)}" for one in talk.answers]
    return lines


def _answer(one: Rehearsed) -> str:
    outcome = one.outcome
    text = " ".join(filter(None, (str(outcome.code), outcome.enhanced, outcome.text)))
    return f"{one.command}: {text}"


def talk_data(talk: Talk) -> dict[str, Any]:
    """Return what was said, for programs."""
    return {
        "host": talk.host,
        "address": talk.address,
        "failure": None if talk.failure is None else said(talk.failure),
        "tls": talk.tls,
        "tls_failure": talk.tls_failure,
        "offers": list(talk.keywords),
        "largest": talk.largest,
        "answers": [
            {
                "command": one.command,
                "code": one.outcome.code,
                "enhanced": one.outcome.enhanced,
                "text": one.outcome.text,
            }
            for one in talk.answers
        ],
    }
