from twisted.internet.testing import StringTransport

from twisted_mail.net.connection.read_buffer import MAX_READ, READ_AHEAD, SMALL_READ, ReadBuffer


def test_a_transport_is_paused_while_enough_waits() -> None:
    transport = StringTransport()
    buffer = ReadBuffer(transport)
    buffer.add(b"x" * (READ_AHEAD - 1))
    assert transport.producerState == "producing"
    buffer.add(b"yz")
    assert transport.producerState == "paused"
    assert buffer.take() == b"x" * (READ_AHEAD - 1) + b"yz"
    assert buffer.data == b""
    assert transport.producerState == "producing"


def test_more_is_read_at_a_time_while_reads_are_full() -> None:
    transport = StringTransport()
    transport.bufferSize = SMALL_READ  # type: ignore[attr-defined]
    buffer = ReadBuffer(transport)
    buffer.fit_reads(SMALL_READ)
    assert buffer.reads_much
    buffer.fit_reads(2 * SMALL_READ)
    buffer.fit_reads(MAX_READ)
    assert transport.bufferSize == MAX_READ  # type: ignore[attr-defined]
    buffer.fit_reads(SMALL_READ)
    assert buffer.reads_much
    buffer.fit_reads(10)
    assert not buffer.reads_much
    assert transport.bufferSize == SMALL_READ  # type: ignore[attr-defined]
