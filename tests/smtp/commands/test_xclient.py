"""XCLIENT: its grammar, and who is believed what."""

import dataclasses
import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import SmtpFixture, lines
from twisted_mail.interfaces import Peer, SmtpContext
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused
from twisted_mail.mail.verdict import ACCEPT, FilterStage, Verdict, refuse
from twisted_mail.smtp.commands.xclient import format_attributes, parse
from twisted_mail.smtp.extensions.xclient import NAMES
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

PROXY = Settings(xclient_from=("192.0.2.0/24",))
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=50).filter(
    lambda text: text.upper() not in ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
)
ADDRESS = st.ip_addresses().map(str).filter(lambda text: "%" not in text)
PORT = st.integers(0, 65535).map(str)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "NAME": st.none() | PLAIN,
        "HELO": st.none() | PLAIN,
        "LOGIN": st.none() | PLAIN,
        "ADDR": st.none() | ADDRESS,
        "DESTADDR": st.none() | ADDRESS,
        "PORT": st.none() | PORT,
        "DESTPORT": st.none() | PORT,
        "PROTO": st.sampled_from([None, "SMTP", "ESMTP"]),
    },
).filter(bool)


@given(ATTRIBUTES)
def test_attributes_are_read_as_they_were_written(attributes: dict[str, str | None]) -> None:
    assert parse(format_attributes(attributes)) == attributes


@pytest.mark.parametrize(
    ("value", "hello"),
    [
        (b"b+C3+BCcher", "bücher"),
        (b"+FC", r"\xfc"),
        (b"+1B[2J", r"\x1b[2J"),
        (b"x" * 300, "x" * 255),
    ],
)
def test_a_proxy_may_pass_on_whatever_name_its_client_gives(value: bytes, hello: str) -> None:
    assert parse(b"HELO=" + value) == {"HELO": hello}


@given(st.binary(max_size=200))
def test_any_argument_is_read_or_refused(argument: bytes) -> None:
    try:
        said = parse(argument)
    except ProtocolError:
        return
    assert said


@given(st.sampled_from(["ADDR", "PORT", "PROTO", "NAME"]), st.text(max_size=30))
def test_any_value_is_read_or_refused(name: str, value: str) -> None:
    try:
        said = parse(f"{name}={value}".encode())
    except ProtocolError:
        return
    if name == "ADDR" and said[name] is not None:
        ipaddress.ip_address(said[name])


def test_a_value_has_255_octets_at_most() -> None:
    assert parse(b"NAME=" + b"x" * 255) == {"NAME": "x" * 255}
    with pytest.raises(ProtocolError, match=r"^XCLIENT: the value of NAME is malformed$"):
        parse(b"NAME=" + b"x" * 256)


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (b"", "attribute=value"),
        (b"FROB=x", f"the attributes are {', '.join(NAMES)}, each once"),
        (b"NAME=x NAME=y", f"the attributes are {', '.join(NAMES)}, each once"),
        (b"PORT=65536", "the value of PORT is malformed"),
        (b"PORT=01", "the value of PORT is malformed"),
        (b"ADDR=192.0.2.256", "the value of ADDR is malformed"),
        (b"PROTO=LMTP", "the value of PROTO is malformed"),
    ],
)
def test_it_is_said_what_is_wrong_with_attributes(argument: bytes, text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(argument)
    assert caught.value.outcome == Outcome(501, "5.5.4", f"XCLIENT: {text}")


class Watcher:
    """A filter that notes whom it is asked about, and sends one host away."""

    stages = (FilterStage.CONNECT, FilterStage.HELLO, FilterStage.SENDER)

    def __init__(self) -> None:
        self.seen: list[tuple[FilterStage, Peer, str]] = []

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        self.seen.append((stage, context.peer, context.hello))
        return refuse("bad") if context.peer.host == "198.51.100.66" else ACCEPT


def talk(*texts: str, settings: Settings = PROXY, smtp: SmtpFixture | None = None) -> list[str]:
    return (smtp or SmtpFixture()).hold(ScriptedWire([lines(*texts)]), settings)[1:]


def test_filters_judge_the_client_and_not_the_proxy() -> None:
    watcher: Any = Watcher()
    said = talk(
        "XCLIENT ADDR=198.51.100.7 PORT=99",
        "EHLO client.example",
        "MAIL FROM:<a@client.example>",
        smtp=SmtpFixture(filters=[watcher]),
        settings=Settings(xclient_from=("192.0.2.1",)),
    )
    assert said[-1].startswith("250 ")
    client = Peer("198.51.100.7", 99)
    assert watcher.seen == [
        (FilterStage.CONNECT, Peer("192.0.2.1", 54321), ""),
        (FilterStage.CONNECT, client, ""),
        (FilterStage.HELLO, client, "client.example"),
        (FilterStage.SENDER, client, "client.example"),
    ]


def test_a_client_that_is_not_wanted_is_sent_away() -> None:
    watcher: Any = Watcher()
    said = talk("XCLIENT ADDR=198.51.100.66", "NOOP", smtp=SmtpFixture(filters=[watcher]))
    assert len(said) == 1
    assert said[0].startswith("554 ")


def test_a_client_cannot_make_itself_trusted() -> None:
    elsewhere = Settings(xclient_from=("198.51.100.0/24",))
    assert talk("XCLIENT ADDR=198.51.100.7", settings=elsewhere)[0].startswith("550 5.7.1")


def test_the_proxy_may_take_several_commands_up_to_the_address() -> None:
    said = talk("XCLIENT HELO=x", "XCLIENT NAME=x", "XCLIENT ADDR=198.51.100.7")
    assert [line[:3] for line in said] == ["220", "220", "220"]


@pytest.mark.parametrize("address", ["198.51.100.7", "IPV6:2001:db8::7", "[UNAVAILABLE]"])
def test_the_client_that_was_brought_speaks_for_nobody(address: str) -> None:
    said = talk(f"XCLIENT ADDR={address}", "XCLIENT ADDR=127.0.0.1 NAME=x", "EHLO x")
    assert said[0].startswith("220 ")
    assert said[1].startswith("550 5.7.1")
    assert not any("XCLIENT" in line for line in said[2:])


def test_a_client_that_was_brought_cannot_log_in_without_a_password() -> None:
    smtp = SmtpFixture()
    settings = Settings(xclient_from=("192.0.2.1",), offers_login=True)
    wire = ScriptedWire([lines("XCLIENT ADDR=198.51.100.7", "XCLIENT LOGIN=x", "HELO c")])

    async def adopt(name: str) -> Any:
        return smtp.submitter

    doors = dataclasses.replace(smtp.doors(), assume_login=adopt)
    finish(SmtpLoop(wire, settings, doors).run())
    assert not smtp.events("logged_in")


def test_a_client_without_an_address_is_not_taken_for_the_proxy() -> None:
    watcher: Any = Watcher()
    talk("XCLIENT ADDR=[UNAVAILABLE]", smtp=SmtpFixture(filters=[watcher]))
    assert watcher.seen[-1][1].host == ""


def test_what_was_said_before_is_forgotten() -> None:
    said = talk("EHLO proxy.example", "XCLIENT NAME=x", "MAIL FROM:<a@client.example>")
    assert said[-1] == "503 5.5.1 Say EHLO first"


def test_the_log_names_the_client() -> None:
    smtp = SmtpFixture()
    talk(
        "XCLIENT ADDR=198.51.100.7",
        "HELO x",
        "MAIL FROM:<>",
        "RCPT TO:<x@elsewhere.example>",
        smtp=smtp,
    )
    ((_, peer, _, reason),) = smtp.events("refused")
    assert peer.host == "198.51.100.7"
    assert reason == "from=<> to=<x@elsewhere.example> 550 5.7.1 Relaying denied"


@pytest.mark.parametrize("networks", [("192.0.2.1",), ("0.0.0.0/0", "::/0")])
def test_mended_lines_stay_mended(networks: tuple[str, ...]) -> None:
    settings = Settings(xclient_from=networks, repairs_lf_from=networks)
    wire = ScriptedWire([b"XCLIENT PORT=5\nNOOP\nXCLIENT ADDR=198.51.100.7\nNOOP\n"])
    assert [line[:3] for line in SmtpFixture().hold(wire, settings)] == [
        "220",
        "220",
        "250",
        "220",
        "250",
    ]


def test_a_login_that_fails_changes_nothing() -> None:
    watcher: Any = Watcher()
    smtp = SmtpFixture(filters=[watcher])
    with_login = Settings(xclient_from=("192.0.2.1",), offers_login=True)
    wire = ScriptedWire([lines("XCLIENT ADDR=198.51.100.7 LOGIN=x", "HELO c", "MAIL FROM:<>")])

    async def adopt(name: str) -> Any:
        raise Refused("There is no such account")

    doors = dataclasses.replace(smtp.doors(), assume_login=adopt)
    finish(SmtpLoop(wire, with_login, doors).run())
    assert b"550 5.7.1 There is no such account" in wire.written
    assert {peer.host for _, peer, _ in watcher.seen} == {"192.0.2.1"}
    assert [stage for stage, _, _ in watcher.seen] == list(Watcher.stages)


def test_a_login_outlives_further_words_of_the_proxy() -> None:
    smtp = SmtpFixture()
    settings = Settings(xclient_from=("192.0.2.1",), offers_login=True)
    wire = ScriptedWire(
        [lines("XCLIENT LOGIN=x", "XCLIENT NAME=y", "HELO c", "MAIL FROM:<b@c.example>")]
    )

    async def adopt(name: str) -> Any:
        return smtp.submitter

    doors = dataclasses.replace(smtp.doors(), assume_login=adopt)
    finish(SmtpLoop(wire, settings, doors).run())
    assert wire.written.endswith(
        b"553 5.7.1 This sender address does not belong to your account\r\n"
    )
    assert [(peer.host, *rest) for _, peer, *rest in smtp.events("logged_in")] == [
        ("192.0.2.1", smtp.submitter.name, "XCLIENT", None)
    ] * 2
