"""A drive whose power can be cut: one file, served by FUSE from the memory of this program.

What is written counts only once the drive has been told to flush; until then it may go in any order, in
part or not at all, a sector at a time, as with the cache of a real drive. A file system on it (by a loop
device) is the system's own, with a page cache and a journal as on every machine.

It is a program of its own, ``drive.py IMAGE FILE``, because whoever waits for a file system must not be
who serves it. It mounts itself on FILE, and reads orders from its standard input, one in a line:

* ``cut SEED``: the power goes. What is flushed stays, and by chance some of the rest. No write or flush
  is answered from now on.
* ``let go``: whoever waits gets an answer, so that he can end; nothing he writes is kept.
* ``power on``: the drive has what it had after the cut.

Each is answered by a line. With the end of its input the drive is gone.
"""

import ctypes
import errno
import os
import random
import select
import stat
import struct
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator

SECTOR = 4096
MOST = 1024 * 1024  # octets of one write
FLUSHING = 0.004  # seconds that a flush takes at most
# Of a hundred writes that were not flushed: how many stay whole, and how many in part.
CHANCES = ((0, 0), (50, 10), (90, 5), (0, 50), (100, 0))

_GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _RELEASE, _FSYNC, _FLUSH = 3, 4, 14, 15, 16, 18, 20, 25
_FORGET, _INIT, _INTERRUPT, _BATCH_FORGET = 2, 26, 36, 42
_HEADER = struct.Struct("<IIQQIIIHH")
_ANSWER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<QII6Q10I")
_NO_CACHE, _NO_FLUSH = 1, 32  # FOPEN_DIRECT_IO, FOPEN_NOFLUSH
_BIG_WRITES, _ASYNC, _MAX_PAGES = 1 << 5, 1 << 15, 1 << 22
_DETACH = 2

_library = ctypes.CDLL(None, use_errno=True)


class Platter:
    """What is on a drive: ``now``, as it reads, and ``flushed``, as it would be without power.

    ``written`` counts what was written.
    """

    def __init__(self, content: bytes) -> None:
        self.now = bytearray(content)
        self.flushed = bytearray(content)
        self.is_cut = False
        self.written = 0
        self._pending: deque[tuple[int, bytes]] = deque()

    def write(self, at: int, octets: bytes) -> None:
        self.now[at : at + len(octets)] = octets
        if not self.is_cut:
            self._pending.append((at, octets))
            self.written += 1

    def flush(self, number: int) -> None:
        """Flush all but what was written after the first ``number``."""
        while self._pending and self.written - len(self._pending) < number:
            at, octets = self._pending.popleft()
            self.flushed[at : at + len(octets)] = octets

    def cut(self, seed: int) -> tuple[int, int]:
        """Lose what chance wills; return how many writes were not flushed, and the sectors that stay."""
        chance = random.Random(seed)
        written, kept = len(self._pending), 0
        for at, octets in _surviving(self._pending, chance):
            self.flushed[at : at + len(octets)] = octets
            kept += 1
        self._pending.clear()
        self.is_cut = True
        return written, kept

    def power_on(self) -> None:
        self.now[:] = self.flushed
        self.is_cut = False


def _surviving(
    pending: Iterable[tuple[int, bytes]], chance: random.Random
) -> Iterator[tuple[int, bytes]]:
    """Yield the sectors that stay of writes that were not flushed."""
    whole, in_part = chance.choice(CHANCES)
    for at, octets in pending:
        drawn = chance.randrange(100)
        for start in range(0, len(octets), SECTOR):
            if drawn < whole or (drawn < whole + in_part and chance.random() < 0.5):
                yield at + start, octets[start : start + SECTOR]


class Drive:
    """Answers what the kernel asks of the one file that there is (FUSE 7.31)."""

    def __init__(self, platter: Platter, kernel: int) -> None:
        self._platter, self._kernel = platter, kernel
        self._chance = random.Random(0)
        self._flushes: deque[tuple[float, int, int]] = deque()  # until when, which, up to what
        self._held: list[tuple[int, int, bytes]] = []
        self._is_silent = False

    def serve(self) -> bool:
        """Take one request; return whether there may be more."""
        try:
            data = os.read(self._kernel, MOST + 65536)
        except OSError as error:
            return error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT)
        _, opcode, unique, *_ = _HEADER.unpack_from(data)
        body = data[_HEADER.size :]
        if self._is_silent and opcode in (_WRITE, _FSYNC):
            self._held.append((opcode, unique, body))
        elif opcode == _FSYNC:
            until = time.monotonic() + self._chance.uniform(0, FLUSHING)
            self._flushes.append((until, unique, self._platter.written))
        else:
            self._answer(opcode, unique, body)
        return True

    def finish_flushes(self) -> float | None:
        """Answer the flushes that have taken their time; return the seconds until the next, if any."""
        while self._flushes:
            until, unique, number = self._flushes[0]
            left = until - time.monotonic()
            if left > 0:
                return left
            self._flushes.popleft()
            self._platter.flush(number)
            self._answer(_FSYNC, unique, b"")
        return None

    def cut(self, seed: int) -> str:
        self._is_silent = True
        self._held = [(_FSYNC, unique, b"") for _, unique, _ in self._flushes]
        during = len(self._flushes)
        self._flushes.clear()
        lost, stayed = self._platter.cut(seed)
        return (
            f"{during} flushes under way, {lost} writes not flushed, {stayed} sectors of them stay"
        )

    def let_go(self) -> str:
        self._is_silent = False
        for request in self._held:
            self._answer(*request)
        self._held.clear()
        return "let go"

    def power_on(self) -> str:
        self._platter.power_on()
        return "on"

    def _answer(self, opcode: int, unique: int, body: bytes) -> None:
        if opcode in (_FORGET, _BATCH_FORGET, _INTERRUPT):
            return
        answers = {
            _INIT: self._init,
            _GETATTR: self._attributes,
            _SETATTR: self._attributes,
            _OPEN: lambda _: struct.pack("<QII", 1, _NO_CACHE | _NO_FLUSH, 0),
            _READ: self._read,
            _WRITE: self._write,
            _FSYNC: lambda _: b"",
            _RELEASE: lambda _: b"",
            _FLUSH: lambda _: b"",
        }
        found = answers.get(opcode)
        answer = b"" if found is None else found(body)
        error = -errno.ENOSYS if found is None else 0
        header = _ANSWER.pack(_ANSWER.size + len(answer), error, unique)
        try:
            os.writev(self._kernel, [header, answer])
        except OSError as error:
            if error.errno != errno.ENOENT:  # who asked was interrupted
                raise

    def _init(self, body: bytes) -> bytes:
        _, _, read_ahead, offered = struct.unpack_from("<IIII", body)
        flags = offered & (_BIG_WRITES | _ASYNC | _MAX_PAGES)
        most = (64, 48, MOST, 1, MOST // 4096, 0)
        return struct.pack("<IIIIHHIIHHI28x", 7, 31, read_ahead, flags, *most, 0)

    def _attributes(self, body: bytes) -> bytes:
        size = len(self._platter.now)
        times = (0,) * 3
        rest = (0, 0, 0, stat.S_IFREG | 0o600, 1, 0, 0, 0, SECTOR, 0)
        return _ATTRIBUTES.pack(3600, 0, 0, 1, size, size // 512, *times, *rest)

    def _read(self, body: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", body)
        return bytes(memoryview(self._platter.now)[at : at + size])

    def _write(self, body: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", body)
        self._platter.write(at, body[40 : 40 + size])
        return struct.pack("<II", size, 0)


def mount(file: str) -> int:
    """Put a drive in the place of a file; return where the kernel asks for its octets."""
    kernel = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={kernel},rootmode={stat.S_IFREG:o},user_id=0,group_id=0,max_read={MOST}"
    if _library.mount(b"drive", os.fsencode(file), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), file)
    return kernel


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(image: str, file: str) -> None:
    with open(image, "rb") as found:
        platter = Platter(found.read())
    kernel = mount(file)
    drive = Drive(platter, kernel)
    say("mounted")
    try:
        while True:
            ready, _, _ = select.select([kernel, sys.stdin], [], [], drive.finish_flushes())
            if kernel in ready and not drive.serve():
                return
            if sys.stdin in ready:
                order, _, seed = sys.stdin.readline().strip().partition(" ")
                if not order:
                    return
                orders = {"let": drive.let_go, "power": drive.power_on}
                say(drive.cut(int(seed)) if order == "cut" else orders[order]())
    finally:
        os.close(kernel)
        _library.umount2(os.fsencode(file), _DETACH)


if __name__ == "__main__":
    run(*sys.argv[1:])
