"""The store makes its system calls in ``store/disk`` alone: the law, and the proof of it."""

import ast
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from twisted_mail import store
from twisted_mail.store.disk.calls import Disk

ROOT = Path(store.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path.parent != ROOT / "disk"]

# What of ``os`` only computes, or is about this process.
HARMLESS = {"fsdecode", "fsencode", "fspath", "getpid", "stat_result", "urandom", "PathLike"}
HARMLESS_PATHS = {"abspath", "basename", "dirname", "join", "split"}
FORBIDDEN_MODULES = {"fcntl", "glob", "io", "mmap", "shutil", "sqlite3", "tempfile"}
OF_PATHLIB = {"exists", "mkdir", "read_bytes", "read_text", "write_bytes", "write_text"}


def system_calls(source: str) -> list[str]:
    """Return what a file names that touches the file system."""
    return [found for node in ast.walk(ast.parse(source)) for found in _named(node)]


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names if each.name in FORBIDDEN_MODULES)
    elif isinstance(node, ast.ImportFrom) and node.module in {"os", *FORBIDDEN_MODULES}:
        yield node.module
    elif isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        if not _is_harmless(text):
            yield text
    elif isinstance(node, ast.Call):
        text = ast.unparse(node)
        if text.startswith(("open(", "apsw.Connection(")) and text != "apsw.Connection(':memory:')":
            yield text


def _is_harmless(attribute: str) -> bool:
    module, _, name = attribute.rpartition(".")
    if module == "os":
        return name in HARMLESS or name == "path"
    return name in HARMLESS_PATHS if module == "os.path" else name not in OF_PATHLIB


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_store_makes_no_system_call_of_its_own(path: Path) -> None:
    found = system_calls(path.read_text())
    assert not found, f"call store.disk instead of {found}"


@pytest.mark.parametrize(
    "source",
    [
        "os.unlink(path)",
        "os.path.exists(path)",
        "from os import stat",
        "import shutil",
        "open(path)",
        "apsw.Connection(path)",
        "Path(path).read_bytes()",
    ],
)
def test_a_system_call_is_found(source: str) -> None:
    assert system_calls(source)


@pytest.mark.parametrize(
    "source",
    ["os.path.join(a, b)", "os.getpid()", "self._disk.open(path)", "apsw.Connection(':memory:')"],
)
def test_what_only_computes_is_allowed(source: str) -> None:
    assert not system_calls(source)


def test_the_number_of_the_start_stays_the_same_as_long_as_the_machine_runs() -> None:
    if os.path.exists("/proc/sys/kernel/random/boot_id"):
        assert Disk().boot_id() == Disk().boot_id()
    assert Disk().boot_id()


def test_a_file_without_a_name_that_cannot_be_made_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(path)

    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(os, "unlink", refuse)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(PermissionError):
        Disk().create_unnamed(bytes(tmp_path))
    assert os.listdir("/proc/self/fd") == before


def test_a_path_is_described_at_once_or_would_have_to_be_waited_for(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "link")
    os.symlink("nowhere", path)
    before = os.listdir("/proc/self/fd")
    with suppress(BlockingIOError):  # a kernel or a sandbox without the call
        assert Disk().stat_at_once(path) == Disk().stat(path)
    assert os.listdir("/proc/self/fd") == before
