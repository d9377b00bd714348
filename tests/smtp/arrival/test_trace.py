from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest

from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import NO_MAIL_PARAMETERS, Envelope, MailParameters
from twisted_mail.smtp.arrival.incoming_message import FieldNames, header_end
from twisted_mail.smtp.arrival.trace import (
    TraceInfo,
    date,
    message_id,
    missing_fields,
    received,
    separator,
    waives_tls,
)

ALICE, BOB = parse("alice@example.org"), parse("bob@example.org")
PEER = Peer("192.0.2.1", 1)
NOW = 1_000_000_000.0


def field(
    *recipients: object, hello: str = "client.example", peer: Peer = PEER, **more: object
) -> str:
    envelope = Envelope(
        "id1",
        NULL,
        recipients or (ALICE,),  # type: ignore[arg-type]
        submitter=str(more.pop("who", "")),
        mail_parameters=more.get("mail_parameters", NO_MAIL_PARAMETERS),  # type: ignore[arg-type]
    )
    arrival = TraceInfo(
        hello,
        bool(more.get("is_extended", True)),
        peer,
        more.get("tls_info"),  # type: ignore[arg-type]
        reverse_name=str(more.get("reverse_name", "")),
        shows_login=bool(more.get("shows_login")),
    )
    raw = received(envelope, arrival, "mail.example.org", NOW)
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    message = message_from_bytes(raw + b"\r\n", policy=policy.compat32)
    assert message.keys() == ["Received"]
    assert not message.get_payload()
    return " ".join(str(message["Received"]).split())


def test_a_received_field_says_from_by_with_id_for_and_when() -> None:
    text, _, when = field().partition("; ")
    assert text == (
        "from client.example ([192.0.2.1]) by mail.example.org with ESMTP id id1 "
        "for <alice@example.org>"
    )
    assert parsedate_to_datetime(when).timestamp() == NOW


def test_of_several_recipients_none_is_named() -> None:
    assert " for " not in field(ALICE, BOB)


def test_tls_is_described_in_a_comment() -> None:
    text = field(tls_info=TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256))
    assert "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits)) by" in text


@pytest.mark.parametrize(
    ("is_extended", "tls_info", "who", "kind"),
    [
        (False, None, "", "SMTP"),
        (True, None, "", "ESMTP"),
        (True, None, "alice", "ESMTPA"),
        (True, TlsInfo("TLSv1.2", "x", 128), "", "ESMTPS"),
        (True, TlsInfo("TLSv1.2", "x", 128), "alice", "ESMTPSA"),
    ],
)
def test_the_protocol_is_that_of_rfc_3848(
    is_extended: bool, tls_info: TlsInfo | None, who: str, kind: str
) -> None:
    assert f"with {kind} id" in field(is_extended=is_extended, tls_info=tls_info, who=who)


@pytest.mark.parametrize(
    ("tls_info", "who", "kind"),
    [
        (None, "", "UTF8SMTP"),
        (None, "alice", "UTF8SMTPA"),
        (TlsInfo("TLSv1.3", "x", 128), "", "UTF8SMTPS"),
        (TlsInfo("TLSv1.3", "x", 128), "alice", "UTF8SMTPSA"),
    ],
)
def test_a_message_with_smtputf8_has_the_types_of_rfc_6531(
    tls_info: TlsInfo | None, who: str, kind: str
) -> None:
    text = field(tls_info=tls_info, who=who, mail_parameters=MailParameters(is_utf8=True))
    assert f"with {kind} id" in text


def test_a_recipient_in_utf8_is_named_in_utf8() -> None:
    envelope = Envelope(
        "id1", NULL, (parse("jos\xe9@example.org"),), mail_parameters=MailParameters(is_utf8=True)
    )
    raw = received(envelope, TraceInfo("c", True, PEER, None), "mail.example.org", NOW)
    assert "for <jos\xe9@example.org>;".encode() in raw


def test_a_verified_name_of_the_client_stands_before_its_address() -> None:
    assert "(mx.client.example [192.0.2.1])" in field(reverse_name="mx.client.example")
    assert "(mx_evil_ [192.0.2.1])" in field(reverse_name="mx(evil)")


def test_the_login_is_named_where_the_settings_say_so() -> None:
    assert "alice" not in field(BOB, who="alice@example.org")
    text = field(BOB, who="alice@example.org", shows_login=True)
    assert " (authenticated as alice@example.org) by mail.example.org with ESMTPA " in text
    assert "authenticated" not in field(shows_login=True)


def test_a_priority_is_named() -> None:
    assert " id id1 PRIORITY -3 for " in field(mail_parameters=MailParameters(priority=-3))


def test_an_ipv6_peer_is_an_ipv6_literal() -> None:
    assert "([IPv6:2001:db8::1])" in field(peer=Peer("2001:db8::1", 1))


def test_a_peer_on_a_unix_socket_has_no_address() -> None:
    assert field(peer=Peer("", 0)).startswith("from client.example by ")


@pytest.mark.parametrize(
    "hello", ["a(b", "x) by evil", "a;b", '"', "\\", "a b", "<x>", "ü", "x" * 255]
)
def test_no_name_of_a_client_breaks_the_field(hello: str) -> None:
    text = field(hello=hello)
    name = text.split()[1]
    assert len(name) == len(hello)
    assert text[5 + len(name) :].startswith(" ([192.0.2.1]) by mail.example.org")


def test_dates_are_those_of_rfc_5322() -> None:
    assert parsedate_to_datetime(date(NOW + 0.9)).timestamp() == NOW


def test_the_header_ends_at_the_empty_line() -> None:
    assert header_end(b"a: b\r\n\r\nbody") == 6
    assert header_end(b"\r\nbody") == 0
    assert header_end(b"a: b\r\n") == -1


def test_only_what_is_missing_is_added() -> None:
    both = missing_fields(FieldNames(b"Subject: x\r\n"), "id1", "mail.example.org", NOW)
    assert both.startswith(b"Date: ")
    assert both.endswith(b"\r\nMessage-ID: <id1@mail.example.org>\r\n")
    assert missing_fields(FieldNames(b"date: x\r\nMESSAGE-ID: y\r\n"), "id1", "h", NOW) == b""


@pytest.mark.parametrize(
    "header", [b"TLS-Required: No\r\n", b"a: b\r\ntls-required:no \r\nc: d\r\n"]
)
def test_a_sender_may_waive_tls(header: bytes) -> None:
    assert waives_tls(FieldNames(header))


@pytest.mark.parametrize("header", [b"", b"TLS-Required: Nope\r\n", b"X-TLS-Required: No\r\n"])
def test_nothing_else_waives_it(header: bytes) -> None:
    assert not waives_tls(FieldNames(header))


@pytest.mark.parametrize("header", [b"", b"a: b\r\n", b"X-Y :\r\n", b"From me Mon\r\n", b">From x"])
def test_a_header_stands_directly_behind_our_fields(header: bytes) -> None:
    assert separator(header) == b""


@pytest.mark.parametrize(
    "header", [b"Blah blah\r\n", b" folded: x\r\n", b"\tx\r\n", b":\r\n", b"\0:"]
)
def test_what_is_no_header_cannot_continue_our_fields(header: bytes) -> None:
    assert separator(header) == b"\r\n"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"Message-ID: <a@b>\r\n", "<a@b>"),
        (b"Subject: x\r\nmessage-id :\r\n <a@b> (c)\r\n", "<a@b>"),
        (b"X: Message-ID: <a@b>\r\n", ""),
        (b"Message-ID: <\xff>\r\n", r"<\xff>"),
        (b"Message-ID: " + b"x" * 300, "x" * 250),
        (b"", ""),
    ],
)
def test_the_message_id_is_one_word(header: bytes, found: str) -> None:
    assert message_id(FieldNames(header)) == found
