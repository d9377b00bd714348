import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import HELLO, MAIL, RCPT, SmtpFixture, lines
from twisted_mail.smtp.settings import Settings
from twisted_mail.smtp.stream.lf_repair import LfRepairWire, is_in_networks
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import ScriptedWire

TRUSTING = Settings(repairs_lf_from=("192.0.2.0/28", "2001:db8::/64"))
LF_ALONE = lines("EHLO c", MAIL, RCPT, "DATA", "Subject: x", "", "..dot", ".", "QUIT").replace(
    b"\r\n", b"\n"
)


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("192.0.2.15", True),
        ("192.0.2.16", False),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1%eth0", True),
        ("2001:db8:0:1::1", False),
        ("", False),
    ],
)
def test_addresses_in_networks(host: str, is_in: bool) -> None:
    assert is_in_networks(host, TRUSTING.repairs_lf_from) is is_in


@pytest.mark.parametrize("text", ["192.0.2.1/28", "example.org", "192.0.2.0/33"])
def test_what_is_no_network_is_a_mistake_in_the_settings(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Settings(repairs_lf_from=(text,))


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_trusted_device_may_end_lines_with_lf(size: int) -> None:
    smtp = SmtpFixture()
    chunks = [LF_ALONE[at : at + size] for at in range(0, len(LF_ALONE), size)]
    replies = smtp.hold(ScriptedWire(chunks), TRUSTING)
    assert replies[-1].startswith("221")
    assert smtp.content == b"Subject: x\r\n\r\n.dot\r\n"


def test_others_may_not() -> None:
    smtp = SmtpFixture()
    replies = smtp.hold(ScriptedWire([LF_ALONE]))
    assert replies[1].startswith("500 5.5.2")
    assert not smtp.queue.accepted


def test_a_cr_alone_is_not_mended() -> None:
    smtp = SmtpFixture()
    replies = smtp.hold(ScriptedWire([lines(HELLO, MAIL, RCPT, "DATA", "a\rb", ".")]), TRUSTING)
    assert replies[-1].startswith("550 5.6.11")


def test_chunks_cannot_be_counted_on_a_mended_line() -> None:
    assert "250-CHUNKING" not in SmtpFixture().hold(ScriptedWire([lines("EHLO c")]), TRUSTING)


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a"])), st.integers(1, 5))
def test_any_split_is_mended_alike(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    whole = LfRepairWire(ScriptedWire([])).repair(stream)
    wire = LfRepairWire(ScriptedWire([]))
    pieces = [wire.repair(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert b"".join(pieces) == whole
    assert whole.count(b"\n") == whole.count(b"\r\n") == stream.count(b"\n")


def test_the_rest_of_the_wire_is_as_it_was() -> None:
    wire = ScriptedWire([lines("EHLO c", "STARTTLS"), lines("EHLO c", "QUIT")])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire, TRUSTING)
    assert "250-STARTTLS" in replies
    assert "250-REQUIRETLS" not in replies
    assert wire.tls_info is not None
    mending = LfRepairWire(wire)
    assert (mending.takes_passwords, mending.has_unread, mending.may_start_tls) == (
        True,
        False,
        False,
    )
    finish(mending.drain())
    mending.wake()
