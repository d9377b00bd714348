"""Cutting what a client sends into commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.testing.commands import LONGEST_LINE, CommandCutter, cutter_for


def cut(service: str, *chunks: bytes) -> list[tuple[str, bytes]]:
    """Return the units of chunks; a chunk with ``S: `` is the server's answer."""
    cutter = cutter_for(service)
    found = []
    for chunk in chunks:
        if chunk.startswith(b"S: "):
            cutter.answer = chunk[3:]
        else:
            cutter.buffer += chunk
        while (unit := cutter.next()) is not None:
            found.append((unit.command, unit.octets))
    return found


def names(service: str, *chunks: bytes) -> list[str]:
    return [name for name, _ in cut(service, *chunks) if name]


def test_each_line_is_a_command() -> None:
    assert cut("smtp", b"EHLO x\r\nmail from:<>\r\n") == [
        ("EHLO", b"EHLO x\r\n"),
        ("MAIL", b"mail from:<>\r\n"),
    ]


def test_a_line_waits_for_its_end() -> None:
    assert cut("smtp", b"NO") == []
    assert cut("smtp", b"NO", b"OP\r\n") == [("NOOP", b"NOOP\r\n")]


def test_data_goes_on_to_the_dot() -> None:
    chunks = b"DATA\r\n", b"S: 354 go on", b"QUIT\r\n..\r\n.\r\n", b"S: 250 ok", b"QUIT\r\n"
    assert names("smtp", *chunks) == ["DATA", ".", "QUIT"]


def test_a_refused_data_has_no_content() -> None:
    assert names("smtp", b"DATA\r\n", b"S: 503 no", b"QUIT\r\n") == ["DATA", "QUIT"]


def test_bdat_has_content_of_its_length() -> None:
    assert cut("smtp", b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n") == [
        ("BDAT", b"BDAT 6 LAST\r\n"),
        ("", b"QUIT\r\n"),
        ("NOOP", b"NOOP\r\n"),
    ]


@pytest.mark.parametrize(
    ("service", "command", "challenge"),
    [
        ("smtp", b"AUTH LOGIN\r\n", b"S: 334 VXNlcm5hbWU6"),
        ("pop3", b"AUTH LOGIN\r\n", b"S: + VXNlcm5hbWU6"),
        ("imap", b"a AUTHENTICATE LOGIN\r\n", b"S: + VXNlcm5hbWU6"),
    ],
)
def test_the_answer_to_a_challenge_is_no_command(
    service: str, command: bytes, challenge: bytes
) -> None:
    assert len(names(service, command, challenge, b"a NOOP\r\n")) == 1


def test_uid_commands_have_the_name_of_the_others() -> None:
    assert names("imap", b"a UID FETCH 1 FLAGS\r\nb fetch 1 FLAGS\r\n") == ["FETCH", "FETCH"]


def test_literals_belong_to_their_command() -> None:
    asked = b"a LOGIN {5}\r\n", b"S: + go on", b"b OP\n {3+}\r\nc D\r\n"
    assert names("imap", *asked, b"S: a OK", b"d NOOP\r\n") == ["LOGIN", "NOOP"]
    assert names("imap", b"a APPEND x {7+}\r\nb NOOP\n\r\nc NOOP\r\n") == ["APPEND", "NOOP"]


def test_a_refused_literal_does_not_come() -> None:
    assert names("imap", b"a APPEND x {9}\r\n", b"S: a NO", b"b NOOP\r\n") == ["APPEND", "NOOP"]


def test_done_ends_idle() -> None:
    chunks = b"a IDLE\r\n", b"S: + idling", b"S: * 3 EXISTS", b"DONE\r\n", b"S: a OK", b"b NOOP\r\n"
    assert names("imap", *chunks) == ["IDLE", "DONE", "NOOP"]


def test_an_endless_line_goes_on_in_pieces() -> None:
    assert len(cut("smtp", b"x" * (LONGEST_LINE + 1))) == 1


@given(
    st.sampled_from(["smtp", "pop3", "imap"]),
    st.lists(
        st.sampled_from([b"a", b" ", b"UID", b"BDAT 3", b"{2+}", b"{2}", b"\r\n", b"\n", b"."])
    ),
    st.integers(1, 9),
)
def test_nothing_is_lost_however_the_stream_is_cut(
    service: str, parts: list[bytes], size: int
) -> None:
    stream = b"".join(parts) + b"\r\n"
    cutter = cutter_for(service)
    came = b""
    for at in range(0, len(stream), size):
        cutter.buffer += stream[at : at + size]
        came += _drain(cutter)
    assert came + cutter.buffer == stream


def _drain(cutter: CommandCutter) -> bytes:
    came = b""
    while (unit := cutter.next()) is not None:
        came += unit.octets
    return came
