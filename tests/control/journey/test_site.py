"""twisted-mail queue site."""

import pytest

from tests.control.queue.filled import fill, queue_folder
from tests.control.queue.test_queue_with_server import RunningServer
from tests.control.terminal import Terminal
from tests.journey.kept import keep
from twisted_mail.control.journey.code_meanings import meaning
from twisted_mail.control.queue import speaking
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.testing.doubles import finish

SITE = "mx.two.example"
STATE = {
    "name": SITE,
    "connections": 3,
    "allowed": 5,
    "most": 20,
    "in_turn": 2,
    "failures": 0,
    "why": "one more comes with each series of successes",
    "rest_until": 0.0,
    "pause_until": 0.0,
    "max_messages": 50,
    "avoids": 6,
}
HOST = {"site": SITE, "host": SITE, "address": "192.0.2.1", "source": "198.51.100.7"}


@pytest.fixture
def known(server: Terminal) -> Terminal:
    fill(server)
    from tests.control.queue.filled import NOW

    ok = {**HOST, "tls": "TLSv1.3/X", "code": 250, "text": "Ok", "to": "a@two.example"}
    later = {**HOST, "tls": "none", "class": "rate", "code": 421, "enhanced": "4.7.28"}
    events = [
        *[(NOW - 90 + n, "delivered", {**ok, "phases": {"dns": n / 10}}) for n in range(20)],
        (NOW - 60, "deferred", {**later, "text": "Slow down\x07", "command": "DATA"}),
        (NOW - 50, "failed", {**HOST, "class": "reputation", "code": 550, "enhanced": "5.7.25"}),
        (NOW - 40, "delivered", {**ok, "site": "mx.two.example.net"}),
        (NOW - 3 * 86400, "failed", {**HOST, "class": "content", "code": 554}),
    ]
    keep(queue_folder(server).parent / "journey", events)
    return server


def test_a_stopped_server_shows_what_is_remembered_and_was_answered(known: Terminal) -> None:
    assert known("queue", "site", SITE) == 0
    for text in (
        "now         the server does NOT run",
        "limits      20 connections ([sending] site_connections), 100 messages over each",
        "not reached 3 times in a row",
        "because     451 4.4.1 No answer",
        "events      delivered 20, deferred 1, failed 1 (the last 1d)",
        "refusals    rate 1, reputation 1",
        "codes       421 4.7.28 1, 550 5.7.25 1",
        "phase       dns: 1.000 s, of 95 % below 1.900 s",
        "TLS         TLSv1.3/X 20, none 1",
        r"421 4.7.28 Slow down\x07",
        "5.7.25      198.51.100.7 has no reverse name that leads back to it",
        "4.7.28      198.51.100.7 sends faster than it may",
    ):
        assert text in known.out
    data = known.json("queue", "site", SITE, "--for", "7d")
    assert data["classes"] == {"rate": 1, "reputation": 1, "content": 1}
    assert (data["now"], data["failures"], data["last_421"]["code"]) == (None, 3, 421)


def test_a_running_server_says_how_it_is_used_and_why(
    known: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = RunningServer(known)
    monkeypatch.setattr(speaking, "pause", running.poll)
    running.operated.states[SITE] = STATE
    running.operated.sites[SITE] = [Destination("smtp", "two.example")]
    assert known("queue", "site", SITE) == 0
    for text in (
        "now         3 connections, 5 allowed: one more comes with each series of successes",
        "in line     2 destinations",
        "50 messages over each (learned: it closes then)",
        "avoids      IPv6, which it refuses by policy",
    ):
        assert text in known.out
    assert known.json("queue", "site", SITE)["destinations"] == ["smtp:two.example"]
    finish(running.spool.close())


def test_a_site_that_nobody_knows_is_an_error_that_names_similar_ones(known: Terminal) -> None:
    assert known("queue", "site", "two.example") == 1
    assert f"nothing is known of a site two.example; there are {SITE}, " in known.err
    assert known("queue", "site", SITE, "--for", "x") == 2


@pytest.mark.parametrize(
    ("code", "host", "text"),
    [
        ("4.7.23", "mx1.google.com", "192.0.2.1 has no reverse name"),
        ("4.7.23", "mx.example.net", "the SPF of the sender's domain does not name 192.0.2.1"),
        ("4.7.23", "notgoogle.com", "the SPF of"),
        ("9.9.9", "mx.example.net", ""),
        ("", "mx.example.net", ""),
    ],
)
def test_codes_mean_what_the_host_means_by_them(code: str, host: str, text: str) -> None:
    assert meaning(code, host, "192.0.2.1", "").startswith(text)
    assert bool(meaning(code, host, "192.0.2.1", "")) is bool(text)
