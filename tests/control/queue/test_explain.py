"""twisted-mail queue explain."""

import time

import pytest

from tests.control.queue.filled import fill
from tests.control.terminal import Terminal
from twisted_mail.control.queue import explaining, waiting
from twisted_mail.control.queue.opened import OpenedQueue
from twisted_mail.control.queue.talking import Talk
from twisted_mail.interfaces import StoredPolicy
from twisted_mail.mail.dns import MailHost, TlsaRecord
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.smtp.dialogue.rehearsal import Rehearsed
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.trust.policy_store import FILE, SqlitePolicyStore

BOB = "bob@one.example"


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> FakeResolver:
    """A DNS in which one.example has two mail hosts, one of them in a private network."""
    resolver = (
        FakeResolver()
        .add("one.example", "MX", MailHost(10, "mx.one.example"), MailHost(20, "in.one.example"))
        .add("mx.one.example", "A", "8.8.8.8")
        .add("in.one.example", "A", "10.0.0.1")
    )
    monkeypatch.setattr(explaining, "_resolver", lambda _: resolver)
    monkeypatch.setattr(explaining, "run_in_reactor", finish)
    return resolver


def test_it_shows_hosts_site_limits_and_schedule(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", BOB) == 0
    for text in (
        "bob@one.example: a domain that is not ours",
        "host        10    mx.one.example  8.8.8.8",
        "left out    in.one.example [10.0.0.1]: private",
        "site        mx.one.example+in.one.example",
        "dials       mx.one.example [8.8.8.8]",
        "waits for   nothing",
        "it is tried again after 5 min",
        "in 5 d, with a report",
        "the sender gets a notice after 4 h",
    ):
        assert text in server.out
    [one] = server.json("queue", "explain", BOB)["onward"]
    assert (one["site"], one["failure"]) == ("mx.one.example+in.one.example", None)
    assert len(one["tries"]) > 10


def test_what_a_host_has_to_prove_is_said_with_its_reason(
    server: Terminal, dns: FakeResolver
) -> None:
    assert server("queue", "explain", BOB) == 0
    assert "TLS         where it is offered; the host's name is not proven" in server.out
    dns.add("_25._tcp.mx.one.example", "TLSA", TlsaRecord(3, 1, 1, bytes(32)))
    dns.signed |= {"one.example", "mx.one.example", "_25._tcp.mx.one.example"}
    assert server("queue", "explain", BOB) == 0
    assert "TLS         is demanded, with a certificate that fits the host's TLSA" in server.out
    [one] = server.json("queue", "explain", BOB)["onward"]
    assert one["tls"] == {"mx.one.example": "dane"}


def test_a_host_that_is_passed_over_is_named(server: Terminal, dns: FakeResolver) -> None:
    dns.add("one.example", "MX", MailHost(30, "mx2.one.example"))
    dns.add("mx2.one.example", "A", "8.8.4.4")
    dns.signed |= {"one.example", "mx.one.example"}
    dns.broken.add("_25._tcp.mx.one.example")
    assert server("queue", "explain", BOB) == 0
    assert "TLS         mx.one.example: passed over: The DNS does not answer for the" in server.out
    assert "dials       mx2.one.example [8.8.4.4]" in server.out


def test_a_policy_that_the_server_keeps_counts(server: Terminal, dns: FakeResolver) -> None:
    policy = b"version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 604800\n"
    store = SqlitePolicyStore(server.folder / "state" / FILE)
    store.alter([StoredPolicy("one.example", "1", time.time(), policy)], [])
    store.close()
    assert server("queue", "explain", BOB) == 0
    assert "passed over: mx.one.example is none of the mail hosts that the MTA-STS" in server.out


def test_a_domain_can_be_explained_without_an_address(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", "one.example") == 0
    assert "site        mx.one.example+in.one.example" in server.out
    assert server("queue", "explain", "a..b") == 2


def test_what_fails_at_once_is_said_with_its_code(server: Terminal, dns: FakeResolver) -> None:
    dns.add("null.example", "MX", MailHost(0, ""))
    assert server("queue", "explain", "x@null.example") == 1
    assert "goes to     nobody: it fails at once, and the sender gets a report" in server.out
    assert "because     556 5.1.10" in server.out
    assert "tried again" not in server.out


def test_a_dns_that_is_silent_puts_mail_off(server: Terminal, dns: FakeResolver) -> None:
    dns.broken.add("one.example")
    assert server("queue", "explain", BOB) == 0
    assert "put off     451 4.4.3 The DNS" in server.out
    assert "tried again" in server.out


def test_what_stops_it_now_is_named(server: Terminal, dns: FakeResolver) -> None:
    fill(server)
    assert server("queue", "suspend", "sender", "alice@example.org") == 0
    assert server("queue", "explain", BOB, "--from", "alice@example.org") == 0
    assert "waits for   a word: sender alice@example.org is suspended" in server.out
    assert "waits for   the server, which does not run" in server.out
    dns.add("two.example", "MX", MailHost(10, "mx.two.example"))
    dns.add("mx.two.example", "A", "8.8.4.4")
    assert server("queue", "explain", "x@two.example") == 0
    assert "waits for   the site mx.two.example, which rests until" in server.out
    assert "because 451 4.4.1 No answer" in server.out


def test_all_may_go_to_a_relay(server: Terminal, dns: FakeResolver) -> None:
    dns.add("relay.example", "A", "8.8.8.8")
    text = '[sending]\nrelay = "smtp://relay.example"\n'
    (server.folder / "mail.toml.d" / "relay.toml").write_text(text)
    assert server("queue", "explain", BOB) == 0
    assert "goes to     the relay relay.example:587, for all mail" in server.out
    assert "dials       relay.example [8.8.8.8]" in server.out
    assert ("one.example", "MX") not in dns.asked


def test_mail_for_people_here_stays_here(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", "alice@example.org") == 0
    assert "it goes to the account alice@example.org" in server.out
    assert dns.asked == []


def test_what_others_wait_for_is_not_what_new_mail_waits_for(
    server: Terminal, dns: FakeResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server)
    later = WaitReason(WaitKind.TIME, 2e9, "Greylisted", "mx.one.example")
    monkeypatch.setattr(waiting, "_asked", lambda *_: {"smtp:one.example": later})
    monkeypatch.setattr(OpenedQueue, "is_served", lambda _: True)
    assert server("queue", "explain", BOB) == 0
    assert "waits for   nothing" in server.out


def test_an_address_that_is_refused_here_is_no_bug(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", "nobody@example.org") == 1
    assert "it is refused: 550 5.1.1" in server.out
    assert server.json("queue", "explain", "nobody@example.org")["onward"] == []


def test_a_size_is_not_negative(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", BOB, "--size", "-5") == 2
    assert "--size" in server.err


def test_a_wrong_sender_is_one_line(server: Terminal, dns: FakeResolver) -> None:
    assert server("queue", "explain", BOB, "--from", "nobody") == 2
    assert server.err.count("\n") == 1


class ScriptedTalker:
    """Hosts of which the first is not reached, and the second answers."""

    def __init__(self, code: int = 250) -> None:
        self.code = code
        self.asked: list[tuple[str, str, int]] = []

    async def talk(self, facts, sender, recipient, size) -> list[Talk]:
        self.asked.append((str(sender), str(recipient), size))
        silent = Attempt(Outcome(451, "4.4.1", "No answer"), 0.0, ReplyClass.NETWORK)
        answers = (
            Rehearsed("MAIL FROM:<alice@example.org>", Outcome(250, "", "Ok")),
            Rehearsed("RCPT TO:<bob@one.example>", Outcome(self.code, "5.1.1", "Well")),
            Rehearsed("RSET", Outcome(250, "", "Ok")),
        )
        offers = ("SIZE", "PIPELINING")
        spoken = Talk("mx2", "8.8.4.4", None, "TLSv1.3/X", "", offers, 1000, answers)
        return [Talk("mx1", "8.8.8.8", silent), spoken]


@pytest.mark.parametrize(("code", "exit_code"), [(250, 0), (550, 1)])
def test_hosts_are_asked_when_that_is_wished(
    server: Terminal,
    dns: FakeResolver,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    exit_code: int,
) -> None:
    talker = ScriptedTalker(code)
    monkeypatch.setattr(explaining, "_talker", lambda _: talker)
    words = ("queue", "explain", BOB, "--from", "alice@example.org", "--size", "5000", "--connect")
    assert server(*words) == exit_code
    assert talker.asked == [("alice@example.org", "bob@one.example", 5000)]
    for text in (
        "spoken to   mx1 [8.8.8.8]: 451 4.4.1 No answer",
        "spoken to   mx2 [8.8.4.4], TLSv1.3/X",
        "offers      PIPELINING, SIZE",
        "too large   it takes 1000 octets at most",
        f"RCPT TO:<bob@one.example>: {code} 5.1.1 Well",
    ):
        assert text in server.out
    [one] = server.json(*words)["onward"]
    assert [answer["command"] for answer in one["talks"][1]["answers"]][-1] == "RSET"


def test_nobody_is_asked_unasked(server: Terminal, dns: FakeResolver) -> None:
    assert server.json("queue", "explain", BOB)["onward"][0]["talks"] is None
