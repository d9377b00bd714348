"""A crowd of bad next hops in a process of its own: ``python -m tests.whole.hostile_hops PORT``.

Each connection gets the next of the ways to be bad, which it keeps up until the client has had enough.
"""

import asyncio
import itertools
import sys

GREETING = b"220 mx ESMTP\r\n250-mx\r\n250 PIPELINING\r\n"
ENVELOPE = b"250 Ok\r\n250 Ok\r\n354 Go\r\n"

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


async def silent(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def slow(reader: Reader, writer: Writer) -> None:
    for octet in itertools.cycle(b"220-a\r\n"):
        writer.write(bytes([octet]))
        await asyncio.sleep(0.1)


async def endless(reader: Reader, writer: Writer) -> None:
    writer.write(b"220 " + b"x" * 100_000)
    await reader.read()


async def flood(reader: Reader, writer: Writer) -> None:
    await served(reader, writer)
    for _ in range(100):
        writer.write(b"250-more\r\n" * 1000)
        await writer.drain()


async def garbage(reader: Reader, writer: Writer) -> None:
    writer.write(b"\x16\x03\x01\xff\0")
    await reader.read()


async def breaks_off(reader: Reader, writer: Writer) -> None:
    writer.write(GREETING[:14])
    await reader.readline()
    writer.transport.abort()


async def never_answers(reader: Reader, writer: Writer) -> None:
    await served(reader, writer)
    await reader.read()


async def never_reads(reader: Reader, writer: Writer) -> None:
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(GREETING + ENVELOPE)
    await asyncio.sleep(600)


async def served(reader: Reader, writer: Writer) -> None:
    """Be good up to 354."""
    writer.write(GREETING[:14])
    await reader.readline()
    writer.write(GREETING[14:])
    await reader.readuntil(b"DATA\r\n")
    writer.write(ENVELOPE)


WAYS = (silent, slow, endless, flood, garbage, breaks_off, never_answers, never_reads)
_ways = itertools.cycle(WAYS)


async def hold(reader: Reader, writer: Writer) -> None:
    try:
        await next(_ways)(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(hold, "127.0.0.1", port, backlog=500)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
