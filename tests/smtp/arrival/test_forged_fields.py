"""What comes in with the name of a field of ours does not pass for ours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.arrival.arrivals import arrival
from twisted_mail.mail.message import MemoryBlob, Message, SlicedBlob
from twisted_mail.mail.mime import header
from twisted_mail.smtp.arrival.forged_fields import remove_own_fields
from twisted_mail.smtp.settings import LmtpSettings, Settings
from twisted_mail.testing.doubles import finish

BODY = b"\r\nX-Verdict: words\r\n"


def kept(head: bytes, is_large: bool = False, settings: Settings | None = None) -> bytes:
    """Return what stays of a header; the body stays in any case."""
    whole = arrival()
    whole.session.settings = settings or Settings()
    whole.header = head
    blob: Any = MemoryBlob(head + BODY)
    if is_large:
        blob = SlicedBlob(blob, 0, len(head + BODY))
    whole.message = Message(blob)
    finish(remove_own_fields(whole))
    assert b"".join(whole.message.pieces()) == whole.header + BODY
    return whole.header


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    "field",
    [
        b"X-Verdict: accept (rspamd: fine)\r\n",
        b"x-verdict : accept\r\n\t(folded)\r\n once more\r\n",
        b"Return-Path: <boss@example.org>\r\n",
        b"Authentication-Results: mail.example.org; dkim=pass\r\n",
        b"Authentication-Results: MAIL.EXAMPLE.ORG. 1; dkim=pass\r\n",
        b'Authentication-Results: (a (b)) "mail.example.org"; dkim=pass\r\n',
        b"Authentication-Results: (a)\r\n mail.example.org; dkim=pass\r\n",
        b"Authentication-Results: example.org; dkim=pass\r\n",
        b"Authentication-Results:\r\n",
        b"Authentication-Results: (\xff) \xff; spf=pass\r\n",
    ],
)
def test_a_field_that_could_pass_for_ours_is_removed(field: bytes, is_large: bool) -> None:
    assert kept(b"Subject: x\r\n" + field + b"To: y\r\n", is_large) == b"Subject: x\r\nTo: y\r\n"
    assert kept(field + field, is_large) == b""


@pytest.mark.parametrize(
    "field",
    [
        b"Delivered-To: alice@example.org\r\n",
        b"DELIVERED-TO:\r\n <Alice@Example.ORG>\r\n",
        b"Delivered-To: alice@mail.example.org\r\n",
        b"Delivered-To: who knows\r\n",
        b"X-Original-To: alice@example.org\r\n",
        b"x-original-to : <alice@mail.example.org>\r\n",
    ],
)
def test_a_recipient_here_is_one_of_an_earlier_delivery(field: bytes) -> None:
    assert kept(b"Subject: x\r\n" + field) == b"Subject: x\r\nOld-" + field
    assert kept(b"Old-" + field) == b"Old-" + field


@pytest.mark.parametrize(
    "field",
    [
        b"Delivered-To: alice@elsewhere.example\r\n",
        b"X-Original-To: alice@elsewhere.example\r\n",
        b"Authentication-Results: mx.elsewhere.example; dkim=pass\r\n",
        b"ARC-Authentication-Results: i=1; mail.example.org; dkim=pass\r\n",
        b"Subject: Return-Path: x\r\n",
        b"Subject: x\r\n Return-Path: x\r\n",
        b"X-Verdict-Of: x\r\n",
    ],
)
def test_what_others_say_of_themselves_stays(field: bytes) -> None:
    assert kept(field) == field


def test_the_server_that_delivers_by_lmtp_may_say_for_whom_and_what_it_checked() -> None:
    trusted = (
        b"Delivered-To: alice@example.org\r\nAuthentication-Results: mail.example.org; spf=pass\r\n"
    )
    found = kept(b"X-Verdict: accept\r\nReturn-Path: <a@b>\r\n" + trusted, settings=LmtpSettings())
    assert found == trusted


def test_a_message_without_a_header_has_no_fields() -> None:
    assert kept(b"Hello there\r\nX-Verdict: x\r\n") == b"Hello there\r\nX-Verdict: x\r\n"


LINE = st.sampled_from(
    [
        *(
            b"X-Verdict:",
            b"Return-Path: <a@b>",
            b"Delivered-To: a@example.org",
            b" folded",
            b"\tx:",
        ),
        *(b"Subject: x", b"no field", b"authentication-results : mail.example.org", b":"),
    ]
)


@given(st.lists(LINE, max_size=12))
def test_no_reader_finds_one_of_ours(found: list[bytes]) -> None:
    head = b"A: b\r\n" + b"".join(line + b"\r\n" for line in found)
    names = {field.name.lower() for field in header.fields(kept(head))}
    assert not names & {b"x-verdict", b"return-path", b"delivered-to", b"authentication-results"}
