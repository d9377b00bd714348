"""What the DNS has to have."""

import subprocess
import sys

import pytest

from tests.control.terminal import Terminal
from twisted_mail.control import check as check_command
from twisted_mail.control.checks.dns import dns_notes
from twisted_mail.mail.dns import MailHost
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver

HOST, DOMAIN = "mail.example.org", "example.org"
OURS = MailHost(10, HOST)


def good() -> FakeResolver:
    """A DNS in which nothing is missing."""
    return (
        FakeResolver()
        .add(HOST, "A", "192.0.2.1")
        .add(HOST, "AAAA", "2001:db8::1")
        .add("192.0.2.1", "PTR", HOST)
        .add("2001:db8::1", "PTR", "other.example", HOST)
        .add(DOMAIN, "MX", OURS)
        .add(DOMAIN, "TXT", b"v=spf1 mx -all", b"v=spf10 x", b"else")
    )


def warnings(resolver: FakeResolver) -> list[str]:
    notes = finish(dns_notes(resolver, HOST, [DOMAIN]))
    assert {note.level for note in notes} <= {"fine", "warning"}
    return [f"{one.subject}: {one.text}" for one in notes if one.level != "fine"]


def without(name: str, kind: str) -> FakeResolver:
    resolver = good()
    del resolver.records[name, kind]
    return resolver


def test_a_complete_dns_is_fine() -> None:
    assert warnings(good()) == []


@pytest.mark.parametrize(
    ("resolver", "words"),
    [
        (without("192.0.2.1", "PTR"), "192.0.2.1 has no name (PTR), not mail.example.org"),
        (
            without("192.0.2.1", "PTR").add("192.0.2.1", "PTR", "pool-1.isp.example"),
            "has the name pool-1.isp.example (PTR)",
        ),
        (without(DOMAIN, "MX"), "has no MX; publish: example.org. IN MX 10 mail.example.org."),
        (without(DOMAIN, "MX").add(DOMAIN, "A", "192.0.2.1"), "its own address is taken instead"),
        (without(DOMAIN, "MX").add(DOMAIN, "MX", MailHost(0, "")), "takes no mail (RFC 7505)"),
        (good().add(DOMAIN, "MX", MailHost(20, "gone.example")), "MX gone.example has no address"),
        (without(DOMAIN, "TXT"), "has no SPF record"),
        (good().add(DOMAIN, "TXT", b"V=SPF1 -all"), "has 2 SPF records"),
    ],
)
def test_one_thing_that_is_missing_is_one_warning(resolver: FakeResolver, words: str) -> None:
    (text,) = warnings(resolver)
    assert words in text


def test_mail_that_goes_elsewhere_is_a_warning() -> None:
    resolver = without(DOMAIN, "MX").add(DOMAIN, "MX", MailHost(10, "mx.elsewhere.example"))
    resolver.add("mx.elsewhere.example", "A", "198.51.100.1")
    (text,) = warnings(resolver)
    assert "goes to mx.elsewhere.example, and not here" in text


def test_another_name_of_this_host_is_this_host() -> None:
    resolver = without(DOMAIN, "MX").add(DOMAIN, "MX", MailHost(10, "mx.example.org"))
    assert warnings(resolver.add("mx.example.org", "A", "192.0.2.1")) == []


def test_a_host_without_an_address_is_a_warning() -> None:
    resolver = without(HOST, "A")
    del resolver.records[HOST, "AAAA"]
    found = warnings(resolver)
    assert "has no address (A, AAAA)" in found[0]
    assert "MX mail.example.org has no address" in found[1]


@pytest.mark.parametrize("name", [HOST, DOMAIN, "192.0.2.1"])
def test_a_dns_that_does_not_answer_stops_no_other_question(name: str) -> None:
    resolver = good()
    resolver.broken.add(name)
    found = warnings(resolver)
    assert found
    assert all("does not answer" in text for text in found)
    assert (DOMAIN, "TXT") in resolver.asked


def test_the_dns_is_asked_only_if_that_is_wanted(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(check_command, "run_in_reactor", finish)
    monkeypatch.setattr(check_command, "_resolver", lambda config: asked.append(config) or good())
    server("check")
    assert asked == []
    server("domain", "add", "example.net")
    subjects = [note["subject"] for note in server.json("check", "--dns")["notes"]]
    assert len(asked) == 1
    assert {"DNS of mail.example.org", "DNS of example.org", "DNS of example.net"} <= set(subjects)


def test_servers_of_names_that_are_not_there_are_warnings(server: Terminal) -> None:
    path = server.folder / "mail.toml"
    drop_in = path.with_name("mail.toml.d") / "dns.toml"
    drop_in.write_text('[dns]\nservers = ["127.0.0.1:1"]\ntimeout = 0.2\n')
    words = ["-c", "from twisted_mail.control.main import main; raise SystemExit(main())"]
    command = [sys.executable, *words, "--config", str(path), "check", "--dns"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "warning  DNS of example.org: the DNS does not answer" in ran.stdout
    assert "Traceback" not in ran.stderr
