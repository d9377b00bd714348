import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.policy.milter.packets import MAX_PACKET, Framer, Packet, encode, split, texts

PACKETS = st.lists(
    st.builds(Packet, st.binary(min_size=1, max_size=1), st.binary(max_size=20)), max_size=8
)


def packets(framer):
    return list(iter(framer.next, None))


@given(PACKETS, st.lists(st.integers(0, 200), max_size=8))
def test_any_split_of_the_stream_gives_the_same_packets(wanted, cuts):
    stream = b"".join(encode(one) for one in wanted)
    framer, found, start = Framer(), [], 0
    for cut in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        framer.feed(stream[start:cut])
        found += packets(framer)
        start = cut
    assert found == wanted


@given(st.binary(max_size=60))
def test_hostile_octets_are_packets_or_an_error(data):
    framer = Framer(most=16)
    framer.feed(data)
    try:
        found = packets(framer)
    except ProtocolError:
        return
    assert data.startswith(b"".join(encode(one) for one in found))


@pytest.mark.parametrize("length", [0, MAX_PACKET + 1, 0xFFFFFFFF])
def test_a_packet_that_is_empty_or_too_long_is_an_error_before_it_has_come(length):
    framer = Framer()
    framer.feed(length.to_bytes(4, "big"))
    with pytest.raises(ProtocolError):
        framer.next()


@given(st.lists(st.binary(max_size=9).map(lambda one: one.replace(b"\0", b"")), max_size=5))
def test_texts_are_read_as_they_were_written(wanted):
    assert split(texts(*wanted)) == wanted


def test_a_text_is_one_text_and_has_an_end():
    assert texts(b"a\0b") == b"ab\0"
    with pytest.raises(ProtocolError):
        split(b"a\0b")
