"""The header of the PROXY protocol: what proxies say, and what is refused."""

import ipaddress
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.net.server.proxy_header import (
    MAX_LINE,
    MAX_VALUES,
    NO_ADDRESSES,
    SIGNATURE,
    HeaderReader,
    ProxyAddresses,
    SocketAddress,
    crc32c,
    format_line,
    format_octets,
    parse_line,
    parse_octets,
)

PORTS = st.integers(0, 65535)


def places(version: int) -> st.SearchStrategy[SocketAddress]:
    return st.builds(SocketAddress, st.ip_addresses(v=version).map(str), PORTS)


INTERNET = st.one_of(st.builds(ProxyAddresses, places(v), places(v)) for v in (4, 6))
UNIX = ProxyAddresses(SocketAddress(), SocketAddress())
TOLD = st.one_of(INTERNET, st.just(UNIX), st.just(NO_ADDRESSES))


def read(data: bytes, cuts: list[int] | None = None) -> tuple[ProxyAddresses | None, bytes]:
    """Feed the data, cut at these places; return the addresses, and what is left."""
    reader, addresses = HeaderReader(), None
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    for start, stop in pairwise(edges):
        if addresses is not None:
            reader.rest += data[start:stop]
        elif start < stop:
            addresses = reader.feed(data[start:stop])
    return addresses, reader.rest


@given(INTERNET)
def test_a_line_is_read_as_it_was_written(addresses: ProxyAddresses) -> None:
    line = format_line(addresses)
    assert len(line) <= MAX_LINE
    assert parse_line(line.removesuffix(b"\r\n")) == addresses


@given(TOLD, st.lists(st.tuples(st.sampled_from([1, 2, 4, 0x20, 0xEE]), st.binary(max_size=40))))
def test_octets_are_read_as_they_were_written(
    addresses: ProxyAddresses, values: list[tuple[int, bytes]]
) -> None:
    rest_of_it = b"".join(bytes([k]) + len(v).to_bytes(2, "big") + v for k, v in values)
    assert parse_octets(format_octets(addresses, rest_of_it[:MAX_VALUES])) == addresses
    assert (
        parse_octets(format_octets(addresses, rest_of_it[:MAX_VALUES], has_checksum=True))
        == addresses
    )


@given(TOLD, st.booleans(), st.binary(max_size=50), st.lists(st.integers(0, 400), max_size=6))
def test_the_pieces_in_which_it_comes_do_not_matter(
    addresses: ProxyAddresses, is_text: bool, rest_of_it: bytes, cuts: list[int]
) -> None:
    header = format_line(addresses) if is_text else format_octets(addresses, has_checksum=True)
    expected = NO_ADDRESSES if is_text and addresses == UNIX else addresses
    assert read(header + rest_of_it, cuts) == (expected, rest_of_it)


@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=4))
@example(b"PROXY TCP4 ", [])
@example(SIGNATURE + b"\x21\x11\x00\x00", [3])
def test_any_octets_are_read_or_refused(data: bytes, cuts: list[int]) -> None:
    def outcome(cuts: list[int]) -> object:
        try:
            return read(data, cuts)
        except ValueError:
            return "refused"

    assert outcome(cuts) == outcome([])


@given(st.binary(max_size=80))
def test_any_octets_after_the_signature_are_read_or_refused(data: bytes) -> None:
    try:
        addresses, rest = read(SIGNATURE + data)
    except ValueError:
        return
    assert addresses is None or data.endswith(rest)


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        (
            b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535",
            ProxyAddresses(
                SocketAddress("255.255.255.255", 65535), SocketAddress("255.255.255.255", 65535)
            ),
        ),
        (
            b"PROXY TCP6 2001:DB8::1 2001:db8:0:0:0:0:0:2 1 25",
            ProxyAddresses(SocketAddress("2001:db8::1", 1), SocketAddress("2001:db8::2", 25)),
        ),
        (b"PROXY UNKNOWN", NO_ADDRESSES),
        (b"PROXY UNKNOWN ffff:f 1 anything at all", NO_ADDRESSES),
    ],
)
def test_the_lines_of_the_specification(line: bytes, addresses: ProxyAddresses) -> None:
    assert read(line + b"\r\n") == (addresses, b"")


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY",
        b"PROXY ",
        b"PROXY TCP4",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2",
        b"PROXY UNKNOWNX",
        b"proxy tcp4 192.0.2.1 192.0.2.2 1 2",
        b"PROXY TCP4 192.0.2.1\n192.0.2.2 1 2",
    ],
)
def test_a_malformed_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"malformed|no header|not appear|permitted|Expected"):
        read(line + b"\r\n")


def test_a_line_without_end_is_refused_at_its_limit() -> None:
    assert read(b"PROXY UNKNOWN " + b"x" * (MAX_LINE - 16) + b"\r\n")[0] == NO_ADDRESSES
    assert read(b"PROXY UNKNOWN " + b"x" * (MAX_LINE - 15)) == (None, b"")
    for over in (b"x", b"\r\n"):
        with pytest.raises(ValueError, match="too long"):
            read(b"PROXY UNKNOWN " + b"x" * (MAX_LINE - 15) + over)


def test_a_client_that_speaks_at_once_is_no_proxy() -> None:
    for said in (b"EHLO client.example\r\n", b"\x16\x03\x01", b"\r\n\r\nQUIT\r\n", b"PRO\r\n"):
        with pytest.raises(ValueError, match="no header"):
            read(said)


def head(command: int, family: int, length: int) -> bytes:
    return SIGNATURE + bytes([command, family]) + length.to_bytes(2, "big")


@pytest.mark.parametrize(
    "header",
    [
        head(0x11, 0x11, 12) + bytes(12),  # version 1 in the clothes of version 2
        head(0x31, 0x11, 12) + bytes(12),
        head(0x22, 0x11, 12) + bytes(12),  # neither LOCAL nor PROXY
        head(0x21, 0x41, 12) + bytes(12),
        head(0x21, 0x13, 12) + bytes(12),
        head(0x21, 0x11, 11) + bytes(11),
        head(0x21, 0x21, 12) + bytes(12),
        head(0x21, 0x31, 12) + bytes(12),
        head(0x21, 0x11, 14) + bytes(14),  # a value that is cut off
        head(0x21, 0x11, 15) + bytes(12) + b"\x04\x00\x01",
        head(0x21, 0x11, 16) + bytes(12) + b"\x03\x00\x01\x00",  # a checksum of one octet
        head(0x21, 0x11, MAX_VALUES + 1),
    ],
)
def test_malformed_octets_are_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"version 2|unknown|cut off|checksum|too long"):
        read(header)


@pytest.mark.parametrize(
    "header",
    [
        head(0x20, 0x00, 0),
        head(0x20, 0x11, 12) + bytes(12),  # LOCAL: the addresses are discarded
        head(0x20, 0x00, 20) + b"\xff" * 20,
        head(0x21, 0x00, 0),  # AF_UNSPEC
        head(0x21, 0x00, 5) + b"\xff" * 5,
        head(0x21, 0x10, 12) + bytes(12),  # UNSPEC in the second half
    ],
)
def test_a_proxy_may_speak_for_itself(header: bytes) -> None:
    assert read(header + b"more") == (NO_ADDRESSES, b"more")


def test_the_octets_of_a_header_over_ipv4() -> None:
    addresses = ipaddress.ip_address("192.0.2.1").packed + ipaddress.ip_address("192.0.2.9").packed
    header = head(0x21, 0x11, 12) + addresses + b"\x9c\x40\x00\x19"
    addresses = ProxyAddresses(SocketAddress("192.0.2.1", 40000), SocketAddress("192.0.2.9", 25))
    assert read(header) == (addresses, b"")
    assert format_octets(addresses) == header


def test_a_wrong_checksum_is_refused() -> None:
    header = format_octets(
        ProxyAddresses(SocketAddress("192.0.2.1", 1), SocketAddress("192.0.2.2", 2)),
        has_checksum=True,
    )
    with pytest.raises(ValueError, match="checksum"):
        read(header[:-1] + bytes([header[-1] ^ 1]))
    with pytest.raises(ValueError, match="checksum"):
        read(header[:16] + b"\x07" + header[17:])


def test_the_checksum_is_that_of_castagnoli() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720 §B.4


def test_ends_of_two_kinds_cannot_be_written() -> None:
    mixed = ProxyAddresses(SocketAddress("192.0.2.1", 1), SocketAddress("2001:db8::1", 2))
    for write in (format_line, format_octets):
        with pytest.raises(ValueError, match="one kind"):
            write(mixed)
