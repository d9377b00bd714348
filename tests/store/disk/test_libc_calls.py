import ctypes
import errno
import os
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from twisted_mail.store.disk import libc_calls


@pytest.fixture(params=["with renameat2", "without it", "refused"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without it":
        monkeypatch.setattr(libc_calls, "_renameat2", None)
    elif request.param == "refused":
        monkeypatch.setattr(
            libc_calls, "_NOREPLACE", 1 << 20
        )  # a flag that no kernel knows: EINVAL


def test_a_file_is_renamed_to_a_free_name(renaming: None, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    libc_calls.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert other.read_text() == "a message"
    assert not one.exists()


def test_a_file_is_never_renamed_over_another(renaming: None, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    other.write_text("another")
    with pytest.raises(FileExistsError):
        libc_calls.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert (one.read_text(), other.read_text()) == ("a message", "another")


def test_a_file_that_is_gone_is_told(renaming: None, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        libc_calls.rename_to_free(os.fsencode(tmp_path / "one"), os.fsencode(tmp_path / "other"))


@pytest.mark.parametrize(
    ("platform", "release", "kind", "keeps"),
    [
        ("linux", "5.17.0-generic", 0xEF53, True),
        ("linux", "6.18.44-fc", 0x58465342, True),
        ("linux", "10.0", 0x9123683E, True),
        ("linux", "5.16.19", 0xEF53, False),  # it would not tell of a failed journal
        ("linux", "6.1.0", 0x65735546, False),  # FUSE
        ("linux", "6.1.0", 0x6969, False),  # NFS
        ("freebsd14", "14.1-RELEASE", 0xEF53, False),
    ],
)
def test_only_file_systems_that_are_known_to_keep_all_are_relied_on(
    platform: str, release: str, kind: int, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fstatfs(fd: int, described: ctypes.Array[ctypes.c_char]) -> int:
        ctypes.c_long.from_buffer(described).value = kind
        return 0

    monkeypatch.setattr(libc_calls.sys, "platform", platform)
    monkeypatch.setattr(libc_calls.os, "uname", lambda: SimpleNamespace(release=release))
    monkeypatch.setattr(libc_calls, "_fstatfs", fstatfs)
    assert libc_calls.is_syncfs_reliable(0) is keeps


def test_a_descriptor_that_is_none_keeps_nothing() -> None:
    assert not libc_calls.is_syncfs_reliable(-1)


def test_without_syncfs_nothing_is_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libc_calls, "_syncfs", None)
    assert not libc_calls.is_syncfs_reliable(0)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)):
        libc_calls.sync_file_system(0)


@pytest.mark.parametrize(("release", "synced"), [("6.1.0-32-amd64", [7]), ("6.18.44", [])])
def test_where_syncfs_may_be_silent_the_folder_is_synced_too(
    release: str, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []
    monkeypatch.setattr(libc_calls.os, "uname", lambda: SimpleNamespace(release=release))
    monkeypatch.setattr(libc_calls.os, "fsync", found.append)
    libc_calls.sync_if_doubtful(7)
    assert found == synced


# ---------------------------------------------------------------- without waiting


def test_a_file_is_opened_at_once_or_would_have_to_be_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    try:
        fd = libc_calls.open_at_once(os.fsencode(path), os.O_RDONLY)
    except BlockingIOError:  # a kernel or a sandbox without the call
        return
    try:
        assert os.read(fd, 10) == b"hello"
    finally:
        os.close(fd)


def test_what_cannot_be_opened_is_not_opened_at_once_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"Too many levels|Resource temporarily"):
        libc_calls.open_at_once(os.fsencode(tmp_path / "link"), os.O_RDONLY | os.O_NOFOLLOW)
    with pytest.raises((FileNotFoundError, BlockingIOError)):
        libc_calls.open_at_once(os.fsencode(tmp_path / "nothing"), os.O_RDONLY)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EPERM])
def test_without_the_call_every_file_would_have_to_be_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*args: object) -> int:
        ctypes.set_errno(number)
        return -1

    for call in (refuse, None):
        monkeypatch.setattr(libc_calls, "_syscall", call)
        with pytest.raises(BlockingIOError):
            libc_calls.open_at_once(os.fsencode(tmp_path), os.O_RDONLY)


def test_what_is_in_memory_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    found = []
    with path.open("rb") as file, suppress(OSError):  # not on this file system
        found = [libc_calls.read_at_once(file.fileno(), *piece) for piece in ((3, 1), (10, 3))]
    assert found in ([], [b"ell", b"lo"])


def test_without_that_call_nothing_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "RWF_NOWAIT")
    with pytest.raises(OSError, match="not implemented"):
        libc_calls.read_at_once(0, 1, 0)
