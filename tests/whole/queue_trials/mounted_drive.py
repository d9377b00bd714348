"""A file system on a drive whose power can be cut."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.whole.live import PATIENCE
from tests.whole.process import select_nothing

DRIVE = Path(__file__).with_name("drive.py")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
SIZE = 192 * 1024 * 1024
# How the file system is mounted at each boot in turn: what it writes of its own accord, and in which
# order.
MOUNTS = (
    "data=ordered",
    "data=writeback,noauto_da_alloc,commit=1",
    "data=ordered,nodelalloc,commit=1",
    "data=journal",
)


class MountedDrive:
    """An ext4 file system at ``place``, on a drive that is served by ``drive.py``."""

    def __init__(self, folder: Path, place: Path) -> None:
        self._file, self._place = folder / "drive", place
        self._boots = 0
        image = folder / "image"
        _make_image(image)
        self._file.touch()
        self._process = subprocess.Popen(
            [sys.executable, str(DRIVE), str(image), str(self._file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "mounted"
        image.unlink()
        place.mkdir(mode=0o700, exist_ok=True)
        self.mount()

    def order(self, text: str) -> str:
        """Give an order that ``drive.py`` knows; return what it says."""
        assert self._process.stdin is not None
        print(text, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def mount(self) -> None:
        how = MOUNTS[self._boots % len(MOUNTS)]
        self._boots += 1
        _run("mount", "-t", "ext4", "-o", f"loop,{how}", str(self._file), str(self._place))

    def unmount(self) -> None:
        """Take the file system away, and wait until nothing of it is in memory."""
        _run("umount", str(self._place))
        deadline = time.monotonic() + PATIENCE
        while any(file == str(self._file) for file in _loops()):
            assert time.monotonic() < deadline, "somebody still has the file system"
            select_nothing(0.01)

    def sync(self) -> None:
        _run("sync", "-f", str(self._place))

    def close(self) -> None:
        """Take everything away; what stands in the way stays until it ends."""
        subprocess.run(["umount", "-l", str(self._place)], check=False, stderr=subprocess.DEVNULL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)


def _make_image(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(SIZE)
    at_once = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    _run("mkfs.ext4", "-q", "-F", "-E", at_once, str(image))


def _run(*command: str) -> None:
    environment = {**os.environ, "PATH": PATH}
    subprocess.run(command, check=True, timeout=2 * PATIENCE, env=environment)


def _loops() -> Iterator[str]:
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            yield path.read_text().rstrip("\n")
        except OSError:
            continue  # it is gone by now


def why_not() -> str:
    """Return why there can be no such drive here, or nothing."""
    if not _may_mount():
        return "only root mounts drives, and not in every container"
    for path in ("/dev/fuse", "/dev/loop-control", "/dev/loop0"):
        if not os.path.exists(path):
            return f"there is no {path}"
    for program in ("mkfs.ext4", "mount"):
        if not shutil.which(program, path=PATH):
            return f"{program} is not installed"
    return ""


def _may_mount() -> bool:
    """Return whether this process has CAP_SYS_ADMIN, capabilities(7)."""
    status = Path("/proc/self/status")
    found = re.search(r"^CapEff:\s*(\w+)$", status.read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> 21 & 1)
