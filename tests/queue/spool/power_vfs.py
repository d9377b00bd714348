"""A file system layer for SQLite that stops, fails, or loses what was not synced.

It works under a write-ahead log. Each write, truncation and sync of SQLite's is a step of the disk that
counts those of the bodies, too: so the world stops before its n-th step, whoever takes it.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import apsw

from tests.faults import Stopped

Step = Callable[[str], None]


@dataclass
class FileHistory:
    """What a file had at its last sync, and what was written since: offset and octets, or a length."""

    synced: bytes = b""
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)

    def content(self, keeps: Callable[[], bool]) -> bytes:
        """Return what is there after a power cut, which keeps some of the writes."""
        data = bytearray(self.synced)
        for at, octets in self.writes:
            if not keeps():
                continue
            if octets is None:
                data = data[:at].ljust(at, b"\0")
            else:
                data = data.ljust(at, b"\0")
                data[at : at + len(octets)] = octets
        return bytes(data)


class PowerVfs(apsw.VFS):
    """Hands everything to the system's own layer; before each change it calls ``step``.

    ``step`` raises Stopped, after which nothing is done any more, or an error of apsw.
    """

    def __init__(self, name: str, step: Step) -> None:
        self.name = name
        self.step = step
        self.is_stopped = False
        self.files: dict[str, FileHistory] = {}
        super().__init__(name, "")

    def take_step(self, name: str) -> None:
        if self.is_stopped:
            raise apsw.IOError("stopped")
        try:
            self.step(name)
        except Stopped:
            self.is_stopped = True
            raise apsw.IOError("stopped") from None

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        history = None
        if path is not None and not path.endswith("-shm"):
            history = self.files.get(path)
            if history is None:
                before = _read(path) if os.path.exists(path) else b""
                history = self.files[path] = FileHistory(before)
        return _PowerFile(self, history, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.take_step("sqlite delete")
        self.files.pop(filename, None)
        super().xDelete(filename, syncdir)

    def cut(self, seed: int | None = None) -> None:
        """Lose what was not synced: all of it, or by chance some."""
        chance = random.Random(seed)
        for path, history in self.files.items():
            keeps = (lambda: False) if seed is None else (lambda: chance.random() < 0.5)
            if os.path.exists(path):
                with open(path, "wb") as file:
                    file.write(history.content(keeps))
            if os.path.exists(path + "-shm"):
                os.unlink(path + "-shm")
        self.files.clear()


class _PowerFile(apsw.VFSFile):
    def __init__(
        self, vfs: PowerVfs, history: FileHistory | None, name: Any, flags: list[int]
    ) -> None:
        self._vfs = vfs
        self._history = history
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        if self._history is not None:
            self._vfs.take_step("sqlite write")
        super().xWrite(data, offset)
        if self._history is not None:
            self._history.writes.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        if self._history is not None:
            self._vfs.take_step("sqlite truncate")
        super().xTruncate(newsize)
        if self._history is not None:
            self._history.writes.append((newsize, None))

    def xSync(self, flags: int) -> None:
        if self._history is not None:
            self._vfs.take_step("sqlite sync")
            history = self._history
            history.synced, history.writes = history.content(lambda: True), []


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
